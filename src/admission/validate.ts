import { isDeepStrictEqual } from 'node:util';
import { type FindingsOn, judge } from '../judge.ts';
import { isJsonObject, type JsonObject } from '../pod/json.ts';
import type { Pod } from '../pod/pod.ts';
import { podOfWorkload, type WorkloadKind, workloadKindOf } from '../pod/templates.ts';
import type { Policy } from '../policy/policy.ts';
import type { Finding } from '../rules/rule.ts';
import { auditAnnotations } from './audit-annotations.ts';
import { type Decision, type Denial, decide, ignored, unjudgeable } from './decision.ts';
import { decideDenials, refusalMessage } from './deny.ts';
import { type Judged, type JudgingTools, judgePod } from './judging.ts';
import type { Entry } from './namespace-labels.ts';
import { type AdmissionRequest, maySpeakForNodes, namespaceProblem } from './review.ts';
import { validateNamespace } from './validate-namespace.ts';
import { findingWarnings, noteWarnings, remedyWarnings, wouldRefuse } from './verdict-warnings.ts';
import { formatWarnings } from './warnings.ts';

/**
 * Decides on a call of `/validate`: what the author of a pod, a pod template or a namespace hears, and what is
 * refused. Pods are judged as they are, since mutation is over; templates as their pods will be.
 *
 * @param request The request.
 * @param entry The entry that called; null for a call without one.
 * @param tools What judging takes.
 */
export async function validate(
  request: AdmissionRequest,
  entry: Entry | null,
  tools: JudgingTools,
): Promise<Decision> {
  if (request.subResource !== '') return ignored;
  if (request.kind.kind === 'Namespace' && request.kind.group === '')
    return validateNamespace(request, tools);
  const workload = workloadKindOf(request.kind);
  if (!workload || !isJudged(workload, request.operation)) return ignored;
  const problem = namespaceProblem(request.namespace);
  if (problem) return unjudgeable(problem);
  if (!isJsonObject(request.object)) return unjudgeable('/request/object is not an object');
  return validateWorkload(workload, request.object, request, entry, tools);
}

async function validateWorkload(
  workload: WorkloadKind,
  object: JsonObject,
  request: AdmissionRequest,
  entry: Entry | null,
  tools: JudgingTools,
): Promise<Decision> {
  const pod = podOfWorkload(workload, object, { trustMirrorAnnotation: maySpeakForNodes(request) });
  const before = request.operation === 'UPDATE' ? podBefore(workload, request.oldObject) : 'none';
  if (pod.mirror) return ignored;
  if (
    before !== 'none' &&
    (isBeingDeleted(object) || isBeingDeleted(request.oldObject) || isUnchanged(pod, before))
  )
    return ignored;

  const isTemplate = workload.podsControlledBy !== null;
  const findingsOn = ({ dryRun }: Policy): FindingsOn =>
    isTemplate && !dryRun ? 'pod-as-remedied' : 'pod-as-it-is';
  const judged = await judgePod(pod, { namespace: request.namespace, entry }, findingsOn, tools);
  const { policy, answers, verdict } = judged;
  if (policy.probes === null || policy.probes === 'ignore') return decisionOn(judged, isTemplate, [], []);
  const denials =
    policy.probes === 'deny'
      ? decideDenials(verdict.findings, {
          dryRun: policy.dryRun,
          controlled: hasController(object),
          before:
            typeof before === 'string'
              ? before
              : () => judge(before, policy, answers, findingsOn(policy)).findings,
        })
      : [];
  return decisionOn(judged, isTemplate, verdict.findings, denials);
}

function decisionOn(
  { policy, verdict }: Judged,
  isTemplate: boolean,
  findings: readonly Finding[],
  denials: readonly Denial[],
): Decision {
  const { dryRun } = policy;
  const refused = withOutcome(denials, 'refused');
  const isRefused = new Set(refused);
  const wouldBeRefused = withOutcome(denials, 'dry-run');
  const remedy = isTemplate ? verdict.remedy : null;
  // A pod's author hears of labels and annotations from /mutate, which is called wherever a label asks for injection.
  const tellsNotes = isTemplate || policy.skipped === 'not-opted-in';
  return decide({
    refusal: refused.length > 0 ? refusalMessage(refused) : null,
    warnings: formatWarnings([
      ...wouldRefuse(wouldBeRefused),
      ...findingWarnings(findings.filter((finding) => !isRefused.has(finding))),
      ...(isTemplate ? remedyWarnings(verdict.remedy, dryRun) : []),
      ...(tellsNotes ? noteWarnings([...policy.notes, ...verdict.remedy.notes]) : []),
    ]),
    auditAnnotations: auditAnnotations({
      remedy,
      findings: findings.filter(({ severity }) => severity !== 'info'),
      refused: dryRun ? wouldBeRefused : refused,
      dryRun,
    }),
    remedy,
    findings,
    denials,
    dryRun,
  });
}

/** Pods cannot change what matters here after creation; templates can. */
function isJudged({ podsControlledBy }: WorkloadKind, operation: string): boolean {
  return operation === 'CREATE' || (operation === 'UPDATE' && podsControlledBy !== null);
}

/** The pod of an object before its update; `unknown` where it, or part of it, cannot be read. */
function podBefore(workload: WorkloadKind, oldObject: unknown): Pod | 'unknown' {
  const pod = podOfWorkload(workload, oldObject);
  const isReadable =
    isJsonObject(pod.raw.spec) &&
    pod.lost.length === 0 &&
    pod.containers.every(({ lost }) => lost.length === 0);
  return isReadable ? pod : 'unknown';
}

function isUnchanged(pod: Pod, before: Pod | 'unknown'): boolean {
  return before !== 'unknown' && isDeepStrictEqual(pod.raw, before.raw);
}

function isBeingDeleted(object: unknown): boolean {
  const metadata = isJsonObject(object) ? object.metadata : null;
  return isJsonObject(metadata) && Boolean(metadata.deletionTimestamp);
}

/** Whether the object itself, not the pods of its template, belongs to a controller. */
function hasController({ metadata }: JsonObject): boolean {
  const owners = isJsonObject(metadata) ? metadata.ownerReferences : null;
  return Array.isArray(owners) && owners.some((owner) => isJsonObject(owner) && owner.controller === true);
}

function withOutcome(denials: readonly Denial[], wanted: Denial['outcome']): readonly Finding[] {
  return denials.filter(({ outcome }) => outcome === wanted).map(({ finding }) => finding);
}
