import type { ProcRoot } from '../proc/root.ts';

/** What the kernel says of the whole machine. */
export interface NodeCounts {
  readonly threads: number | null;
  readonly forks: number | null;
}

/** Counts once more. */
export function nodeCounts(proc: ProcRoot): NodeCounts {
  return { threads: proc.nodeThreads(), forks: proc.forks() };
}

/**
 * The threads that the kernel counts and /proc does not show, as under hidepid. What is missing by the counts before
 * and after, less all that were started in between, is hidden; what is so in this look and in the last.
 */
export class HiddenThreads {
  #before = Number.POSITIVE_INFINITY;

  /**
   * Takes in one look.
   *
   * @param seen Threads that it saw.
   * @param before Counts from before it.
   * @param after Counts from after it.
   * @returns How many are hidden, at the least.
   */
  least(seen: number, before: NodeCounts, after: NodeCounts): number {
    const started = (after.forks ?? 0) - (before.forks ?? 0);
    const fewest = Math.min(before.threads ?? seen, after.threads ?? seen);
    const missing = Math.max(0, fewest - seen - started);
    const least = Math.min(missing, this.#before);
    this.#before = missing;
    return least;
  }
}
