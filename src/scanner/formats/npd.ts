import { escapeText } from '../../terminal.ts';
import type { LimitUse, ScanReport } from '../report.ts';
import { counted, exhaustion, kindOf, limitOf, nodePids, placeOf, share } from './wording.ts';

/**
 * What a custom plugin tells node-problem-detector: exit status 0 for OK, 1 for a problem, 2 for unknown, and one line.
 * https://github.com/kubernetes/node-problem-detector/blob/master/docs/custom_plugin_monitor.md
 */
export interface NpdResult {
  readonly status: 0 | 1 | 2;
  /** Printable ASCII, at most 80 characters: the plugin monitor's `max_output_length` unless configured otherwise. */
  readonly message: string;
}

const maxMessage = 80;
const soonSeconds = 24 * 3_600;
const nearlyFull = 0.9;

/**
 * Judges a look at a node as node-problem-detector does: zombies from a number on, a limit on processes that will be
 * used up within a day, or one that is used to nine tenths, is a problem.
 *
 * @param look The report, or the error in its place.
 * @param options `problemFrom`: zombies from which on there is a problem.
 */
export function npdResult(
  look: ScanReport | Error,
  { problemFrom }: { readonly problemFrom: number },
): NpdResult {
  if (look instanceof Error) return result(2, `Unknown: ${look.message}`);
  const count = counted(look.zombies, 'zombie');
  const end = look.pids.secondsToExhaustion;
  if (end !== null && end < soonSeconds) return result(1, `${count}; PIDs exhausted ${exhaustion(look)}`);
  const full = look.limits.find(isNearlyFull);
  if (full) return result(1, `${count}; ${share(full.used, full.limit)} used of ${limitOf(full)}`);
  const { used, limit } = nodePids(look);
  if (used !== null && limit !== null && used >= nearlyFull * limit) {
    return result(1, `${count}; ${share(used, limit)} of ${limit} PIDs used`);
  }
  if (look.zombies >= problemFrom) return result(1, `${count}${worstOf(look)}`);
  const { unreadable } = look.pids;
  if (sawTooLittle(look))
    return result(2, `Unknown: ${unreadable} processes or threads could not be looked at`);
  const caveat = unreadable > 0 ? `, but ${unreadable} processes or threads could not be looked at` : '';
  return result(
    0,
    look.zombies === 0 ? `No zombies${caveat}` : `${count}, fewer than ${problemFrom}${caveat}`,
  );
}

/**
 * The file that a plugin without a program of its own reads: the time, the exit status and the message, a line each.
 *
 * @param unixSeconds When the result was found.
 */
export function npdFile({ status, message }: NpdResult, unixSeconds: number): string {
  return `${Math.floor(unixSeconds)}\n${status}\n${message}\n`;
}

/** A container whose memory is full of file cache is none: only its growth says that zombies fill it. */
function isNearlyFull({ scope, used, limit }: LimitUse): boolean {
  return scope !== 'memory' && used >= nearlyFull * limit;
}

function worstOf({ groups: [worst] }: ScanReport): string {
  if (worst === undefined) return '';
  const parent = worst.parent === null ? 'unknown parent' : `PID ${worst.parent.pid} ${worst.parent.comm}`;
  return `; ${worst.count} ${kindOf(worst)} of ${placeOf(worst) ?? parent}`;
}

/** No zombies says nothing where most processes are hidden, although a scanner always sees its own threads. */
function sawTooLittle(report: ScanReport): boolean {
  const { used } = nodePids(report);
  const { unreadable } = report.pids;
  return report.zombies === 0 && unreadable > 0 && (used === null || unreadable > used / 2);
}

function result(status: NpdResult['status'], text: string): NpdResult {
  const ascii = escapeText(text.replaceAll(' · ', ' '))
    .replace(/[^\x20-\x7e]/gu, '?')
    .trim();
  return { status, message: ascii.length > maxMessage ? `${ascii.slice(0, maxMessage - 3)}...` : ascii };
}
