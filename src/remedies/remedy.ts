import type { Note } from '../policy/note.ts';
import type { Strategy } from '../policy/policy.ts';
import type { Reason } from '../reasons.ts';

/** One operation of a JSON Patch (RFC 6902), of the kinds that this program writes. */
export type Operation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move'; readonly from: string; readonly path: string };

/** The change that prevents zombies. */
export type RemedyKind = 'share-pid' | 'tini';

/** What is done to one container, and why. */
export interface ContainerDecision {
  readonly name: string;
  readonly action: RemedyKind | 'none';
  readonly reason: Reason;
}

/** What is done to a pod, and why. */
export interface Remedy {
  /** The strategy that the labels chose; null where nothing may be injected. */
  readonly strategy: Strategy | null;
  readonly kind: RemedyKind | null;
  /** The pod's reason, or the one that all containers agree on, else `per-container`. */
  readonly reason: Reason;
  /** App containers and native sidecars; empty where the pod was skipped as a whole. */
  readonly containers: readonly ContainerDecision[];
  /** What the author should hear although the decision stands. */
  readonly notes: readonly Note[];
}

/** The reason that all containers agree on, else that they differ. */
export function agreedReason(decisions: readonly ContainerDecision[]): Reason {
  const first = decisions[0]?.reason ?? 'unjudgeable';
  return decisions.every(({ reason }) => reason === first) ? first : 'per-container';
}
