import { describe, expect, it } from 'vitest';
import type { ExecProbe } from '../../../src/pod/pod.ts';
import { probeInStep } from '../../../src/scanner/probe-in-step.ts';
import { pod } from './machine.ts';

function probe(periodSeconds: number, kind: ExecProbe['kind'] = 'liveness'): ExecProbe {
  return { kind, command: ['check'], periodSeconds, timeoutSeconds: 1, pointer: '' };
}

function podWith(...containers: readonly (readonly [string, ...ExecProbe[]])[]) {
  return { ...pod, containers: containers.map(([name, ...probes]) => ({ name, id: null, probes })) };
}

describe('a probe in step', () => {
  it.each([
    [360, 1],
    [330, 1],
    [720, 2],
    [1090, 3],
  ])('is one of 10 s at %d new zombies an hour, %d each time', (rate, zombiesPerRun) => {
    expect(probeInStep(rate, podWith(['app', probe(10)]), 'app')).toMatchObject({
      periodSeconds: 10,
      zombiesPerRun,
    });
  });

  it.each([null, 0, -5, 100, 500, 360 * 21])('is none at %s', (rate) => {
    expect(probeInStep(rate, podWith(['app', probe(10)]), 'app')).toBeNull();
  });

  it('is the one that fits best, and of two alike the one that leaves fewer', () => {
    const both = podWith(['app', probe(10), probe(5, 'readiness')]);
    expect(probeInStep(720, both, 'app')).toMatchObject({ kind: 'readiness', zombiesPerRun: 1 });
    expect(probeInStep(360, both, 'app')).toMatchObject({ kind: 'liveness', zombiesPerRun: 1 });
  });

  it('keeps the secrets in its command to itself', () => {
    const command = ['redis-cli', '-a', 'hunter2', 'ping'];
    const found = probeInStep(360, podWith(['app', { ...probe(10), command }]), 'app');
    expect(found?.command).toEqual(['redis-cli', '-a', '***', 'ping']);
  });

  it('is of the same container, where that is known', () => {
    const both = podWith(['app', probe(30)], ['sidecar', probe(10)]);
    expect(probeInStep(360, both, 'sidecar')).toMatchObject({ container: 'sidecar' });
    expect(probeInStep(360, both, null)).toMatchObject({ container: 'sidecar', zombiesPerRun: 1 });
    expect(probeInStep(360, podWith(['app'], ['sidecar', probe(10)]), 'app')).toBeNull();
  });
});
