import { LookupFailure } from './failure.ts';

/** Lets so much be done at once, and no more. */
export interface Limiter {
  /**
   * Does something when its turn comes.
   *
   * @param key What it is done to, such as a host; there is a limit for each, and one for all.
   * @throws {LookupFailure} `busy` if too many wait for the same already; else what the work throws.
   */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** How much may be done at once and wait. */
interface Limits {
  readonly perKey: number;
  readonly inAll: number;
  readonly waitingPerKey: number;
  readonly waitingInAll: number;
}

interface Queue {
  running: number;
  readonly waiting: (() => void)[];
}

/** @param limits How much may be done at once and wait. */
export function createLimiter({ perKey, inAll, waitingPerKey, waitingInAll }: Limits): Limiter {
  const queues = new Map<string, Queue>();
  let running = 0;
  let waiting = 0;

  const start = (queue: Queue) => {
    queue.running += 1;
    running += 1;
  };
  /** Starts what may start now: of each key in turn, so that one with many does not keep the others waiting. */
  const startWaiting = () => {
    for (const [key, queue] of queues) {
      if (running >= inAll) return;
      const next = queue.running < perKey ? queue.waiting.shift() : undefined;
      if (!next) continue;
      waiting -= 1;
      start(queue);
      queues.delete(key);
      queues.set(key, queue);
      next();
    }
  };
  const end = (key: string, queue: Queue) => {
    queue.running -= 1;
    running -= 1;
    if (queue.running === 0 && queue.waiting.length === 0) queues.delete(key);
    startWaiting();
  };

  return {
    async run(key, work) {
      const queue = queues.get(key) ?? { running: 0, waiting: [] };
      queues.set(key, queue);
      if (queue.running < perKey && running < inAll) {
        start(queue);
      } else if (queue.waiting.length < waitingPerKey && waiting < waitingInAll) {
        waiting += 1;
        await new Promise<void>((resolve) => void queue.waiting.push(resolve));
      } else {
        throw new LookupFailure('busy');
      }
      try {
        return await work();
      } finally {
        end(key, queue);
      }
    },
  };
}
