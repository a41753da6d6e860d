import { type Config, isExempt } from '../config/config.ts';
import { type Answers, type FindingsOn, judge, type Question, questions, type Verdict } from '../judge.ts';
import { type JsonObject, objectAt } from '../pod/json.ts';
import type { Pod } from '../pod/pod.ts';
import { podOf } from '../pod/templates.ts';
import { type Policy, policyOf } from '../policy/policy.ts';

/** What an object is judged by, besides itself. */
export interface AuditContext {
  readonly config: Config;
  /** Labels of a namespace; null where they are not known. */
  labelsOf(namespace: string): ReadonlyMap<string, string> | null;
  /** Labels that stand for those that a namespace lacks. */
  readonly assumed: ReadonlyMap<string, string>;
  /** The namespace of objects that name none. */
  readonly defaultNamespace: string;
  /** Whether pods have been admitted already: they are judged as they are then. */
  readonly podsRun: boolean;
  /** Why a pod that runs may lack its remedy; only where pods run. */
  readonly whyNotInjected?: (judged: JudgedObject) => string;
}

/** A pod or workload. */
interface ReadObject {
  readonly value: JsonObject;
  readonly namespace: string;
  readonly name: string;
  readonly pod: Pod;
  readonly policy: Policy;
}

/** A pod or workload, what is known of its images, and what is to be said of it. */
export interface JudgedObject extends ReadObject {
  readonly answers: Answers;
  readonly verdict: Verdict;
}

/** What an object leaves to its images. */
export interface ObjectQuestions {
  readonly questions: readonly Question[];
  readonly pod: Pod;
  readonly namespace: string;
}

/** Finds out what an object leaves to its images, as far as it can be. It never rejects. */
export type AnswersOf = (value: JsonObject, context: AuditContext) => Promise<Answers>;

/** What is known of images where nobody was asked. */
export const noAnswers: Answers = new Map();

/**
 * Judges an object of a manifest.
 *
 * @param value A Kubernetes object.
 * @param context What it is judged by.
 * @param answers What was found out for `questionsOf(value, context)`.
 * @returns What the engine says of its pods; null where it holds none.
 */
export function judgeObject(
  value: JsonObject,
  context: AuditContext,
  answers: Answers = noAnswers,
): JudgedObject | null {
  const object = readObject(value, context);
  if (!object) return null;
  const { pod, policy, namespace } = object;
  return {
    ...object,
    answers,
    verdict: judge(pod, policy, answers, findingsOn(pod, policy, namespace, context)),
  };
}

/**
 * Says which images the verdict on an object depends on.
 *
 * @param value A Kubernetes object.
 * @param context What it is judged by.
 * @returns Null where it depends on none.
 */
export function questionsOf(value: JsonObject, context: AuditContext): ObjectQuestions | null {
  const object = readObject(value, context);
  if (!object) return null;
  const { pod, policy, namespace } = object;
  const asked = questions(pod, policy);
  return asked.length === 0 ? null : { questions: asked, pod, namespace };
}

function readObject(value: JsonObject, context: AuditContext): ReadObject | null {
  const pod = podOf(value);
  if (!pod) return null;
  const metadata = objectAt(value, 'metadata');
  const namespace = stringOr(metadata.namespace, context.defaultNamespace);
  const name = stringOr(metadata.name, stringOr(metadata.generateName, ''));
  const namespaceLabels = new Map([...context.assumed, ...(context.labelsOf(namespace) ?? [])]);
  const policy = policyOf(pod, { namespace, namespaceLabels, config: context.config });
  return { value, namespace, name, pod, policy };
}

function findingsOn(pod: Pod, policy: Policy, namespace: string, context: AuditContext): FindingsOn {
  if (policy.probes === 'ignore' || isExempt(namespace, context.config)) return 'nothing';
  const isRunning = context.podsRun && pod.base === '';
  return policy.dryRun || isRunning ? 'pod-as-it-is' : 'pod-as-remedied';
}

function stringOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}
