import { containerReasons } from './reasons/container.ts';
import type { ReasonEntry } from './reasons/entry.ts';
import { outcomeReasons } from './reasons/outcome.ts';
import { podReasons } from './reasons/pod.ts';

/**
 * Every reason code, with all that is said of it: in warnings, audit annotations, logs, metrics, reports, by `explain`
 * and on docs/reasons.md, which is made of it. A code is an API, and is never renamed.
 */
const entries = { ...podReasons, ...containerReasons, ...outcomeReasons } as const;

/** A stable kebab-case code that explains a decision. */
export type Reason = keyof typeof entries;

/** Every reason code with its entry, in the order in which the documentation lists them. */
export const reasons: Readonly<Record<Reason, ReasonEntry>> = entries;

/** All codes, in the order of the documentation. */
export const reasonCodes = Object.keys(entries) as readonly Reason[];

/** The page and heading of the documentation that explains a reason, relative to the repository's root. */
export function pageOf(reason: Reason): string {
  return `docs/reasons.md#${reason}`;
}
