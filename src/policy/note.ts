import type { Reason } from '../reasons.ts';

/** Something that the author of an object should hear although the decision stands. */
export interface Note {
  readonly reason: Reason;
  /** The container that it is about, null for the whole object. */
  readonly container: string | null;
  /** What exactly, where the reason's sentence does not say it: a label's value, a JSON Pointer. */
  readonly detail: string | null;
}
