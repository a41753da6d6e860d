import { z } from 'zod';

const capabilities = z.looseObject({
  add: z.array(z.string()).optional(),
  drop: z.array(z.string()).optional(),
});
const seccomp = z.looseObject({ type: z.string() });
const podContext = z.looseObject({
  runAsNonRoot: z.boolean().optional(),
  runAsUser: z.number().optional(),
  seccompProfile: seccomp.optional(),
  sysctls: z.array(z.unknown()).optional(),
  seLinuxOptions: z.unknown().optional(),
  appArmorProfile: z.unknown().optional(),
  windowsOptions: z.unknown().optional(),
});
const containerContext = podContext.extend({
  allowPrivilegeEscalation: z.boolean().optional(),
  privileged: z.boolean().optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
  procMount: z.string().optional(),
  capabilities: capabilities.optional(),
});
const container = z.looseObject({
  name: z.string(),
  securityContext: containerContext.optional(),
  ports: z.array(z.looseObject({ hostPort: z.number().optional() })).optional(),
});

/** What Pod Security looks at in a pod's spec. */
export const podSpecSchema = z.looseObject({
  hostNetwork: z.boolean().optional(),
  hostPID: z.boolean().optional(),
  hostIPC: z.boolean().optional(),
  securityContext: podContext.optional(),
  containers: z.array(container),
  initContainers: z.array(container).optional(),
  volumes: z.array(z.looseObject({ name: z.string() })).optional(),
});

const allowedVolumes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/**
 * What keeps a pod from the Pod Security Standard "restricted", Linux only:
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
 *
 * Stricter than the standard in one thing: overrides that the standard allows within bounds (SELinux, AppArmor,
 * sysctls) count as violations.
 *
 * @returns One line per violation; empty for a pod that satisfies it.
 */
export function restrictedViolations(spec: z.infer<typeof podSpecSchema>): string[] {
  const found: string[] = [];
  const check = (holds: boolean, violation: string) => {
    if (!holds) found.push(violation);
  };
  check(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, 'a namespace of the host');
  for (const { name, ...volume } of spec.volumes ?? []) {
    check(
      Object.keys(volume).every((type) => allowedVolumes.includes(type)),
      `volume ${name}`,
    );
  }
  const pod = spec.securityContext ?? {};
  check(!pod.sysctls?.length && !pod.seLinuxOptions && !pod.appArmorProfile, 'overrides of the pod');
  check(pod.runAsUser !== 0, 'runAsUser of the pod');
  for (const { name, securityContext: own = {}, ports = [] } of [
    ...(spec.initContainers ?? []),
    ...spec.containers,
  ]) {
    const seccompType = (own.seccompProfile ?? pod.seccompProfile)?.type ?? '';
    check(!own.privileged, `${name}: privileged`);
    check(own.allowPrivilegeEscalation === false, `${name}: allowPrivilegeEscalation`);
    check(own.runAsNonRoot ?? pod.runAsNonRoot ?? false, `${name}: runAsNonRoot`);
    check(own.runAsUser !== 0, `${name}: runAsUser`);
    check(['RuntimeDefault', 'Localhost'].includes(seccompType), `${name}: seccompProfile`);
    check(own.capabilities?.drop?.includes('ALL') ?? false, `${name}: capabilities to drop`);
    check(
      (own.capabilities?.add ?? []).every((added) => added === 'NET_BIND_SERVICE'),
      `${name}: capabilities to add`,
    );
    check(own.procMount === undefined || own.procMount === 'Default', `${name}: procMount`);
    check(!own.seLinuxOptions && !own.appArmorProfile, `${name}: overrides`);
    check(
      ports.every(({ hostPort }) => !hostPort),
      `${name}: hostPort`,
    );
  }
  return found;
}
