import type { Clock } from './pace.ts';

/** Lets so many through at once, and after that one at a time. */
export interface TokenBucket {
  /** Whether one more may go now. */
  take(): boolean;
  /** Lets nothing through for so many milliseconds. */
  pause(ms: number): void;
}

/**
 * Makes a token bucket; it begins full.
 *
 * @param burst The most that go at once.
 * @param everyMs Milliseconds after which one more may go.
 */
export function createTokenBucket(burst: number, everyMs: number, clock: Clock): TokenBucket {
  let tokens = burst;
  let filledAt = clock.now();
  let pausedUntil = Number.NEGATIVE_INFINITY;
  return {
    take() {
      const now = clock.now();
      tokens = Math.min(burst, tokens + (now - filledAt) / everyMs);
      filledAt = now;
      if (tokens < 1 || now < pausedUntil) return false;
      tokens -= 1;
      return true;
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, clock.now() + ms);
    },
  };
}
