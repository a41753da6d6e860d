import { isJsonObject } from '../pod/json.ts';
import type { Pod } from '../pod/pod.ts';
import { pointer } from '../pod/pointer.ts';
import { annotationKeys } from '../policy/keys.ts';
import { version } from '../version.ts';
import type { Operation, Remedy } from './remedy.ts';

const maxStatusBytes = 1024;
/** The API server's limit for all annotations of an object, keys and values together. */
const maxAnnotationBytes = 256 * 1024;

const encoder = new TextEncoder();

/** Bytes of a text in UTF-8. */
function bytes(text: string): number {
  return encoder.encode(text).length;
}

/** A UTF-16 code unit takes three bytes at most: most texts are far from a limit and need no counting. */
const mostBytesPerUnit = 3;

/**
 * Writes the annotation gravekeeper.dev/status: what was done to the pod, for people and for the scanner.
 *
 * @param pod The pod.
 * @param remedy What was chosen, with a kind.
 * @param names The containers that carry the remedy.
 * @returns The operations, below the pod's own object; none where the annotation already says so, or where the
 *   pod's annotations would pass the API server's limit of 256 KiB.
 */
export function statusOperations(pod: Pod, remedy: Remedy, names: readonly string[]): readonly Operation[] {
  const value = statusOf(remedy, names);
  const key = annotationKeys.status;
  const before = pod.annotations.get(key);
  if (before === value) return [];
  if (!fits(pod, key, value)) return [];
  const metadata = pod.raw.metadata;
  if (!isJsonObject(metadata))
    return [{ op: 'add', path: '/metadata', value: { annotations: { [key]: value } } }];
  if (!isJsonObject(metadata.annotations)) {
    return [{ op: 'add', path: '/metadata/annotations', value: { [key]: value } }];
  }
  const op = Object.hasOwn(metadata.annotations, key) ? 'replace' : 'add';
  return [{ op, path: pointer('/metadata/annotations', key), value }];
}

/** Whether an annotation may be set without passing the API server's limit for all of them. */
function fits(pod: Pod, key: string, value: string): boolean {
  const all = [...pod.annotations].filter(([name]) => name !== key).concat([[key, value]]);
  const size = (of: (text: string) => number) =>
    all.reduce((sum, [name, text]) => sum + of(name) + of(text), 0);
  return (
    size((text) => text.length * mostBytesPerUnit) <= maxAnnotationBytes || size(bytes) <= maxAnnotationBytes
  );
}

/** Takes the status annotation away, if it is there. */
export function removeStatus(pod: Pod): readonly Operation[] {
  if (!pod.annotations.has(annotationKeys.status)) return [];
  return [{ op: 'remove', path: pointer('/metadata/annotations', annotationKeys.status) }];
}

/** The remedy that the annotation says a pod has; null where there is none that can be read. Anyone may write it. */
export function statusRemedy(pod: Pod): unknown {
  try {
    const status: unknown = JSON.parse(pod.annotations.get(annotationKeys.status) ?? 'null');
    return isJsonObject(status) ? status.remedy : null;
  } catch {
    return null;
  }
}

function statusOf({ kind, reason }: Remedy, names: readonly string[]): string {
  const write = (listed: number): string =>
    JSON.stringify({
      remedy: kind,
      containers: names.slice(0, listed),
      ...(listed < names.length ? { more: names.length - listed } : {}),
      reason,
      version,
    });
  let listed = Math.min(names.length, maxStatusBytes);
  let status = write(listed);
  while (listed > 0 && status.length * mostBytesPerUnit > maxStatusBytes && bytes(status) > maxStatusBytes) {
    listed = Math.floor(listed * 0.9);
    status = write(listed);
  }
  return status;
}
