import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Containerd, eventually } from './containerd.ts';
import { appImage, type Pause } from './images.ts';
import { descendants, readProc, readProcesses, type Seen } from './proc.ts';
import { noteCgroup } from './sweep.ts';
import type { View } from './views.ts';

/** A folder or file of the machine in a container, read-only. */
interface Mount {
  readonly from: string;
  readonly at: string;
}

/** What the container of a pod is to be. */
export interface ContainerSpec {
  readonly name: string;
  readonly command: readonly string[];
  readonly memoryBytes?: number;
  readonly addedCapability?: string;
  /** As a restricted pod: this user, no capability, no new privileges, a root file system that is read-only. */
  readonly restrictedUser?: number;
  readonly mounts?: readonly Mount[];
}

/** What a pod is to be. */
export interface PodSpec {
  readonly name: string;
  readonly qos: 'guaranteed' | 'burstable' | 'besteffort';
  /** Whose PID namespace its containers have: each its own, that of the pod, or that of the node. */
  readonly pids: 'CONTAINER' | 'POD' | 'NODE';
  readonly pause: Pause;
  /** What the kubelet's podPidsLimit sets; needs cgroup v1. */
  readonly pidsMax?: number;
  /** The API server knows it by another UID than the kubelet's cgroups do. */
  readonly static?: boolean;
  readonly containers: readonly ContainerSpec[];
}

/** A container that runs, or ran. */
export interface Container {
  readonly name: string;
  readonly id: string;
  /** Of its first process, as the machine counts. */
  readonly pid: number;
}

/** A pod that runs. */
export interface Pod {
  readonly spec: PodSpec;
  /** As in the path of its cgroup; of a static pod 32 hexadecimal digits. */
  readonly uid: string;
  readonly sandboxId: string;
  readonly containers: readonly Container[];
  /** The process that all of its others descend from. */
  readonly shimPid: number;
}

export const namespace = 'shop';

/**
 * Makes a pod as the kubelet does, and waits until each of its containers has said that it is ready.
 *
 * @param runtime With the right pause chosen.
 * @param spec What it is to be.
 * @param view How its cgroup is to be called.
 */
export async function startPod(runtime: Containerd, spec: PodSpec, view: View): Promise<Pod> {
  const uid = spec.static ? randomUUID().replaceAll('-', '') : randomUUID();
  const cgroup = cgroupOf(uid, spec.qos, view);
  noteCgroup(runtime.folder, cgroup);
  if (spec.pidsMax !== undefined) {
    mkdirSync(`/sys/fs/cgroup/pids${cgroup}`, { recursive: true });
    writeFileSync(`/sys/fs/cgroup/pids${cgroup}/pids.max`, String(spec.pidsMax));
  }
  const logs = join(runtime.folder, 'logs', spec.name);
  mkdirSync(logs, { recursive: true });
  const security = { namespaceOptions: { network: 'NODE', pid: spec.pids } };
  const labels = {
    'io.kubernetes.pod.name': spec.name,
    'io.kubernetes.pod.namespace': namespace,
    'io.kubernetes.pod.uid': uid,
  };
  const config = {
    metadata: { name: spec.name, uid, namespace },
    logDirectory: logs,
    labels,
    linux: { cgroupParent: cgroup, securityContext: security },
  };
  const call = runtime.call.bind(null, 'RuntimeService');
  const { podSandboxId = '' } = await call('RunPodSandbox', { config });
  const containers: Container[] = [];
  for (const container of spec.containers) {
    const { name, command } = container;
    const { containerId = '' } = await call('CreateContainer', {
      podSandboxId,
      sandboxConfig: config,
      config: {
        metadata: { name },
        image: { image: appImage },
        command,
        labels: { ...labels, 'io.kubernetes.container.name': name },
        logPath: `${name}.log`,
        mounts: container.mounts?.map(({ from, at }) => ({
          hostPath: from,
          containerPath: at,
          readonly: true,
        })),
        linux: {
          resources: { cpuShares: 2, memoryLimitInBytes: container.memoryBytes ?? 0 },
          securityContext: { ...security, ...privileges(container) },
        },
      },
    });
    await call('StartContainer', { containerId });
    await eventually(() => isReady(join(logs, `${name}.log`)), `container ${name} of pod ${spec.name}`);
    containers.push({ name, id: containerId, pid: await pidOf(runtime, 'ContainerStatus', { containerId }) });
  }
  const pausePid = await pidOf(runtime, 'PodSandboxStatus', { podSandboxId });
  const shimPid = Number(/^PPid:\s*(\d+)$/m.exec(readProc(pausePid, 'status'))?.[1]);
  return { spec, uid, sandboxId: podSandboxId, containers, shimPid };
}

function isReady(log: string): boolean {
  return existsSync(log) && /stdout F (ready|waiting)$/m.test(readFileSync(log, 'utf8'));
}

/** The zombies of a pod, its shim's included. */
export function zombiesOf({ shimPid }: Pod): Seen[] {
  return descendants([shimPid], readProcesses()).filter(({ zombie }) => zombie);
}

function privileges({ restrictedUser, addedCapability }: ContainerSpec): object {
  if (addedCapability !== undefined) return { capabilities: { addCapabilities: [addedCapability] } };
  if (restrictedUser === undefined) return {};
  const user = { runAsUser: { value: restrictedUser }, runAsGroup: { value: restrictedUser } };
  return { ...user, readonlyRootfs: true, noNewPrivs: true, capabilities: { dropCapabilities: ['ALL'] } };
}

/** The first process of a container or sandbox; 0 if it has ended. */
async function pidOf(runtime: Containerd, method: string, request: object): Promise<number> {
  const { info } = await runtime.call('RuntimeService', method, { ...request, verbose: true });
  return Number(JSON.parse(info?.info ?? '{}').pid ?? 0);
}

/**
 * A kubelet ends what it does not know below /kubepods. Where one runs, the pods stand below another cgroup, as those of
 * a kubelet with `--cgroup-root` do.
 */
const cgroupRoot = readProcesses().some(({ comm }) => comm === 'kubelet') ? ['gravekeeper'] : [];

/** The cgroup that a kubelet makes for a pod. */
function cgroupOf(uid: string, qos: PodSpec['qos'], { driver }: View): string {
  const parts = [...cgroupRoot, 'kubepods', ...(qos === 'guaranteed' ? [] : [qos])];
  if (driver === 'cgroupfs') return `/${[...parts, `pod${uid}`].join('/')}`;
  const slices = [...parts, `pod${uid.replaceAll('-', '_')}`];
  return slices.map((_, i) => `/${slices.slice(0, i + 1).join('-')}.slice`).join('');
}
