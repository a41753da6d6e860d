import { escapeText } from '../../terminal.ts';
import type { AuditedObject, AuditReport, AuditSummary, NotInjected } from '../report.ts';

const grouped = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** `1 error`, `2,000 errors`. */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${grouped.format(count)} ${count === 1 ? one : more}`;
}

/** `StatefulSet shop/rabbitmq`, safe to show. */
export function objectName({ kind, namespace, name }: AuditedObject): string {
  return escapeText(`${kind} ${namespace}/${name === '' ? '(no name)' : name}`);
}

/** What is done to the pods of an object, in a few words. */
export function remedyText({ remedy, policy }: AuditedObject): string {
  const { kind, reason } = remedy;
  const done = kind === null ? 'nothing' : kind === 'share-pid' ? 'share the PID namespace' : 'inject tini';
  return `${policy.dryRun && kind !== null ? 'would ' : ''}${done} (${reason})`;
}

/** `3 pods run without it: the likely cause`. */
export function missingText({ pods, likelyCause }: NotInjected): string {
  return `${counted(pods, 'pod')} ${pods === 1 ? 'runs' : 'run'} without it: ${likelyCause}`;
}

/** One line that says how it stands. */
export function summaryLine({ summary, problems }: AuditReport): string {
  const parts = [
    `${counted(summary.objects, 'object')}: ${findingsText(summary)}`,
    ...remediesText(summary),
    ...(summary.accepted > 0 ? [`${counted(summary.accepted, 'finding')} accepted by the baseline`] : []),
    ...(problems.length > 0 ? [`${counted(problems.length, 'problem')} with the input`] : []),
  ];
  return parts.join('; ');
}

function findingsText({ findings: { error, warning, info } }: AuditSummary): string {
  if (error + warning + info === 0) return 'no findings';
  const counts = [
    [error, 'error'],
    [warning, 'warning'],
    [info, 'note'],
  ] as const;
  return counts
    .filter(([count]) => count > 0)
    .map(([count, word]) => counted(count, word))
    .join(', ');
}

function remediesText({ remedies }: AuditSummary): readonly string[] {
  const sharing = remedies['share-pid'];
  return [
    ...(remedies.tini > 0 ? [`${grouped.format(remedies.tini)} would get tini`] : []),
    ...(sharing > 0
      ? [`${grouped.format(sharing)} would share ${sharing === 1 ? 'its' : 'their'} PID namespace`]
      : []),
  ];
}
