import { setTimeout as delay } from 'node:timers/promises';
import { scanJsonLine } from '../../scanner/formats/json.ts';
import { createScanMetrics, type ScanMetrics } from '../../scanner/formats/metrics.ts';
import { npdResult } from '../../scanner/formats/npd.ts';
import { changeLine, scanSummary } from '../../scanner/formats/summary.ts';
import { runLoop } from '../../scanner/loop.ts';
import type { ScanReport } from '../../scanner/report.ts';
import { createScanner } from '../../scanner/scanner.ts';
import { terminalOf } from '../../terminal.ts';
import { version } from '../../version.ts';
import type { ScanOptions } from '../scan.ts';
import { complain } from './complain.ts';
import { followPods } from './follow-pods.ts';
import { garbageCollector } from './garbage.ts';
import { openNode } from './node.ts';
import { writeNpdFile } from './npd-file.ts';
import { serveScans } from './serve.ts';

/** Looks that may fail in a row before the scanner says that it is not well. */
const patience = 3;

/**
 * Looks again and again until SIGINT or SIGTERM; prints what changes, and a summary at SIGINT.
 *
 * @throws {InputError} if there is no proc root, or the port cannot be used.
 */
export async function watchNode(options: ScanOptions & { readonly interval: number }): Promise<void> {
  const { interval } = options;
  const { proc, limits, node } = openNode(options);
  const metrics = createScanMetrics({ version, maxSeries: options.maxSeries });
  const ending = listenForEnd();
  const history = new History();
  const server = await serveScans(options, {
    metrics,
    last: () => history.last,
    isWell: () => history.secondsSinceSuccess() < patience * interval + 1,
  });
  const pods = await followPods(options, node, metrics);
  const collectGarbage = garbageCollector();
  await runLoop({
    scanner: createScanner({ proc, limits, node }),
    intervalMs: interval * 1000,
    pods: pods.known,
    signal: ending.signal,
    sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
    onReport: (report, seconds) => {
      const line = lineOf(options, report, history.last);
      history.add(report);
      metrics.passed(report, seconds);
      if (line !== null) process.stdout.write(`${line.trimEnd()}\n`);
      pods.seen(report);
      publishNpd(options, report);
      collectGarbage();
    },
    onFailure: (error, seconds) => fail(error, seconds, { options, metrics }),
  });
  if (ending.by() === 'SIGINT' && options.output === 'table') process.stdout.write(history.summary());
  await Promise.all([server?.close(0), pods.stop()]);
}

/** What this watch has seen. */
class History {
  first: ScanReport | null = null;
  last: ScanReport | null = null;
  #looks = 0;
  readonly #startedAt = process.uptime();
  #lastAt = process.uptime();

  add(report: ScanReport): void {
    this.first ??= report;
    this.last = report;
    this.#looks += 1;
    this.#lastAt = process.uptime();
  }

  /** From the start, where no look has succeeded yet. */
  secondsSinceSuccess(): number {
    return process.uptime() - this.#lastAt;
  }

  summary(): string {
    if (this.first === null || this.last === null) return 'No look has succeeded.\n';
    const seconds = process.uptime() - this.#startedAt;
    return `\n${scanSummary(this.first, this.last, this.#looks, seconds, terminalOf(process.stdout))}`;
  }
}

/** Null where there is nothing new to say. */
function lineOf(options: ScanOptions, report: ScanReport, before: ScanReport | null): string | null {
  switch (options.output) {
    case 'json':
      return scanJsonLine(report);
    case 'npd':
      return npdResult(report, options).message;
    case 'table':
      return changeLine(before, report);
  }
}

function fail(
  error: unknown,
  seconds: number,
  { options, metrics }: { options: ScanOptions; metrics: ScanMetrics },
): void {
  const reason = error instanceof Error ? error : new Error(String(error));
  complain(`this look failed, the next one follows: ${reason.message}`);
  metrics.failed(seconds);
  publishNpd(options, reason);
}

function publishNpd(options: ScanOptions, look: ScanReport | Error): void {
  if (options.npdFile === undefined) return;
  try {
    writeNpdFile(options.npdFile, npdResult(look, options));
  } catch (error) {
    complain(`${options.npdFile} cannot be written: ${error instanceof Error ? error.message : error}`);
  }
}

function listenForEnd(): { readonly signal: AbortSignal; by(): NodeJS.Signals | null } {
  const ending = new AbortController();
  let by: NodeJS.Signals | null = null;
  const end = (signal: NodeJS.Signals) => {
    by ??= signal;
    ending.abort();
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  return { signal: ending.signal, by: () => by };
}
