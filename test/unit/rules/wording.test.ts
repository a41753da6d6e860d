import { describe, expect, test } from 'vitest';
import type { ExecProbe, ProbeKind } from '../../../src/pod/pod.ts';
import { count, interval, leakSize, leaks, seconds, shown } from '../../../src/rules/wording.ts';

function probe(kind: ProbeKind, periodSeconds: number): { probe: ExecProbe } {
  return { probe: { kind, command: ['true'], periodSeconds, timeoutSeconds: 1, pointer: '' } };
}

test('counts have thousands separators and no fractions', () => {
  expect([count(8640), count(12_342.857), count(0), count(999_999)]).toEqual([
    '8,640',
    '12,343',
    '0',
    '999,999',
  ]);
});

test('absurd numbers stay short', () => {
  expect([1e6, 8_640_000, 9_960_000, 864e6, 999.9e6, 86.4e9].map(count)).toEqual([
    '1 million',
    '8.6 million',
    '10 million',
    '864 million',
    '1 billion',
    '86 billion',
  ]);
  expect(count(999.9e9)).toBe('1e+12');
  expect(count(8.64e304).length).toBeLessThan(8);
  expect(seconds(1e300).length).toBeLessThan(8);
});

test('seconds read as in YAML', () => {
  expect([10, 2.5, 3600, 0.1, 1 / 3].map(seconds)).toEqual(['10', '2.5', '3600', '0.1', '0.33']);
});

describe('leakSize', () => {
  test('multiplies zombies by runs in a day', () => {
    expect(leakSize(probe('liveness', 10), 1)).toBe('8,640 zombies a day');
    expect(leakSize(probe('readiness', 60), 2)).toBe('2,880 zombies a day');
  });

  test('of a startup probe is per run, since it ends with its first success', () => {
    expect(leakSize(probe('startup', 10), 1)).toBe('1 zombie per run');
    expect(leakSize(probe('startup', 10), 2)).toBe('2 zombies per run');
  });
});

test('interval', () => {
  expect(interval(probe('liveness', 10))).toBe('every 10 s');
});

test('only a PID 1 that is known to leak "leaks"', () => {
  expect(leaks({ pid1: 'leaks' })).toBe('leaks');
  expect(leaks({ pid1: 'unknown' })).toBe('may leak');
  expect(leaks({ pid1: 'must-be-pid-1' })).toBe('may leak');
});

test('a stranger’s word is cut and loses control, format and space characters', () => {
  expect(shown('healthcheck.sh')).toBe('healthcheck.sh');
  expect(shown('a\u001b[31m\nb\u202e.sh')).toBe('a?[31m?b?.sh');
  expect(shown('x'.repeat(300))).toBe(`${'x'.repeat(23)}…`);
  expect(shown('😀'.repeat(20), 4)).toBe('😀…');
});
