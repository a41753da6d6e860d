import { type Answers, type FindingsOn, judge, type Question, questions, type Verdict } from '../judge.ts';
import type { JsonObject } from '../pod/json.ts';
import type { Pod } from '../pod/pod.ts';
import type { Policy, PolicyContext } from '../policy/policy.ts';
import { type Entry, type LabelTools, namespaceLabels } from './namespace-labels.ts';

/** What judging asks of the rest of the program. */
export interface JudgingTools extends LabelTools {
  /** What holds for a pod, with the configuration of this moment. */
  policyOf(pod: Pod, where: Omit<PolicyContext, 'config'>): Policy;
  /** Looks up what the specification does not tell. It may reject: the pod is then judged without. */
  answer(questions: readonly Question[], about: { pod: Pod; namespace: string }): Promise<Answers>;
  /**
   * Runs a preview with what lists pods, and answers what it does. It rejects where as many are under way as may be. Left
   * out where there is nobody to ask.
   */
  previewPods?<T>(preview: (listPods: ListPods) => Promise<T>): Promise<T>;
}

/**
 * Hands over the pods of a namespace that have not ended, each when the one before is done with, and says whether there
 * are more than `most`. It may reject, having handed over some: when the signal aborts, and when `eachPod` rejects.
 */
export type ListPods = (
  namespace: string,
  eachPod: (pod: JsonObject) => Promise<void>,
  limits: { readonly most: number; readonly signal: AbortSignal },
) => Promise<{ readonly more: boolean }>;

/** A call of a webhook, as judging sees it. */
interface Call {
  /** Namespace of the object, which need not name it itself. */
  readonly namespace: string;
  /** The entry of the webhook configuration that called; null for a call without one. */
  readonly entry: Entry | null;
}

/** What came of judging a pod, and what it rests on. */
export interface Judged {
  readonly policy: Policy;
  readonly answers: Answers;
  readonly verdict: Verdict;
}

/**
 * Judges a pod under the policy of its namespace.
 *
 * @param pod The pod, or that of a template.
 * @param call The call that brought it.
 * @param findingsOn Which state its findings are about, given the policy.
 * @param tools Labels, policy and answers.
 */
export async function judgePod(
  pod: Pod,
  { namespace, entry }: Call,
  findingsOn: (policy: Policy) => FindingsOn,
  tools: JudgingTools,
): Promise<Judged> {
  const labels = await namespaceLabels(namespace, entry, tools);
  const policy = tools.policyOf(pod, { namespace, namespaceLabels: labels });
  const answers = await answersFor(pod, policy, namespace, tools);
  return { policy, answers, verdict: judge(pod, policy, answers, findingsOn(policy)) };
}

const noAnswers: Answers = new Map();

/**
 * Looks up what a pod's specification does not tell.
 *
 * @returns Nothing where that fails, which the log says.
 */
export async function answersFor(
  pod: Pod,
  policy: Policy,
  namespace: string,
  { answer, log }: JudgingTools,
): Promise<Answers> {
  const asked = questions(pod, policy);
  if (asked.length === 0) return noAnswers;
  try {
    return await answer(asked, { pod, namespace });
  } catch (error) {
    log.warn({ namespace, err: error }, 'entrypoints could not be looked up; the pod is judged without them');
    return noAnswers;
  }
}
