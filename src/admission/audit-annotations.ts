import { createHash } from 'node:crypto';
import { type Reason, reasons } from '../reasons.ts';
import type { Remedy } from '../remedies/remedy.ts';
import type { Finding } from '../rules/rule.ts';
import { harmless } from './text.ts';

/** The most characters of a key's name part; the API server puts the webhook's name and a slash before it. */
const longestKey = 63;
/** Characters of the hash that stands for what was cut off a key. */
const hashLength = 8;
/** The most containers, and the most findings, that have an annotation of their own. */
export const mostListed = 16;

/** What an audit annotation is to say of one decision. */
interface Audited {
  /** The remedy, where it was part of the decision. */
  readonly remedy: Remedy | null;
  readonly findings: readonly Finding[];
  readonly refused: readonly Finding[];
  readonly dryRun: boolean;
}

/**
 * The audit annotations of a decision. Remedy, reason and container stand in the key, so that the value is the same
 * in every round of admission: the API server refuses a second value for a key.
 *
 * @param audited What was decided.
 * @returns Values by key. Keys have no slash and at most 63 characters; there are a few dozen at most.
 */
export function auditAnnotations(audited: Audited): Readonly<Record<string, string>> {
  const annotations = new Map<string, string>();
  const { remedy, findings, refused, dryRun } = audited;
  if (remedy) {
    annotations.set(
      auditKey('remedy', remedy.kind ?? 'none', remedy.reason),
      reasons[remedy.reason].sentence,
    );
    for (const { name, action, reason } of remedy.containers.slice(0, mostListed)) {
      annotations.set(auditKey('remedy', action, reason, name), reasons[reason].sentence);
    }
    if (remedy.containers.length > mostListed) annotations.set('remedy-more', onlyFirst('containers'));
  }
  for (const { rule, probe, container, severity, message } of findings.slice(0, mostListed)) {
    annotations.set(auditKey('finding', rule, probe, container), harmless(`${severity}: ${message}`));
  }
  for (const { rule, probe, container } of refused.slice(0, mostListed)) {
    annotations.set(
      auditKey(dryRun ? 'would-refuse' : 'refused', rule, probe, container),
      `docs/rules/${rule}.md`,
    );
  }
  if (Math.max(findings.length, refused.length) > mostListed) {
    annotations.set('finding-more', onlyFirst('findings'));
  }
  if (dryRun) annotations.set('dry-run', reasons['dry-run'].sentence);
  return Object.fromEntries(annotations);
}

/** The audit annotation of an object that could not be judged. */
export function unjudgeableAnnotation(): Readonly<Record<string, string>> {
  const reason: Reason = 'unjudgeable';
  return { [auditKey('remedy', 'none', reason)]: reasons[reason].sentence };
}

/**
 * Joins the parts of a key with dots. A key that would be too long, or that a hostile name would make invalid, is
 * cut and ends in a hash of the whole instead.
 *
 * @param parts Its parts, the first of them a word of this program.
 */
export function auditKey(...parts: readonly string[]): string {
  const key = parts.filter((part) => part !== '').join('.');
  if (/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(key)) return key;
  const hash = createHash('sha256').update(key).digest('hex').slice(0, hashLength);
  const kept = key.slice(0, longestKey - hashLength - 1).replace(/[^A-Za-z0-9._-]/g, '-');
  return `${kept}-${hash}`;
}

function onlyFirst(what: string): string {
  return `Only the first ${mostListed} ${what} are listed.`;
}
