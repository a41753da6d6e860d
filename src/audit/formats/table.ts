import type { Severity } from '../../config/config.ts';
import { problemText } from '../../manifest/source.ts';
import { type Cell, columnsOf, escapeText, type Style, type Terminal, table, wrap } from '../../terminal.ts';
import type { AuditedFinding, AuditedObject, AuditReport } from '../report.ts';
import { counted, missingText, objectName, remedyText, summaryLine } from './wording.ts';

const styles: Readonly<Record<Severity, Style>> = {
  error: ['bold', 'red'],
  warning: 'yellow',
  info: 'dim',
};

/**
 * What an audit found, for people: each object with findings or a remedy, the number of the others, what could not be
 * read, and a summary at the end, where a terminal stops.
 */
export function auditTable(report: AuditReport, terminal: Terminal): string {
  const shown = report.objects.filter(isWorthShowing);
  const quiet = report.objects.length - shown.length;
  const sections = [
    ...shown.map((object) => objectText(object, terminal)),
    ...(quiet > 0 ? [quietText(quiet, shown.length, terminal)] : []),
    ...(isNobodyIn(report) ? [paragraph(nobodyIsIn, terminal, 'dim')] : []),
    ...(report.problems.length > 0
      ? [
          table(
            report.problems.map((problem) => [
              { text: 'unread', style: ['bold', 'red'] as const },
              escapeText(problemText(problem)),
            ]),
            terminal,
          ),
        ]
      : []),
    paragraph(summaryLine(report), terminal, summaryStyle(report)),
  ];
  return sections.join('\n');
}

const nobodyIsIn =
  'nothing here has opted in, so nothing would be changed: --assume inject=auto says what would';

function isNobodyIn({ objects }: AuditReport): boolean {
  return objects.length > 0 && objects.every(({ remedy }) => remedy.reason === 'not-opted-in');
}

function isWorthShowing({ findings, remedy, notes, notInjected }: AuditedObject): boolean {
  return (
    findings.some(({ accepted }) => !accepted) ||
    remedy.kind !== null ||
    notes.length > 0 ||
    notInjected !== undefined
  );
}

function objectText(object: AuditedObject, terminal: Terminal): string {
  const rows = [
    ...(object.policy.strategy === null && object.remedy.kind === null
      ? []
      : [[{ text: 'remedy', style: 'cyan' } satisfies Cell, decisionText(object)]]),
    ...(object.notInjected
      ? [[{ text: 'missing', style: 'yellow' } satisfies Cell, escapeText(missingText(object.notInjected))]]
      : []),
    ...object.notes.map((note): Cell[] => [
      { text: 'note', style: 'cyan' },
      escapeText(`${note.container === null ? '' : `${note.container}: `}${note.message}`),
    ]),
    ...object.findings.filter(({ accepted }) => !accepted).flatMap((finding) => findingRows(finding)),
  ];
  return (
    headText(object, terminal) + indented(table(rows, { ...terminal, width: terminal.width - indent.length }))
  );
}

/** An object's name and place, beside one another where both fit. */
function headText(object: AuditedObject, { paint, width }: Terminal): string {
  const name = objectName(object);
  const place =
    object.file === undefined ? ownerText(object) : escapeText(`${object.file}:${object.line ?? 1}`);
  if (place === '') return `${paint('bold', name)}\n`;
  const gap = columnsOf(name) + indent.length + columnsOf(place) > width ? `\n${indent}` : indent;
  return `${paint('bold', name)}${gap}${paint('dim', place)}\n`;
}

function ownerText({ owner, pods }: AuditedObject): string {
  if (owner === undefined) return '';
  return `${escapeText(owner)}${pods !== undefined && pods > 1 ? `, ${counted(pods, 'object')} like this` : ''}`;
}

/** What is done, and where that is nothing, why in words. */
function decisionText(object: AuditedObject): string {
  const { kind, message } = object.remedy;
  return kind === null ? `${remedyText(object)}: ${message}` : remedyText(object);
}

function findingRows(finding: AuditedFinding): readonly (readonly Cell[])[] {
  const { severity, rule, container, probe, message, fix, line } = finding;
  const place = line === undefined ? '' : `line ${line}, `;
  return [
    [
      { text: severity === 'info' ? 'note' : severity, style: styles[severity] },
      escapeText(`${rule}: ${place}${probe} of ${container}: ${message}`),
    ],
    ['', { text: escapeText(`→ ${fix}`), style: 'dim' }],
  ];
}

function quietText(quiet: number, shown: number, terminal: Terminal): string {
  const text = `${counted(quiet, shown > 0 ? 'other object' : 'object')} without findings or change`;
  return `${terminal.paint('dim', text)}\n`;
}

function summaryStyle({ summary, problems }: AuditReport): Style {
  if (summary.findings.error > 0 || problems.length > 0) return ['bold', 'red'];
  return summary.findings.warning > 0 ? ['bold', 'yellow'] : ['bold', 'green'];
}

function paragraph(text: string, { width, paint }: Terminal, style: Style): string {
  return wrap(text, width)
    .map((line) => `${paint(style, line)}\n`)
    .join('');
}

const indent = '  ';

function indented(lines: string): string {
  return lines.replace(/^(?=.)/gm, indent);
}
