import { isJsonObject, type JsonObject } from '../pod/json.ts';
import { objectIdentity } from './identity.ts';

/**
 * Names the objects that an object is made from: its controller, and what that was made from as far as names tell.
 *
 * @param value A Kubernetes object.
 * @param namespace Its namespace, and its owners'.
 * @returns Identities as of `objectIdentity`.
 */
export function ownerIdentities(value: JsonObject, namespace: string): readonly string[] {
  const metadata = isJsonObject(value.metadata) ? value.metadata : {};
  const references: readonly unknown[] = Array.isArray(metadata.ownerReferences)
    ? metadata.ownerReferences
    : [];
  return references.filter(isJsonObject).flatMap(({ controller, apiVersion, kind, name }) => {
    if (controller !== true || typeof apiVersion !== 'string' || typeof kind !== 'string') return [];
    if (typeof name !== 'string') return [];
    const owner = objectIdentity({ apiVersion, kind, namespace, name });
    const above = kind === 'ReplicaSet' ? deploymentOf(metadata, name) : null;
    return above === null
      ? [owner]
      : [owner, objectIdentity({ apiVersion, kind: 'Deployment', namespace, name: above })];
  });
}

/** A Deployment's ReplicaSet is named after it and the hash that its pods bear as a label. */
function deploymentOf(metadata: JsonObject, replicaSet: string): string | null {
  const labels = isJsonObject(metadata.labels) ? metadata.labels : {};
  const hash = labels['pod-template-hash'];
  if (typeof hash !== 'string' || hash === '' || !replicaSet.endsWith(`-${hash}`)) return null;
  return replicaSet.slice(0, -hash.length - 1);
}
