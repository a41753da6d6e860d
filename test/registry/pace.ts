import { setInterval } from 'node:timers/promises';

/** How often something is done, for how long, and how much of it may be under way. */
interface Pace {
  readonly perSecond: number;
  readonly seconds: number;
  /** Who does it; each does one thing at a time. */
  readonly workers: readonly ((index: number) => Promise<boolean>)[];
}

/** What was measured of it. */
export interface Paced {
  readonly sent: number;
  /** Those that were answered with true. */
  readonly good: number;
  /** Those that nothing came of. */
  readonly failed: number;
  readonly seconds: number;
  /** How long one took, in milliseconds. */
  readonly ms: { readonly p50: number; readonly p99: number; readonly max: number };
}

const tickMs = 5;

/**
 * Does something at a pace, whether or not what was begun before has come to an end. It waits only where all workers are
 * busy, and catches up afterwards.
 */
export async function atPace({ perSecond, seconds, workers }: Pace): Promise<Paced> {
  const all = perSecond * seconds;
  const idle = [...workers];
  const underWay = new Set<Promise<void>>();
  const durations: number[] = [];
  let good = 0;
  let failed = 0;
  const begun = performance.now();
  const one = async (worker: Pace['workers'][number], index: number) => {
    const started = performance.now();
    try {
      if (await worker(index)) good += 1;
    } catch {
      failed += 1;
    }
    durations.push(performance.now() - started);
    idle.push(worker);
  };
  let sent = 0;
  for await (const _ of setInterval(tickMs)) {
    const due = Math.min(all, Math.ceil(((performance.now() - begun) / 1000) * perSecond));
    while (sent < due) {
      const worker = idle.shift();
      if (!worker) {
        await Promise.race(underWay);
        continue;
      }
      const work = one(worker, sent).finally(() => underWay.delete(work));
      underWay.add(work);
      sent += 1;
    }
    if (sent === all) break;
  }
  await Promise.all(underWay);
  durations.sort((one, other) => one - other);
  const at = (share: number) => Math.round(durations[Math.ceil(durations.length * share) - 1] ?? 0);
  return {
    sent,
    good,
    failed,
    seconds: Math.round((performance.now() - begun) / 100) / 10,
    ms: { p50: at(0.5), p99: at(0.99), max: at(1) },
  };
}
