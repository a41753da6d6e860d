import type { Container, Pod } from '../pod/pod.ts';

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
 */
export function securityOf(container: Container, pod: Pod): EffectiveSecurity {
  const own = container.fields.securityContext;
  const ofPod = pod.spec.securityContext;
  const runAsUser = own?.runAsUser ?? ofPod?.runAsUser ?? null;
  const runAsNonRoot = own?.runAsNonRoot ?? ofPod?.runAsNonRoot ?? false;
  const dropped = capabilities(own?.capabilities?.drop);
  const added = capabilities(own?.capabilities?.add);
  const has = (set: ReadonlySet<string>) => set.has('ALL') || set.has('KILL');
  return {
    maybeRoot: runAsUser === 0 || (runAsUser === null && !runAsNonRoot),
    maybeNonRoot: runAsUser !== 0,
    mayEscalate: own?.allowPrivilegeEscalation !== false,
    lacksKill: has(dropped) && !has(added),
    localhostProfile:
      (own?.seccompProfile ?? ofPod?.seccompProfile)?.type === 'Localhost' ||
      (own?.appArmorProfile ?? ofPod?.appArmorProfile)?.type === 'Localhost' ||
      (pod.annotations.get(`${profileAnnotation}${container.name}`) ?? '').startsWith('localhost/'),
  };
}

function capabilities(names: readonly string[] | null | undefined): ReadonlySet<string> {
  return new Set((names ?? []).map((name) => name.toUpperCase().replace(/^CAP_/, '')));
}
