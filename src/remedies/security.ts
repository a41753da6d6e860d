import type { Container, Pod } from '../pod/pod.ts';
import type { ImageUser } from './image-answer.ts';

const profileAnnotation = 'container.apparmor.security.beta.kubernetes.io/';

/** The security settings that hold for a container: its own where set, else the pod's, field by field. */
export interface EffectiveSecurity {
  /** Its process may start as root. */
  readonly maybeRoot: boolean;
  /** Its process may start as another user than root. */
  readonly maybeNonRoot: boolean;
  /** Its process may gain privileges, as setuid programs do. */
  readonly mayEscalate: boolean;
  /** A root process lacks the capability to signal processes of other users. */
  readonly lacksKill: boolean;
  /** A seccomp or AppArmor profile applies whose content only the node knows. */
  readonly localhostProfile: boolean;
}

/**
 * Says what the security contexts of a container and its pod come to.
 *
 * @param container The container.
 * @param pod Its pod, for the pod's own security context and the AppArmor annotation of before Kubernetes 1.30.
 * @param imageUser Whom its process starts as by its image alone, which counts where no runAsUser is set.
 */
export function securityOf(container: Container, pod: Pod, imageUser: ImageUser): EffectiveSecurity {
  const own = container.fields.securityContext;
  const ofPod = pod.spec.securityContext;
  const runAsUser = own?.runAsUser ?? ofPod?.runAsUser ?? null;
  const runAsNonRoot = own?.runAsNonRoot ?? ofPod?.runAsNonRoot ?? false;
  const dropped = new Set(own?.capabilities?.drop?.map((name) => name.toUpperCase().replace(/^CAP_/, '')));
  const added = new Set(own?.capabilities?.add?.map((name) => name.toUpperCase()));
  return {
    // Under runAsNonRoot the kubelet starts no process as root, whatever the image says.
    maybeRoot: runAsUser === null ? !runAsNonRoot && imageUser !== 'not-root' : runAsUser === 0,
    maybeNonRoot: runAsUser === null ? runAsNonRoot || imageUser !== 'root' : runAsUser !== 0,
    mayEscalate: own?.allowPrivilegeEscalation !== false,
    // containerd and CRI-O add ALL, drop ALL, add single ones, drop single ones, in that order, and take an added
    // name as it is written: CAP_KILL is then no capability (containerd, WithCapabilities).
    lacksKill: dropped.has('KILL') || (dropped.has('ALL') && !added.has('KILL')),
    localhostProfile:
      (own?.seccompProfile ?? ofPod?.seccompProfile)?.type === 'Localhost' ||
      (own?.appArmorProfile ?? ofPod?.appArmorProfile)?.type === 'Localhost' ||
      (pod.annotations.get(`${profileAnnotation}${container.name}`) ?? '').startsWith('localhost/'),
  };
}
