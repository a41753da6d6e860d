import type { V1Container, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import { eventually } from '../wait.ts';
import { get, type KubeObject, list } from './api.ts';
import { kubectl } from './kubectl.ts';

export const busybox = 'docker.io/library/busybox:1.37';
/** Of the DaemonSet of tests, the Deployment and so on: what they select. */
const app = { app: 'app' };

/** A container of busybox that ends at once when it is told to. */
export function container(command: readonly string[], more: Partial<V1Container> = {}): V1Container {
  return { name: 'app', image: busybox, command: [...command], ...more };
}

/** A pod spec that takes no time to end. */
export function podSpec(containers: V1Container[], more: Partial<V1PodSpec> = {}): V1PodSpec {
  return { terminationGracePeriodSeconds: 1, automountServiceAccountToken: false, containers, ...more };
}

/** Leaves orphans one second after its start, then sleeps as PID 1 and never waits. */
export function leavingOrphans(count: number): string[] {
  return ['sh', '-c', `for i in $(seq ${count}); do (sleep 1 &); done; exec sleep 86400`];
}

export const sleeping: readonly string[] = ['sleep', '86400'];

/** A bare pod. */
export function pod(
  namespace: string,
  name: string,
  spec: V1PodSpec,
  metadata: object = {},
): KubeObject & V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: app, ...metadata },
    spec,
  } as KubeObject & V1Pod;
}

/** What a controller makes pods from. */
export function template(spec: V1PodSpec, metadata: { labels?: object; annotations?: object } = {}): object {
  return { metadata: { ...metadata, labels: { ...app, ...metadata.labels } }, spec };
}

/** A workload of a kind that has `spec.selector` and `spec.template`. */
export function workload(
  kind: 'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet',
  namespace: string,
  name: string,
  spec: V1PodSpec,
  more: { readonly replicas?: number; readonly labels?: object; readonly annotations?: object } = {},
): KubeObject {
  const selector = { name };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { namespace, name },
    spec: {
      ...(kind === 'DaemonSet' ? {} : { replicas: more.replicas ?? 1 }),
      ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
      selector: { matchLabels: selector },
      template: template(spec, {
        labels: { ...more.labels, ...selector },
        ...(more.annotations ? { annotations: more.annotations } : {}),
      }),
    },
  } as KubeObject;
}

/** Resolves with the pods of a selector when so many are there and ready. */
export async function readyPods(namespace: string, selector: string, count = 1): Promise<readonly V1Pod[]> {
  let last: readonly V1Pod[] = [];
  return eventually(`${count} ready pods of ${selector} in ${namespace}`, async () => {
    last = (await list<V1Pod>('Pod', namespace, selector)).filter(
      ({ metadata }) => !metadata?.deletionTimestamp,
    );
    const ready = last.filter(isReady);
    if (ready.length === count && last.length === count) return ready;
    throw new Error(JSON.stringify(last.map(({ status }) => status?.containerStatuses ?? status)));
  });
}

function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** Resolves with a pod when it is in that phase. */
export function inPhase(namespace: string, name: string, phase: string): Promise<V1Pod> {
  return eventually(`${namespace}/${name} to be ${phase}`, async () => {
    const found = await get<V1Pod>('Pod', name, namespace);
    if (found.status?.phase === phase) return found;
    throw new Error(JSON.stringify(found.status));
  });
}

/** Runs a shell script in a container of a pod. */
export function exec(
  namespace: string,
  name: string,
  script: string,
  containerName = 'app',
): Promise<string> {
  return kubectl(['-n', namespace, 'exec', name, '-c', containerName, '--', 'sh', '-c', script]);
}

/** What a container sees in its PID namespace. */
export interface SeenProcesses {
  readonly zombies: number;
  /** Names of those that live. */
  readonly living: readonly string[];
  /** Of PID 1. */
  readonly pid1: string;
}

/** Looks at the processes that a container sees, without the scanner. */
export async function processesIn(
  namespace: string,
  name: string,
  containerName = 'app',
): Promise<SeenProcesses> {
  // Read at once, so that none that the reading starts is in it.
  const text = await exec(namespace, name, 'cat /proc/[0-9]*/stat 2>/dev/null; true', containerName);
  const processes = [...text.matchAll(/^(\d+) \((.*)\) (\S) /gm)].map(([, pid, comm = '', state]) => ({
    pid,
    comm,
    state,
  }));
  return {
    zombies: processes.filter(({ state }) => state === 'Z').length,
    living: processes.filter(({ state }) => state !== 'Z').map(({ comm }) => comm),
    pid1: processes.find(({ pid }) => pid === '1')?.comm ?? '',
  };
}
