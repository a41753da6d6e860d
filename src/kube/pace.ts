import { setTimeout as delay } from 'node:timers/promises';

/** Time as a supervisor needs it; tests bring their own. */
export interface Clock {
  /** Milliseconds since any fixed moment. */
  now(): number;
  /** Resolves after so many milliseconds, or when the signal aborts. It never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 to below 1. */
  random(): number;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => process.uptime() * 1000,
  sleep: (ms, signal) => delay(ms, undefined, { signal, ref: false }).catch(() => {}),
  random: () => Math.random(),
};

const firstMs = 1000;
const mostMs = 30_000;
/** What lasted this long was no failure; client-node gives a silent watch up after 30 s. */
const healthyMs = 20_000;

/**
 * How long to wait before trying again: twice as long after each failure, less a random half, so that many that failed
 * together do not ask in step.
 *
 * @param failures Those in a row; 1 for the first.
 * @param longestMs What it never exceeds, in milliseconds.
 * @returns Milliseconds.
 */
export function backoffMs(failures: number, longestMs: number, clock: Clock): number {
  return Math.min(firstMs * 2 ** (failures - 1), longestMs) * (1 - clock.random() / 2);
}

/**
 * Spaces attempts out. The first follows at once; each one that comes soon after the last waits twice as long, up to
 * 30 s, less a random half, so that replicas do not ask in step. One that lasted begins anew.
 *
 * @param clock What time it is.
 * @param signal Ends all waiting.
 * @returns To be awaited before each attempt.
 */
export function createPace(clock: Clock, signal: AbortSignal): () => Promise<void> {
  let lastAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  return async () => {
    failures = clock.now() - lastAt >= healthyMs ? 0 : failures + 1;
    if (failures > 0) await clock.sleep(backoffMs(failures, mostMs, clock), signal);
    lastAt = clock.now();
  };
}
