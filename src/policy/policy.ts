import type { Config, ImageArgv } from '../config/config.ts';
import type { Reason } from '../reasons.ts';

/** How a remedy is chosen. */
export type Strategy = 'auto' | 'share-pid' | 'tini';

/** Something that the author of an object should hear although the decision stands. */
export interface Note {
  readonly reason: Reason;
  /** The container that it is about, null for the whole object. */
  readonly container: string | null;
  /** What exactly, where the reason's sentence does not say it: a label's value, a JSON Pointer. */
  readonly detail: string | null;
}

/** What holds for one pod: labels of its namespace and its own, annotations and configuration taken together. */
export interface Policy {
  /** The strategy, or null where nothing may be injected; then `skipped` says why. */
  readonly strategy: Strategy | null;
  /** Why nothing may be injected. */
  readonly skipped: Extract<
    Reason,
    'not-opted-in' | 'opted-out' | 'exempt-namespace' | 'pod-opt-in-forbidden'
  > | null;
  /** What happens to findings; null where the namespace has not opted in to probe checks. */
  readonly probes: 'warn' | 'deny' | 'ignore' | null;
  readonly dryRun: boolean;
  /** Containers that the pod's annotation spares. */
  readonly skipContainers: ReadonlySet<string>;
  /** ENTRYPOINT and CMD by container name, from the pod's annotation. */
  readonly argv: ReadonlyMap<string, ImageArgv>;
  /** Rules that the pod's annotation switches off, with the author's grounds. */
  readonly ignoredRules: ReadonlyMap<string, string>;
  /** Invalid labels and malformed annotations. */
  readonly notes: readonly Note[];
  readonly config: Config;
}
