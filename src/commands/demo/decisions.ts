import { randomUUID } from 'node:crypto';
import fjp, { type Operation } from 'fast-json-patch';
import { isJsonObject, type JsonObject } from '../../pod/json.ts';
import { podOf } from '../../pod/templates.ts';
import { type Reason, reasons } from '../../reasons.ts';
import type { Answer, Client } from './review.ts';

/** A workload of the demo, as its manifest has it. */
export interface Workload {
  /** What it stands for, from the file's name: `zombie-maker`. */
  readonly title: string;
  readonly kind: string;
  readonly object: JsonObject;
}

/** What the webhook decided on a pod of a workload, and what its author is told. */
export interface WorkloadDecision {
  readonly workload: string;
  readonly kind: string;
  /** The namespace's label gravekeeper.dev/inject. */
  readonly inject: string;
  readonly decision: 'tini' | 'share-pid' | 'none';
  readonly reason: Reason;
  readonly why: string;
  /** The warnings that kubectl would print for the manifest. */
  readonly warnings: readonly string[];
  /** The pod before and after. */
  readonly before: JsonObject;
  readonly after: JsonObject;
  readonly operations: number;
}

/**
 * Sends a workload through the webhook as the API server does: the manifest to /validate, and the pod that its
 * controller makes of it, or the pod that it is, to /mutate.
 *
 * @param client The connection.
 * @param workload The workload.
 * @param namespace A namespace that the webhook knows, and the value of its label gravekeeper.dev/inject.
 */
export async function decideOn(
  client: Client,
  workload: Workload,
  namespace: { readonly name: string; readonly inject: string },
): Promise<WorkloadDecision> {
  const before = podMadeOf(workload.object);
  const ask = (webhook: 'mutate' | 'validate', object: JsonObject) =>
    client.ask({ webhook, operation: 'CREATE', namespace: namespace.name, object });
  const mutated = await ask('mutate', before);
  const after = patched(before, mutated);
  const isPod = workload.kind === 'Pod';
  const validated = await ask('validate', isPod ? after : workload.object);
  const { kind, reason } = remedyIn(mutated);
  return {
    workload: workload.title,
    kind: workload.kind,
    inject: namespace.inject,
    decision: kind,
    reason,
    why: reasons[reason].sentence,
    warnings: [...new Set([...(isPod ? mutated.warnings : []), ...validated.warnings])],
    before,
    after,
    operations: mutated.patch.length,
  };
}

/** The pod that a controller would make of a workload; a Pod is its own. */
function podMadeOf(object: JsonObject): JsonObject {
  const pod = podOf(object);
  if (!pod) throw new Error(`${String(object.kind)} is no workload`);
  if (!pod.controller || pod.base === '') return object;
  const metadata = isJsonObject(pod.raw.metadata) ? pod.raw.metadata : {};
  const { group, kind, name } = pod.controller;
  const owner = {
    apiVersion: group ? `${group}/v1` : 'v1',
    kind,
    name,
    uid: randomUUID(),
    controller: true,
    blockOwnerDeletion: true,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, generateName: `${name}-`, ownerReferences: [owner] },
    spec: pod.raw.spec,
  };
}

function patched(pod: JsonObject, { patch }: Answer): JsonObject {
  const copy = structuredClone(pod);
  fjp.applyPatch(copy, patch as unknown as Operation[], true);
  return copy;
}

/** Remedy and reason of the pod, which the webhook writes into the key of an audit annotation. */
function remedyIn({ auditAnnotations }: Answer): { kind: 'tini' | 'share-pid' | 'none'; reason: Reason } {
  for (const key of Object.keys(auditAnnotations)) {
    const [what, kind, reason, container] = key.split('.');
    if (what !== 'remedy' || container !== undefined) continue;
    if (isReason(reason) && (kind === 'tini' || kind === 'share-pid' || kind === 'none'))
      return { kind, reason };
  }
  throw new Error('the webhook answered without saying what it decided');
}

function isReason(code: string | undefined): code is Reason {
  return code !== undefined && Object.hasOwn(reasons, code);
}
