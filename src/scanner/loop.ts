import type { PodDirectory } from './pod-facts.ts';
import type { ScanReport } from './report.ts';
import type { Scanner } from './scanner.ts';

/** How a scanner goes on, and who hears of it. The functions must not throw. */
export interface LoopOptions {
  readonly scanner: Scanner;
  /** From the start of one look to that of the next. */
  readonly intervalMs: number;
  /** The pods as they are known at that moment. */
  readonly pods: () => PodDirectory;
  /** Ends the loop. */
  readonly signal: AbortSignal;
  /** Resolves after so many milliseconds, or when the signal aborts; it never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A look succeeded, and took so many seconds. */
  readonly onReport: (report: ScanReport, seconds: number) => void;
  /** A look failed; the next one is made all the same. */
  readonly onFailure: (error: unknown, seconds: number) => void;
}

/**
 * The shortest time from one look to the next that tells zombies that stay from children that were not waited for yet.
 */
export const secondLookMs = 200;

/**
 * Looks again and again until the signal aborts. The second look follows the first at once, since the first one alone
 * tells nothing.
 */
export async function runLoop(options: LoopOptions): Promise<void> {
  const { intervalMs, signal, sleep } = options;
  let isFirst = true;
  while (!signal.aborted) {
    const startedAt = process.uptime();
    const succeeded = look(options, startedAt, isFirst);
    const pause = isFirst && succeeded ? Math.min(secondLookMs, intervalMs) : intervalMs;
    isFirst &&= !succeeded;
    await sleep(Math.max(0, pause - (process.uptime() - startedAt) * 1000), signal);
  }
}

/** Answers whether the look succeeded. What the first one finds is not told. */
function look(
  { scanner, pods, onReport, onFailure }: LoopOptions,
  startedAt: number,
  isFirst: boolean,
): boolean {
  const seconds = () => process.uptime() - startedAt;
  let report: ScanReport;
  try {
    report = scanner.look(pods());
  } catch (error) {
    onFailure(error, seconds());
    return false;
  }
  if (!isFirst) onReport(report, seconds());
  return true;
}
