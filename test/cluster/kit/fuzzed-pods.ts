import type { V1Container, V1Pod, V1Probe, V1SecurityContext, V1Volume } from '@kubernetes/client-node';
import fc from 'fast-check';
import { arbitraryPod } from '../../support/arbitrary-pod.ts';

/**
 * Pods of the fuzzer, with what the API server would refuse put right. What matters to a remedy stays: commands,
 * environments, security contexts, mounts and names like our own, and fields of a newer API.
 *
 * @param seed The same seed gives the same pods.
 */
export function fuzzedPods(count: number, seed: number): V1Pod[] {
  return (fc.sample(arbitraryPod, { numRuns: count, seed }) as unknown as V1Pod[]).map(soundPod);
}

function soundPod({ metadata, spec }: V1Pod): V1Pod {
  const volumes = uniqueBy((spec?.volumes ?? []).map(withSoundName), ({ name }) => name);
  const {
    hostPID,
    hostUsers,
    shareProcessNamespace,
    securityContext,
    initContainers = [],
    ...rest
  } = spec ?? {};
  return {
    metadata: {
      ...metadata,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: '1', controller: true }],
    },
    spec: {
      ...rest,
      volumes,
      // A pod can be in one PID namespace only, and that of the node rules out users of its own.
      ...(hostPID
        ? { hostPID }
        : { hostUsers: hostUsers ?? true, ...(shareProcessNamespace ? { shareProcessNamespace } : {}) }),
      securityContext: soundSecurity({ ...securityContext, allowPrivilegeEscalation: undefined } as never),
      containers: (spec?.containers ?? []).map((one) => soundContainer(one, volumes, 'main')),
      initContainers: initContainers.map((one) =>
        soundContainer(one, volumes, one.restartPolicy === 'Always' ? 'sidecar' : 'init'),
      ),
    },
  } as V1Pod;
}

function soundContainer(
  one: V1Container,
  volumes: readonly V1Volume[],
  sort: 'main' | 'sidecar' | 'init',
): V1Container {
  const { livenessProbe, startupProbe, lifecycle, restartPolicy: _, ...rest } = withSoundName(one);
  const known = (one.volumeMounts ?? [])
    .map(withSoundName)
    .filter(({ name }) => volumes.some((each) => each.name === name));
  return {
    ...rest,
    image: one.image?.replace(/@.*/, ':1') ?? 'redis:7',
    volumeMounts: uniqueBy(known, ({ mountPath }) => mountPath),
    resources: { limits: one.resources?.limits ?? {}, requests: onlyCpu(one.resources?.requests) },
    securityContext: soundSecurity(one.securityContext),
    ...(sort === 'init'
      ? {}
      : {
          livenessProbe: soundProbe(livenessProbe),
          startupProbe: soundProbe(startupProbe),
          lifecycle: soundLifecycle(lifecycle),
        }),
    ...(sort === 'sidecar' ? { restartPolicy: 'Always' } : {}),
  } as V1Container;
}

function withSoundName<T extends { name: string }>(one: T): T {
  return { ...one, name: one.name.replaceAll('_', '') };
}

/** Of a probe, one handler alone, and times that may be. */
function soundProbe(probe: V1Probe | undefined): V1Probe | undefined {
  const { exec, httpGet, periodSeconds, timeoutSeconds } = probe ?? {};
  const handler = exec?.command?.length ? { exec } : httpGet ? { httpGet } : null;
  return handler ? ({ ...handler, periodSeconds, timeoutSeconds } as V1Probe) : undefined;
}

function soundLifecycle(lifecycle: V1Container['lifecycle']): V1Container['lifecycle'] {
  return lifecycle?.preStop?.exec?.command?.length ? lifecycle : undefined;
}

function soundSecurity(context: V1SecurityContext | undefined): V1SecurityContext {
  const local = context?.seccompProfile?.type === 'Localhost';
  return {
    ...context,
    ...(local ? { seccompProfile: { type: 'Localhost', localhostProfile: 'own.json' } } : {}),
  };
}

/** Devices need limits that equal their requests. */
function onlyCpu(requests: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return requests?.cpu ? { cpu: requests.cpu } : {};
}

function uniqueBy<T>(list: readonly T[], keyOf: (one: T) => string): T[] {
  return [...new Map(list.map((one) => [keyOf(one), one])).values()];
}
