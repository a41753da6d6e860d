import fjp, { type Operation } from 'fast-json-patch';
import { defaultConfig } from '../../src/config/config.ts';
import { judge } from '../../src/judge.ts';
import { isJsonObject, type JsonObject } from '../../src/pod/json.ts';
import { readPod } from '../../src/pod/pod.ts';
import { policyOf } from '../../src/policy/policy.ts';
import type { Reason } from '../../src/reasons.ts';
import type { ContainerFields, ImageFields } from './kubelet.ts';

/** What the engine makes of a pod with one container. */
export interface JudgedPod {
  readonly action: 'tini' | 'share-pid' | 'none';
  readonly reason: Reason;
  /** The container with the patch applied. */
  readonly container: ContainerFields;
}

/** What else the pod holds. */
export interface PodAround {
  /** Value of the namespace's label; `auto` where left out. */
  readonly inject?: 'auto' | 'tini' | 'share-pid';
  /** ENTRYPOINT and CMD as the pod's annotation tells them. */
  readonly image?: ImageFields;
  /** Fields of the container that do not concern its process, such as its securityContext and its probes. */
  readonly more?: JsonObject;
}

/** Has a pod of a ReplicaSet judged, and the patch applied. */
export function judgedPod(container: ContainerFields, around: PodAround = {}): JudgedPod {
  const { inject = 'auto', image, more = {} } = around;
  const raw = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      annotations: image ? { 'gravekeeper.dev/argv': JSON.stringify({ app: image }) } : {},
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'app-1', controller: true }],
    },
    spec: { containers: [{ name: 'app', image: 'example.test/app:1', ...container, ...more }] },
  };
  const pod = readPod(raw);
  const policy = policyOf(pod, {
    namespace: 'default',
    namespaceLabels: new Map([['gravekeeper.dev/inject', inject]]),
    config: defaultConfig,
  });
  const { remedy, patch } = judge(pod, policy);
  const decision = remedy.containers.find(({ name }) => name === 'app');
  const patched = structuredClone(raw);
  fjp.applyPatch(patched, structuredClone(patch) as Operation[], true);
  const [after] = patched.spec.containers;
  if (!isJsonObject(after)) throw new Error('the patch took the container away');
  return { action: decision?.action ?? 'none', reason: decision?.reason ?? remedy.reason, container: after };
}
