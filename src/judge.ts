import type { ImageArgv } from './config/config.ts';
import type { Pid1 } from './pid1.ts';
import type { Pod } from './pod/pod.ts';
import type { Policy } from './policy/policy.ts';
import type { Operation, Remedy } from './remedies/remedy.ts';
import type { Finding } from './rules/rule.ts';

/** An image whose ENTRYPOINT and CMD matter to the verdict. */
export interface Question {
  readonly container: string;
  readonly image: string;
}

/** ENTRYPOINT and CMD by container name, for the questions that could be answered. */
export type Answers = ReadonlyMap<string, ImageArgv>;

/** Which state of the pod its findings are about. */
export type FindingsOn = 'pod-as-remedied' | 'pod-as-it-is';

/** What there is to say of a pod. Whether it is carried out or only reported is the caller's affair. */
export interface Verdict {
  readonly remedy: Remedy;
  /** What PID 1 of each long-running container does with orphans, in the state that the findings are about. */
  readonly pid1: readonly { readonly container: string; readonly pid1: Pid1 }[];
  readonly findings: readonly Finding[];
  /** JSON Patch against the document that holds the pod; empty where nothing is to be done. */
  readonly patch: readonly Operation[];
}

/**
 * Says which images' entrypoints the verdict depends on: none where the pod is skipped anyway.
 *
 * @param pod The pod, read.
 * @param policy What holds for it.
 */
export function questions(_pod: Pod, _policy: Policy): readonly Question[] {
  return [];
}

/**
 * Judges a pod: the remedy, the findings and the patch. Pure; it never throws, whatever JSON the pod came from.
 *
 * @param pod The pod, read.
 * @param policy What holds for it.
 * @param answers What was found out for `questions(pod, policy)`; left out, nothing.
 * @param findingsOn Whether findings are about the pod with its remedy or as it stands.
 */
export function judge(
  _pod: Pod,
  policy: Policy,
  _answers: Answers = new Map(),
  _findingsOn: FindingsOn = 'pod-as-remedied',
): Verdict {
  return {
    remedy: { strategy: policy.strategy, kind: null, reason: 'not-opted-in', containers: [], notes: [] },
    pid1: [],
    findings: [],
    patch: [],
  };
}
