import { isJsonObject, type JsonObject } from './json.ts';
import { type Controller, groupOf, type Pod, type PodOrigin, readPod } from './pod.ts';
import { pointer } from './pointer.ts';

/** An API group and a kind in it; group is `''` for the core group. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** A kind of object that is a pod or holds the template of pods. */
export interface WorkloadKind extends GroupKind {
  /** Member names that lead from the object to what holds the pod's `metadata` and `spec`; none for a Pod. */
  readonly path: readonly string[];
  /**
   * What will control the pods made from its template; null where the pod's own ownerReferences tell. Pods of a
   * PodTemplate are made by a controller that cannot be known, so the commonest one stands in for it.
   */
  readonly podsControlledBy: GroupKind | null;
}

const replicaSet: GroupKind = { group: 'apps', kind: 'ReplicaSet' };
const job: GroupKind = { group: 'batch', kind: 'Job' };

/** Every kind whose pods are judged. */
export const workloadKinds: readonly WorkloadKind[] = [
  { group: '', kind: 'Pod', path: [], podsControlledBy: null },
  { group: '', kind: 'PodTemplate', path: ['template'], podsControlledBy: replicaSet },
  { group: '', kind: 'ReplicationController', ...specTemplate({ group: '', kind: 'ReplicationController' }) },
  { group: 'apps', kind: 'Deployment', ...specTemplate(replicaSet) },
  { group: 'apps', kind: 'ReplicaSet', ...specTemplate(replicaSet) },
  { group: 'apps', kind: 'StatefulSet', ...specTemplate({ group: 'apps', kind: 'StatefulSet' }) },
  { group: 'apps', kind: 'DaemonSet', ...specTemplate({ group: 'apps', kind: 'DaemonSet' }) },
  { group: 'batch', kind: 'Job', ...specTemplate(job) },
  {
    group: 'batch',
    kind: 'CronJob',
    path: ['spec', 'jobTemplate', 'spec', 'template'],
    podsControlledBy: job,
  },
];

function specTemplate(podsControlledBy: GroupKind): Pick<WorkloadKind, 'path' | 'podsControlledBy'> {
  return { path: ['spec', 'template'], podsControlledBy };
}

const byName = new Map(workloadKinds.map((workload) => [nameOf(workload), workload]));

/** The workload kind of a group and kind, in whatever version; null where its objects hold no pods. */
export function workloadKindOf(groupKind: GroupKind): WorkloadKind | null {
  return byName.get(nameOf(groupKind)) ?? null;
}

function nameOf({ group, kind }: GroupKind): string {
  return `${kind}.${group}`;
}

/** What the caller knows of a document beyond its own fields. */
type DocumentOrigin = Pick<PodOrigin, 'trustMirrorAnnotation'>;

/**
 * Reads the pod that a document is, or the one that its template would become.
 *
 * @param document A Kubernetes object with `apiVersion` and `kind`.
 * @param origin What the caller knows of it.
 * @returns The pod, its pointers below the document's root; null where the document is of no workload kind.
 */
export function podOf(document: JsonObject, origin: DocumentOrigin = {}): Pod | null {
  const { apiVersion, kind } = document;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return null;
  const workload = workloadKindOf({ group: groupOf(apiVersion), kind });
  return workload && podOfWorkload(workload, document, origin);
}

/**
 * Reads the pod of an object whose kind is known from elsewhere, such as the request that carries it.
 *
 * @param workload The object's kind.
 * @param document The object; it needs neither `apiVersion` nor `kind`.
 * @param origin What the caller knows of it.
 */
export function podOfWorkload(workload: WorkloadKind, document: unknown, origin: DocumentOrigin = {}): Pod {
  const { path, podsControlledBy } = workload;
  if (!podsControlledBy) return readPod(document, origin);
  const raw = path.reduce<unknown>(
    (value, member) => (isJsonObject(value) ? value[member] : undefined),
    document,
  );
  const controller: Controller = { ...podsControlledBy, name: metadataName(document) };
  return readPod(raw, { base: pointer('', ...path), controller });
}

function metadataName(document: unknown): string {
  const metadata = isJsonObject(document) ? document.metadata : null;
  const name = isJsonObject(metadata) ? metadata.name : null;
  return typeof name === 'string' ? name : '';
}
