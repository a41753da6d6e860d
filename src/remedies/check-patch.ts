import fjp, { type Operation as JsonPatchOperation } from 'fast-json-patch';
import { isJsonObject, type JsonObject, type Pod, readPod } from '../pod/pod.ts';
import { isInjectedMountPath, mountPathsOf, overlaps } from './mount-path.ts';
import type { Operation } from './remedy.ts';

/**
 * Applies a patch in-process, as the API server will, and checks what came out. A patch that fails there is an
 * error for the user, whatever the webhook's failurePolicy says.
 *
 * @param pod The pod.
 * @param operations The patch, below the pod's own object. The pod itself is left as it is.
 * @returns The pod as patched, or null where the patch does not apply, or where it leads to names or mount paths
 *   twice.
 */
export function patched(pod: Pod, operations: readonly Operation[]): Pod | null {
  let result: unknown;
  try {
    const copy = copyOfWhatMayChange(pod.raw);
    result = fjp.applyPatch(copy, [...operations] as JsonPatchOperation[], true, true).newDocument;
  } catch {
    return null;
  }
  const after = readPod(result, { base: pod.base, controller: pod.controller });
  return addedDuplicates(pod, after) ? null : after;
}

function addedDuplicates(before: Pod, after: Pod): boolean {
  const containerNames = (pod: Pod) => pod.containers.map(({ name }) => name);
  const volumeNames = (pod: Pod) => (pod.spec.volumes ?? []).map(({ name }) => name ?? '');
  return (
    duplicates(containerNames(after)) > duplicates(containerNames(before)) ||
    duplicates(volumeNames(after)) > duplicates(volumeNames(before)) ||
    clashingMounts(after) > clashingMounts(before)
  );
}

/** How many mounts of this program lie at, above or below another mount of their container. */
function clashingMounts(pod: Pod): number {
  return pod.containers.filter((container) => {
    const paths = mountPathsOf(container);
    return paths.some(
      (path, index) =>
        isInjectedMountPath(path) && paths.some((other, at) => at !== index && overlaps(path, other)),
    );
  }).length;
}

function duplicates(names: readonly string[]): number {
  return names.length - new Set(names).size;
}

/** A copy that shares with the original all that no patch of ours touches: far cheaper than a deep one. */
function copyOfWhatMayChange(raw: JsonObject): JsonObject {
  const object = (value: unknown): unknown => (isJsonObject(value) ? { ...value } : value);
  const list = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map((item: unknown) =>
          isJsonObject(item) && Array.isArray(item.volumeMounts)
            ? { ...item, volumeMounts: [...item.volumeMounts] }
            : object(item),
        )
      : value;
  const { metadata, spec } = raw;
  return {
    ...raw,
    ...(isJsonObject(metadata)
      ? { metadata: { ...metadata, annotations: object(metadata.annotations) } }
      : {}),
    ...(isJsonObject(spec)
      ? {
          spec: {
            ...spec,
            containers: list(spec.containers),
            initContainers: list(spec.initContainers),
            volumes: Array.isArray(spec.volumes) ? [...spec.volumes] : spec.volumes,
          },
        }
      : {}),
  };
}
