import { type Cell, columnsOf, escapeText, type Style, type Terminal, table, wrap } from '../../terminal.ts';
import { shownCommandLine } from '../cmdline.ts';
import type { FixableBy, Parent, RemedyCheck, ScanReport, ZombieGroup } from '../report.ts';
import {
  counted,
  duration,
  exhaustion,
  kindOf,
  nodePids,
  parentOf,
  placeOf,
  rate,
  share,
} from './wording.ts';

/** What one look at a node found, for people: the worst first, and what to do about it. */
export function scanTable(report: ScanReport, terminal: Terminal): string {
  const sections = [
    heading(report, terminal),
    zombies(report, terminal),
    remedies(report.remedies, terminal),
    notes(report, terminal),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

const soon = 24 * 3_600;

function heading(report: ScanReport, terminal: Terminal): string {
  const end = exhaustion(report);
  const parts = [
    `${report.node === null ? 'This node' : escapeText(report.node)}: ${zombieCount(report)}`,
    pidUse(report),
    end === null ? null : `at this pace exhausted ${end}`,
  ];
  const { secondsToExhaustion } = report.pids;
  const isUrgent = secondsToExhaustion !== null && secondsToExhaustion < soon;
  return paragraph(
    parts.filter((part) => part !== null).join('; '),
    terminal,
    isUrgent ? ['bold', 'red'] : 'bold',
  );
}

function zombieCount({ zombies: count, groups }: ScanReport): string {
  return groups.length > 1
    ? `${counted(count, 'zombie')} in ${counted(groups.length, 'group')}`
    : counted(count, 'zombie');
}

function pidUse(report: ScanReport): string {
  const { used, limit } = nodePids(report);
  if (used === null) return 'PIDs in use unknown';
  return limit === null
    ? `${used} PIDs used, limit unknown`
    : `${used} of ${limit} PIDs used (${share(used, limit)})`;
}

/** More than this nobody reads on a terminal. */
const mostGroups = 25;

function zombies({ groups: all }: ScanReport, terminal: Terminal): string {
  if (all.length === 0) return 'No zombies.\n';
  const groups = all.slice(0, mostGroups);
  const left = all.slice(mostGroups);
  const shown = columnsThatFit(groups, terminal.width);
  const header = shown.map(({ title }): Cell => ({ text: title, style: 'dim' }));
  const rows = groups.map((group) => shown.map((column) => column.cell(group)));
  const [titles = '', ...lines] = table([header, ...rows], { ...terminal, width: Number.POSITIVE_INFINITY })
    .split('\n')
    .slice(0, -1);
  const blocks = groups.map((group, index) => `${lines[index]}\n${details(group, shown, terminal)}`);
  const legend = groups.every(({ certain }) => certain)
    ? ''
    : `\n${paragraph('A ? marks what is likely, not certain.', terminal, 'dim')}`;
  const zombiesLeft = left.reduce((sum, group) => sum + group.count, 0);
  const more =
    left.length === 0
      ? ''
      : `\n… and ${counted(zombiesLeft, 'zombie')} in ${counted(left.length, 'group')} more: -o json has them all.\n`;
  return `${titles}\n${blocks.join('\n')}${more}${legend}`;
}

interface Column {
  readonly title: string;
  /** Escaped, on one line. */
  readonly text: (group: ZombieGroup) => string;
  readonly cell: (group: ZombieGroup) => Cell;
}

const none = '-';

function column(title: string, text: (group: ZombieGroup) => string, style?: Style): Column {
  return { title, text, cell: (group) => (style === undefined ? text(group) : { text: text(group), style }) };
}

const addressees: Readonly<Record<FixableBy, string>> = {
  init: 'an init',
  app: 'the app',
  runtime: 'the runtime',
};

const count = column('COUNT', (group) => String(group.count), ['bold', 'red']);
const kind = column('KIND', kindOf, 'yellow');
const age = column('AGE', ({ oldestSeconds }) => (oldestSeconds === null ? none : duration(oldestSeconds)));
const growth = column('NEW/H', ({ newPerHour }) => (newPerHour === null ? none : rate(newPerHour)));
const parent = column('PARENT', (group) => parentOf(group.parent));
const pod = column('POD', (group) => placeOf(group) ?? none, 'cyan');
const owner = column('OWNER', (group) => (group.owner === null ? none : escapeText(group.owner)));
const fixBy = column('FIX BY', (group) => addressees[group.fixableBy]);

const columns: readonly Column[] = [count, kind, age, growth, parent, pod, owner, fixBy];
const byImportance: readonly Column[] = [count, kind, age, growth, fixBy, pod, parent, owner];
const gap = 2;

/** The columns that have room side by side; the others stand below each group. */
function columnsThatFit(groups: readonly ZombieGroup[], width: number): readonly Column[] {
  let room = width + gap;
  const fitting = byImportance.filter(({ title, text }) => {
    const needed = gap + Math.max(title.length, ...groups.map((group) => columnsOf(text(group))));
    if (needed > room) return false;
    room -= needed;
    return true;
  });
  return columns.filter((candidate) => fitting.includes(candidate));
}

function details(group: ZombieGroup, shown: readonly Column[], terminal: Terminal): string {
  const moved = columns.filter((candidate) => !shown.includes(candidate) && candidate.text(group) !== none);
  const rows: readonly (readonly [label: string, value: Cell | null])[] = [
    ...moved.map(({ title, cell }) => [title.toLowerCase(), cell(group)] as const),
    ['fix', escapeText(group.advice)],
    ['tree', group.parent && treeOf(group.parent)],
    ['command', group.parent?.cmdline ? escapeText(group.parent.cmdline) : null],
    ['probe', probeOf(group)],
    ['zombies', examplesOf(group)],
  ];
  const known = rows.flatMap(([label, value]): Cell[][] =>
    value === null ? [] : [[{ text: label, style: 'dim' }, value]],
  );
  return indented(table(known, { ...terminal, width: terminal.width - gap }));
}

function treeOf({ ancestors, pid, comm, isPid1 }: Parent): string | null {
  if (ancestors.length === 0 && isPid1 !== true) return null;
  const path = [...ancestors, { pid, comm }].map((process) => `${escapeText(process.comm)}(${process.pid})`);
  return `${path.join(' › ')}${isPid1 === true ? ', PID 1 of its PID namespace' : ''}`;
}

function probeOf({ probe }: ZombieGroup): string | null {
  if (probe === null) return null;
  const { kind: probeKind, container, periodSeconds, zombiesPerRun, command } = probe;
  const words = escapeText(shownCommandLine(command));
  return (
    `in step with the ${probeKind} probe of ${escapeText(container)}, ` +
    `every ${periodSeconds} s, ${counted(zombiesPerRun, 'zombie')} per run: ${words}`
  );
}

function examplesOf({ comms, pids, count: all }: ZombieGroup): string | null {
  if (pids.length === 0) return null;
  const more = all > pids.length ? ', …' : '';
  const names = comms.length === 0 ? '' : `${comms.map(escapeText).join(', ')}; `;
  return `${names}${pids.length === 1 ? 'PID' : 'PIDs'} ${pids.join(', ')}${more}`;
}

function remedies(checks: readonly RemedyCheck[], terminal: Terminal): string {
  if (checks.length === 0) return '';
  const failing = checks.filter(({ works }) => works === false);
  const unknown = checks.filter(({ works }) => works === null).length;
  const injected = counted(checks.length, 'injected pod');
  if (failing.length === 0 && unknown === 0) return `${injected}, all clean\n`;
  const parts = [
    [failing.length, 'not working'],
    [checks.length - failing.length - unknown, 'clean'],
    [unknown, 'not known yet'],
  ] as const;
  const summary = parts.filter(([size]) => size > 0).map(([size, word]) => `${size} ${word}`);
  const items = failing.map(
    ({ namespace, pod: name, remedy, owner: by, message }) =>
      `${escapeText(`${namespace}/${name}`)} (${remedy}, ${escapeText(by)}): ${escapeText(message)}`,
  );
  return (
    paragraph(`${injected}: ${summary.join(', ')}`, terminal, failing.length > 0 ? ['bold', 'red'] : []) +
    bullets(items, terminal)
  );
}

function notes({ notes: all, zombies: seen, pids: { unreadable } }: ScanReport, terminal: Terminal): string {
  const caveat =
    unreadable > 0
      ? [
          `${counted(unreadable, 'process or thread', 'processes or threads')} could not be looked at, ` +
            `so there may be ${seen > 0 ? 'more' : 'some'}.`,
        ]
      : [];
  return bullets([...all.map(escapeText), ...caveat], terminal);
}

function bullets(items: readonly string[], terminal: Terminal): string {
  return table(
    items.map((item) => ['-', item]),
    terminal,
  );
}

function paragraph(text: string, { width, paint }: Terminal, style: Style): string {
  return wrap(text, width)
    .map((line) => `${paint(style, line)}\n`)
    .join('');
}

function indented(lines: string): string {
  return lines.replace(/^(?=.)/gm, ' '.repeat(gap));
}
