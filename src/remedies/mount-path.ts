import type { Container } from '../pod/pod.ts';

const preferred = '/.gravekeeper';
const candidates = [preferred, ...[2, 3, 4, 5, 6, 7, 8, 9].map((number) => `${preferred}-${number}`)];

/**
 * The mount path that is free in the most containers: neither equal to, nor above, nor below any mount or device
 * of theirs.
 *
 * @param containers The containers that are to mount it.
 */
export function freeMountPath(containers: readonly Container[]): string {
  const everywhere = candidates.find((path) => containers.every((container) => isFree(path, container)));
  if (everywhere !== undefined) return everywhere;
  const counts = candidates.map((path) => containers.filter((container) => isFree(path, container)).length);
  return candidates[counts.indexOf(Math.max(...counts))] ?? preferred;
}

/** Whether a container can mount something at a path. */
export function isFree(path: string, container: Container): boolean {
  return !mountPathsOf(container).some((other) => overlaps(path, other));
}

/** Whether a mount path is one that this program chooses. */
export function isInjectedMountPath(path: string): boolean {
  return path.startsWith(preferred) && candidates.includes(path);
}

/** Every path at which a container mounts a volume or a device. */
function mountPathsOf({ fields }: Container): readonly string[] {
  return [
    ...(fields.volumeMounts ?? []).map(({ mountPath }) => mountPath),
    ...(fields.volumeDevices ?? []).map(({ devicePath }) => devicePath),
  ];
}

/** Whether one absolute path is the other one, or lies above or below it. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [clean(one), clean(other)];
  return isAtOrBelow(a, b) || isAtOrBelow(b, a);
}

function isAtOrBelow(path: string, above: string): boolean {
  return path.startsWith(above) && (path.length === above.length || path[above.length] === '/');
}

/** An absolute path without empty, `.` and `..` segments and without a slash at its end. */
function clean(path: string): string {
  if (!/\/(\/|\.{0,2}$|\.{1,2}\/)/.test(path)) return path;
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments.map((segment) => `/${segment}`).join('');
}
