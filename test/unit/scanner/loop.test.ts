import { describe, expect, it } from 'vitest';
import { runLoop, secondLookMs } from '../../../src/scanner/loop.ts';
import { directoryOf } from '../../../src/scanner/pod-facts.ts';
import type { ScanReport } from '../../../src/scanner/report.ts';

function report(zombies: number): ScanReport {
  const pids = { used: 1, limit: 2, limitedBy: null, secondsToExhaustion: null, unreadable: 0 };
  return {
    schemaVersion: 1,
    node: null,
    time: '',
    pids,
    zombies,
    groups: [],
    limits: [],
    remedies: [],
    notes: [],
  };
}

/** Runs so many looks, of which some fail, and notes what was told and how long was slept. */
async function run(outcomes: readonly (number | Error)[], intervalMs = 15_000) {
  const ending = new AbortController();
  const told: (number | string)[] = [];
  const slept: number[] = [];
  let look = 0;
  await runLoop({
    scanner: {
      look() {
        const outcome = outcomes[look] ?? new Error('no more');
        look += 1;
        if (look === outcomes.length) ending.abort();
        if (outcome instanceof Error) throw outcome;
        return report(outcome);
      },
    },
    intervalMs,
    pods: () => directoryOf([]),
    signal: ending.signal,
    sleep: async (ms) => void slept.push(ms),
    onReport: ({ zombies }) => told.push(zombies),
    onFailure: (error) => told.push(error instanceof Error ? error.message : 'no error'),
  });
  return { told, slept };
}

describe('the loop', () => {
  it('does not tell of the first look, which cannot know who stays, and looks again soon', async () => {
    const { told, slept } = await run([0, 3, 4]);
    expect(told).toEqual([3, 4]);
    expect(slept[0]).toBeLessThanOrEqual(secondLookMs);
    expect(slept[1]).toBeGreaterThan(10_000);
  });

  it('goes on after a look that failed', async () => {
    expect((await run([0, 3, new Error('EIO'), 4])).told).toEqual([3, 'EIO', 4]);
  });

  it('begins anew where the first looks failed', async () => {
    expect((await run([new Error('away'), 0, 3])).told).toEqual(['away', 3]);
  });

  it('never waits longer than the interval', async () => {
    expect((await run([0, 1, 2], 50)).slept.every((ms) => ms <= 50)).toBe(true);
  });
});
