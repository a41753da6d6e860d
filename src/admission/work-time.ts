import { setImmediate as nextTurn } from 'node:timers/promises';

/** So long a task may keep the thread; a review of a pod takes about a millisecond. */
const turnMs = 20;

/** The time of a task that shares the thread with reviews, and has to end. */
export interface WorkTime {
  /** Aborts when the time is up, for what is waited for. It does so late while the thread is kept. */
  readonly signal: AbortSignal;
  /** Whether the time is up, also while the thread is kept. */
  isUp(): boolean;
  /** To be awaited between two pieces of work: after 20 ms of it, everybody else has a turn. */
  breathe(): Promise<void>;
}

/**
 * Begins the time of a task.
 *
 * @param longestMs How long it may take, in milliseconds.
 * @param now Milliseconds since any fixed moment.
 */
export function startWorkTime(longestMs: number, now = () => performance.now()): WorkTime {
  const signal = AbortSignal.timeout(longestMs);
  const deadline = now() + longestMs;
  let turnEnds = now() + turnMs;
  return {
    signal,
    isUp: () => signal.aborted || now() >= deadline,
    async breathe() {
      if (now() < turnEnds) return;
      await nextTurn();
      turnEnds = now() + turnMs;
    },
  };
}
