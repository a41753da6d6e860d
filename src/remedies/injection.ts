import type { Container, Pod } from '../pod/pod.ts';
import { isInjectedMountPath } from './mount-path.ts';

/** The name of the volume and of the copier, unless the pod has given it to something else. */
export const injectedName = 'gravekeeper-tini';

const ours = /^gravekeeper-tini(-\d+)?$/;

/** What an earlier round injected into a pod, told by its structure and never by an annotation. */
export interface Injection {
  readonly volume: string;
  readonly mountPath: string;
  /** The volume is still in the pod. */
  readonly hasVolume: boolean;
  /** The volume comes from an image, so that there is no copier. */
  readonly fromImage: boolean;
  /** Place of the copier in `spec.initContainers`, or null if it is gone. */
  readonly copierIndex: number | null;
  /** Whether a container's command is wrapped under this mount. */
  wraps(container: Container): boolean;
}

/**
 * Finds what an earlier round injected: wrapped commands, the mount that they start from, and the Memory emptyDir
 * or image volume behind it, all in agreement.
 *
 * @param pod The pod.
 * @returns The injection, or null when no container is wrapped.
 */
export function findInjection(pod: Pod): Injection | null {
  for (const container of pod.containers) {
    const mount = wrapMountOf(container);
    if (!mount) continue;
    const volume = pod.spec.volumes?.find(({ name }) => name === mount.name);
    if (volume && volume.emptyDir?.medium !== 'Memory' && !volume.image) continue;
    const copier = pod.containers.find(
      ({ role, name, fields }) =>
        role === 'init' && ours.test(name) && fields.volumeMounts?.some((other) => other.name === mount.name),
    );
    return {
      volume: mount.name,
      mountPath: mount.mountPath,
      hasVolume: volume !== undefined,
      fromImage: Boolean(volume?.image),
      copierIndex: copier?.index ?? null,
      wraps: (other) => wrapMountOf(other)?.name === mount.name,
    };
  }
  return null;
}

function wrapMountOf({ fields, role }: Container): { name: string; mountPath: string } | null {
  const [tini, silently, end, ...others] = fields.command ?? [];
  if (role === 'init' || !tini?.endsWith('/tini')) return null;
  if (silently !== '-s' || end !== '--' || others.length > 0) return null;
  const mountPath = tini.slice(0, -'/tini'.length);
  if (!isInjectedMountPath(mountPath)) return null;
  const mount = fields.volumeMounts?.find((each) => each.mountPath === mountPath && ours.test(each.name));
  return mount && !mount.subPath ? mount : null;
}
