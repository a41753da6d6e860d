import type { Pid1 } from './pid1.ts';
import { type Container, longRunning, type Pod } from './pod/pod.ts';
import type { Note } from './policy/note.ts';
import type { Policy } from './policy/policy.ts';
import { isArgvKnown } from './remedies/argv.ts';
import { carryOut } from './remedies/carry-out.ts';
import { chooseRemedy, reasonFor } from './remedies/choose.ts';
import { factsOf, imageArgvOf, mayDependOnImageUser } from './remedies/facts.ts';
import type { ImageAnswer } from './remedies/image-answer.ts';
import { findInjection } from './remedies/injection.ts';
import { pid1With } from './remedies/pid1-with.ts';
import { reasonToSkip } from './remedies/pod-reason.ts';
import type { Operation, Remedy } from './remedies/remedy.ts';
import { findingsOf, ruleIds } from './rules/index.ts';
import type { Finding } from './rules/rule.ts';

/** An image whose ENTRYPOINT and CMD, or USER, matter to the verdict. */
export interface Question {
  readonly container: string;
  readonly image: string;
}

/** What was found out of images, by container name, for the questions that could be answered. */
export type Answers = ReadonlyMap<string, ImageAnswer>;

/** Which state of the pod its findings are about; `nothing` where nobody will read them. */
export type FindingsOn = 'pod-as-remedied' | 'pod-as-it-is' | 'nothing';

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
 * Says which images the verdict depends on: none where the pod is skipped anyway, or where command, annotation or
 * configuration already tell what it starts. Where a command tells, the image may still decide whether it starts as root.
 *
 * @param pod The pod, read.
 * @param policy What holds for it.
 */
export function questions(pod: Pod, policy: Policy): readonly Question[] {
  if (reasonToSkip(pod, policy)) return [];
  const running = longRunning(pod);
  // Where the namespace may come to be shared, the one-shot init containers run in it too.
  const maySharePid = policy.strategy === 'share-pid' || (policy.strategy === 'auto' && running.length === 1);
  return (maySharePid ? pod.containers : running).flatMap((container) => {
    const { image } = container.fields;
    if (!image || policy.skipContainers.has(container.name)) return [];
    const known = imageArgvOf(container, policy, undefined);
    const asks = !isArgvKnown(container, known) || (!known && isUserWanted(container, pod, policy));
    return asks ? [{ container: container.name, image }] : [];
  });
}

/** Whether tini is left out of a container only because its image might make it start as somebody, or as root. */
function isUserWanted(container: Container, pod: Pod, policy: Policy): boolean {
  if (policy.strategy === 'share-pid' || container.role === 'init') return false;
  if (!mayDependOnImageUser(container, pod)) return false;
  const facts = factsOf(container, pod, policy, undefined, findInjection(pod));
  return facts.imageUserDecides && reasonFor(facts, { shells: false }) === 'uid-change';
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
  pod: Pod,
  policy: Policy,
  answers: Answers = new Map(),
  findingsOn: FindingsOn = 'pod-as-remedied',
): Verdict {
  const injection = findInjection(pod);
  const skipped = reasonToSkip(pod, policy);
  const needsFacts = skipped === null || findingsOn !== 'nothing';
  const facts = (needsFacts ? pod.containers : []).map((container) =>
    factsOf(container, pod, policy, answers.get(container.name), injection),
  );
  const chosen = chooseRemedy(pod, policy, skipped, facts);
  const { remedy, operations } = carryOut(pod, policy, chosen, facts, injection);
  const pid1 = pid1With(findingsOn === 'pod-as-it-is' ? null : remedy, pod, facts);
  return {
    remedy: withUnknownRules(remedy, policy),
    pid1: longRunning(pod).map((container) => ({ container: container.name, pid1: pid1(container) })),
    findings: findingsOn === 'nothing' ? [] : findingsOf(pod, policy, pid1),
    patch: operations.map((operation) => below(pod.base, operation)),
  };
}

/** Adds a note for each ignored rule that does not exist, so that a typo does not silence nothing unheard. */
function withUnknownRules(remedy: Remedy, policy: Policy): Remedy {
  const unknown = [...policy.ignoredRules.keys()].filter((rule) => !ruleIds.includes(rule));
  if (unknown.length === 0 || (policy.strategy === null && policy.probes === null)) return remedy;
  const notes = unknown.map(
    (rule): Note => ({
      reason: 'malformed-annotation',
      container: null,
      detail: `gravekeeper.dev/ignore: ${JSON.stringify(rule)} is no rule`,
    }),
  );
  return { ...remedy, notes: [...remedy.notes, ...notes] };
}

/** Moves an operation from the pod's own object to the document that holds it. */
function below(base: string, operation: Operation): Operation {
  if (base === '') return operation;
  const path = base + operation.path;
  return operation.op === 'move'
    ? { ...operation, path, from: base + operation.from }
    : { ...operation, path };
}
