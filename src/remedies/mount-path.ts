import type { Container } from '../pod/pod.ts';

const preferred = '/.gravekeeper';
const candidates = [preferred, ...[2, 3, 4, 5, 6, 7, 8, 9].map((number) => `${preferred}-${number}`)];

/**
 * A mount path that is neither equal to, nor above, nor below any mount or device of the containers.
 *
 * @param containers The containers that will mount it.
 * @returns The path, or null where none is free (a mount at `/`, say).
 */
export function freeMountPath(containers: readonly Container[]): string | null {
  const taken = containers.flatMap(mountPathsOf);
  return candidates.find((path) => !taken.some((other) => overlaps(path, other))) ?? null;
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
  const [a, b] = [`${clean(one)}/`, `${clean(other)}/`];
  return a.startsWith(b) || b.startsWith(a);
}

/** An absolute path without empty, `.` and `..` segments and without a slash at its end. */
function clean(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments.map((segment) => `/${segment}`).join('');
}
