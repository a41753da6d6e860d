/** Work that nobody waits for. */
export interface Backlog {
  /** Has it done soon, in the order in which it came. */
  add(task: () => void): void;
  /** Has all that waits done now. */
  flush(): void;
}

/** So many tasks at most wait, so that what they hold is little. */
const longest = 64;
const delayMs = 20;

/**
 * Makes a backlog. Tasks of one kind that are done one behind the other cost a fraction of what each costs between two
 * requests, where its code and data have left the processor's caches; and the next request does not wait for them.
 *
 * @param onFailure Hears of what a task throws; the others are done all the same.
 */
export function createBacklog(onFailure: (error: unknown) => void): Backlog {
  let waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | null = null;
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    const tasks = waiting;
    waiting = [];
    for (const task of tasks) {
      try {
        task();
      } catch (error) {
        onFailure(error);
      }
    }
  };
  return {
    add(task) {
      waiting.push(task);
      if (waiting.length >= longest) flush();
      else timer ??= setTimeout(flush, delayMs);
    },
    flush,
  };
}
