import { reasons } from '../reasons.ts';
import type { Remedy } from '../remedies/remedy.ts';
import type { Finding } from '../rules/rule.ts';
import { unjudgeableAnnotation } from './audit-annotations.ts';
import type { DenialOutcome, Outcome } from './metrics.ts';
import type { Answer } from './review.ts';
import { formatWarnings } from './warnings.ts';

/** What was decided on a request: what is answered, and what is counted and logged of it. */
export interface Decision extends Answer {
  readonly outcome: Outcome;
  /** The remedy, where it was part of the decision. */
  readonly remedy: Remedy | null;
  /** The findings that matter to the policy, of every severity. */
  readonly findings: readonly Finding[];
  readonly denials: readonly Denial[];
  /** Whether the policy lets nothing be changed or refused. */
  readonly dryRun: boolean;
}

/** A finding of severity error under `deny`, and what became of it. */
export interface Denial {
  readonly finding: Finding;
  readonly outcome: DenialOutcome;
}

const nothing: Decision = {
  outcome: 'unchanged',
  refusal: null,
  warnings: [],
  auditAnnotations: {},
  patch: [],
  remedy: null,
  findings: [],
  denials: [],
  dryRun: false,
};

/** The decision on an object that is not judged: it is admitted, and nothing is said. */
export const ignored: Decision = { ...nothing, outcome: 'ignored' };

/**
 * Completes a decision: what is left out is nothing, and the outcome follows from what is there.
 *
 * @param parts What was decided.
 */
export function decide(parts: Partial<Omit<Decision, 'outcome'>>): Decision {
  const decision = { ...nothing, ...parts };
  const { refusal, patch, warnings } = decision;
  const outcome =
    refusal !== null ? 'denied' : patch.length > 0 ? 'patched' : warnings.length > 0 ? 'warned' : 'unchanged';
  return { ...decision, outcome };
}

/**
 * The decision on an object that cannot be judged: it is admitted as it came, and its author hears so.
 *
 * @param detail What could not be read; null where the fault is ours and the log alone tells more.
 */
export function unjudgeable(detail: string | null): Decision {
  const { sentence } = reasons.unjudgeable;
  const texts: [string] = detail === null ? [sentence] : [`${detail}; the object was admitted unjudged`];
  return {
    ...nothing,
    outcome: 'unjudgeable',
    warnings: formatWarnings([{ code: 'unjudgeable', container: null, texts }]),
    auditAnnotations: unjudgeableAnnotation(),
  };
}
