import { type Config, isExempt } from '../config/config.ts';
import { type FindingsOn, judge, type Verdict } from '../judge.ts';
import { isJsonObject, type JsonObject } from '../pod/json.ts';
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

/** A pod or workload, and what is to be said of it. */
export interface JudgedObject {
  readonly value: JsonObject;
  readonly namespace: string;
  readonly name: string;
  readonly pod: Pod;
  readonly policy: Policy;
  readonly verdict: Verdict;
}

/**
 * Judges an object of a manifest.
 *
 * @param value A Kubernetes object.
 * @param context What it is judged by.
 * @returns What the engine says of its pods; null where it holds none.
 */
export function judgeObject(value: JsonObject, context: AuditContext): JudgedObject | null {
  const pod = podOf(value);
  if (!pod) return null;
  const metadata = isJsonObject(value.metadata) ? value.metadata : {};
  const namespace = stringOr(metadata.namespace, context.defaultNamespace);
  const name = stringOr(metadata.name, stringOr(metadata.generateName, ''));
  const namespaceLabels = new Map([...context.assumed, ...(context.labelsOf(namespace) ?? [])]);
  const policy = policyOf(pod, { namespace, namespaceLabels, config: context.config });
  const verdict = judge(pod, policy, undefined, findingsOn(pod, policy, namespace, context));
  return { value, namespace, name, pod, policy, verdict };
}

function findingsOn(pod: Pod, policy: Policy, namespace: string, context: AuditContext): FindingsOn {
  if (policy.probes === 'ignore' || isExempt(namespace, context.config)) return 'nothing';
  const isRunning = context.podsRun && pod.base === '';
  return policy.dryRun || isRunning ? 'pod-as-it-is' : 'pod-as-remedied';
}

function stringOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}
