import { describe, expect, test } from 'vitest';
import type { Severity } from '../../../src/config/config.ts';
import type { Pid1 } from '../../../src/pid1.ts';
import type { ExecProbe, ProbeKind } from '../../../src/pod/pod.ts';
import { lowered, milder, type SeverityClass, severityOf } from '../../../src/rules/severity.ts';

function severity(
  severityClass: SeverityClass,
  pid1: Pid1,
  kind: ProbeKind,
  maxSeverity: Severity = 'error',
): Severity {
  const probe: ExecProbe = { kind, command: ['true'], periodSeconds: 10, timeoutSeconds: 1, pointer: '' };
  return severityOf(severityClass, {
    pid1,
    probe,
    settings: { maxSeverity, minPeriodSeconds: 0, minTimeoutSeconds: 0 },
  });
}

/** [class, PID 1 leaks or is unknown, PID 1 reaps] for liveness and readiness, then for startup probes. */
const table: readonly (readonly [SeverityClass, Severity, Severity, Severity, Severity])[] = [
  ['deprecated-check', 'error', 'warning', 'warning', 'info'],
  ['costly-cli', 'warning', 'warning', 'info', 'info'],
  ['orphan-maker', 'warning', 'info', 'info', 'info'],
  ['unseen', 'info', 'info', 'info', 'info'],
];

describe.each(table)('%s', (severityClass, leaks, reaps, startupLeaks, startupReaps) => {
  test.each(['leaks', 'unknown', 'must-be-pid-1'] as const)('PID 1 %s', (pid1) => {
    expect(severity(severityClass, pid1, 'liveness')).toBe(leaks);
    expect(severity(severityClass, pid1, 'readiness')).toBe(leaks);
    expect(severity(severityClass, pid1, 'startup')).toBe(startupLeaks);
  });

  test('PID 1 reaps', () => {
    expect(severity(severityClass, 'reaps', 'liveness')).toBe(reaps);
    expect(severity(severityClass, 'reaps', 'readiness')).toBe(reaps);
    expect(severity(severityClass, 'reaps', 'startup')).toBe(startupReaps);
  });
});

describe('a configured severity', () => {
  test('caps the computed one', () => {
    expect(severity('deprecated-check', 'leaks', 'liveness', 'warning')).toBe('warning');
    expect(severity('deprecated-check', 'leaks', 'liveness', 'info')).toBe('info');
    expect(severity('orphan-maker', 'unknown', 'readiness', 'info')).toBe('info');
  });

  test('never raises it', () => {
    expect(severity('unseen', 'leaks', 'liveness', 'error')).toBe('info');
    expect(severity('costly-cli', 'leaks', 'startup', 'warning')).toBe('info');
  });
});

test('lowered goes one level down and stops at info', () => {
  expect([lowered('error'), lowered('warning'), lowered('info')]).toEqual(['warning', 'info', 'info']);
});

test('milder takes the lesser of two, in either order', () => {
  expect([milder('error', 'info'), milder('info', 'error'), milder('warning', 'warning')]).toEqual([
    'info',
    'info',
    'warning',
  ]);
});
