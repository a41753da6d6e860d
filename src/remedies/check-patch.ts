import fjp, { type Operation as JsonPatchOperation } from 'fast-json-patch';
import { isJsonObject, type JsonObject, objectsIn } from '../pod/json.ts';
import type { Pod } from '../pod/pod.ts';
import { tokensOf, valueAt } from '../pod/pointer.ts';
import { isInjectedMountPath, overlaps } from './mount-path.ts';
import type { Operation } from './remedy.ts';

/**
 * Applies a patch in-process, as the API server will, and checks what came out. A patch that fails there is an
 * error for the user, whatever the webhook's failurePolicy says.
 *
 * @param pod The pod; it is left as it is.
 * @param operations The patch, below the pod's own object.
 * @returns Whether the patch applies, and leads to no name and no mount path of ours twice.
 */
export function appliesCleanly(pod: Pod, operations: readonly Operation[]): boolean {
  const after = applied(copyOfWhatMayChange(pod.raw), operations);
  if (after === null) return false;
  const is = clashesIn(after);
  if (is.containers + is.volumes + is.mounts === 0) return true;
  const was = clashesIn(pod.raw);
  return is.containers <= was.containers && is.volumes <= was.volumes && is.mounts <= was.mounts;
}

/**
 * Applies operations to a document, which it changes; null where one of them does not apply. fast-json-patch's own
 * validation takes most of its time for what the type of our operations rules out; what is left of it is whether there
 * is something to be changed, and something to be replaced, removed or moved.
 */
function applied(document: JsonObject, operations: readonly Operation[]): unknown {
  let after: unknown = document;
  try {
    for (const operation of operations) {
      const needed =
        operation.op === 'move' ? operation.from : operation.op === 'add' ? null : operation.path;
      if (needed !== null && valueAt(after, tokensOf(needed)) === undefined) return null;
      const parent = valueAt(after, tokensOf(operation.path).slice(0, -1));
      if (typeof parent !== 'object' || parent === null) return null;
      after = fjp.applyOperation(after, operation as JsonPatchOperation, false, true).newDocument;
    }
    return after;
  } catch {
    return null;
  }
}

/** How many names stand twice, and how many containers have a mount of ours at, above or below another one. */
function clashesIn(pod: unknown): { containers: number; volumes: number; mounts: number } {
  const spec = isJsonObject(pod) && isJsonObject(pod.spec) ? pod.spec : {};
  const containers = [...objectsIn(spec.containers), ...objectsIn(spec.initContainers)];
  return {
    containers: duplicates(containers.map(({ name }) => name)),
    volumes: duplicates(objectsIn(spec.volumes).map(({ name }) => name)),
    mounts: containers.filter(hasClashingMount).length,
  };
}

function hasClashingMount({ volumeMounts, volumeDevices }: JsonObject): boolean {
  const paths = [
    ...objectsIn(volumeMounts).map(({ mountPath }) => String(mountPath)),
    ...objectsIn(volumeDevices).map(({ devicePath }) => String(devicePath)),
  ];
  return paths.some(
    (path, index) =>
      isInjectedMountPath(path) && paths.some((other, at) => at !== index && overlaps(path, other)),
  );
}

function duplicates(names: readonly unknown[]): number {
  return names.length - new Set(names).size;
}

/** A copy that shares with the original all that no patch of ours touches: far cheaper than a deep one. */
function copyOfWhatMayChange(raw: JsonObject): JsonObject {
  const copy: Record<string, unknown> = { ...raw };
  if (isJsonObject(raw.metadata)) {
    const { annotations } = raw.metadata;
    copy.metadata = {
      ...raw.metadata,
      ...(isJsonObject(annotations) ? { annotations: { ...annotations } } : {}),
    };
  }
  if (isJsonObject(raw.spec)) {
    const spec: Record<string, unknown> = { ...raw.spec };
    for (const list of ['containers', 'initContainers', 'volumes']) {
      if (Array.isArray(spec[list])) spec[list] = spec[list].map(copyOfContainer);
    }
    copy.spec = spec;
  }
  return copy;
}

function copyOfContainer(container: unknown): unknown {
  if (!isJsonObject(container)) return container;
  const { volumeMounts } = container;
  return { ...container, ...(Array.isArray(volumeMounts) ? { volumeMounts: [...volumeMounts] } : {}) };
}
