import { escapeText, type Terminal, wrap } from '../../terminal.ts';
import type { ScanReport, ZombieGroup } from '../report.ts';
import { scanTable } from './table.ts';
import { counted, duration, kindOf, parentOf, placeOf, rate } from './wording.ts';

/**
 * What a watch of a node has seen, for whoever ends it: how zombies changed, and the last look as a table.
 *
 * @param first The first look.
 * @param last The last look; the same as the first one after a single pass.
 * @param passes Looks taken.
 * @param seconds From the start to the end of the watch.
 */
export function scanSummary(
  first: ScanReport,
  last: ScanReport,
  passes: number,
  seconds: number,
  terminal: Terminal,
): string {
  const node = last.node === null ? 'this node' : escapeText(last.node);
  const change = last.zombies - first.zombies;
  const sentences = [
    `Watched ${node} for ${duration(seconds)} (${counted(passes, 'look')}): ` +
      `${counted(first.zombies, 'zombie')} at first, ${last.zombies} at last (${signed(change)}).`,
    growth(first, last),
  ];
  const lines = sentences
    .flatMap((sentence) => wrap(sentence, terminal.width))
    .map((line) => `${terminal.paint('bold', line)}\n`);
  return `${lines.join('')}\n${scanTable(last, terminal)}`;
}

/**
 * One line for a log when the number of zombies or of their groups changed.
 *
 * @param previous The look before; null at the first one, which always has a line.
 * @returns Null where nothing changed.
 */
export function changeLine(previous: ScanReport | null, current: ScanReport): string | null {
  const change = current.zombies - (previous?.zombies ?? 0);
  if (previous !== null && change === 0 && current.groups.length === previous.groups.length) return null;
  const [worst] = current.groups;
  const counts = `${counted(current.zombies, 'zombie')} (${signed(change)}) in ${counted(current.groups.length, 'group')}`;
  const of = worst === undefined ? '' : `; worst: ${worst.count} ${described(worst)}`;
  return `${escapeText(current.time)} ${counts}${of}`;
}

function growth(first: ScanReport, last: ScanReport): string {
  const before = new Map(first.groups.map((group) => [identity(group), group.count]));
  const [fastest] = last.groups
    .map((group) => ({ group, more: group.count - (before.get(identity(group)) ?? 0) }))
    .filter(({ more }) => more > 0)
    .toSorted((a, b) => b.more - a.more);
  if (fastest === undefined) return 'Nothing grew.';
  const { group, more } = fastest;
  const pace = group.newPerHour === null ? '' : `, ${rate(group.newPerHour)} an hour`;
  return `Grew fastest: ${described(group)}: ${signed(more)}${pace}.`;
}

function identity({ podUid, containerId, parent, kind }: ZombieGroup): string {
  return JSON.stringify([podUid, containerId, parent?.pid ?? null, kind]);
}

function described(group: ZombieGroup): string {
  const place = placeOf(group);
  return `${kindOf(group)} of ${parentOf(group.parent)}${place === null ? '' : ` in ${place}`}`;
}

function signed(change: number): string {
  return change > 0 ? `+${change}` : String(change);
}
