import type { PodCgroup } from '../proc/cgroup.ts';
import type { Kin } from './kin.ts';
import type { Place } from './place.ts';
import type { FixableBy, ZombieKind } from './report.ts';

/** What a zombie is, and who can end it. */
export interface Kind {
  readonly kind: ZombieKind;
  readonly certain: boolean;
  readonly fixableBy: FixableBy;
}

/** What the kernel calls the programs that start containers; it keeps 15 bytes of a name. */
const runtimeNames: ReadonlySet<string> = new Set([
  'containerd-shim',
  'containerd',
  'conmon',
  'conmonrs',
  'crio',
  'dockerd',
  'cri-dockerd',
  'docker-containe',
  'kubelet',
  'k3s-server',
  'k3s-agent',
  'kubelite',
]);

/** Those that the orphans below them are given to, in the same PID namespace. */
const subreapers: ReadonlySet<string> = new Set(['containerd-shim', 'conmon', 'conmonrs', 'docker-containe']);

/**
 * Whether a process is a container runtime. A name can be forged, so it counts only in the PID namespace of the machine
 * itself, and outside the cgroups of pods.
 */
function isRuntime(pid: number, kin: Kin): boolean {
  const process = kin.stat(pid);
  return (
    process !== null &&
    runtimeNames.has(process.comm) &&
    kin.isHost &&
    (kin.depth(pid) ?? 0) === 0 &&
    isOutsideOfContainers(process.comm, kin.podCgroup(pid))
  );
}

/** CRI-O may put the monitor of a container into the pod's cgroup, beside the containers, where nothing of theirs gets. */
function isOutsideOfContainers(comm: string, cgroup: PodCgroup | null): boolean {
  return cgroup === null || (comm.startsWith('conmon') && cgroup.containerId === null);
}

/** A zombie, as far as its kind goes. */
export interface Candidate {
  readonly pid: number;
  /** 0 where the parent is outside of what can be seen. */
  readonly ppid: number;
  readonly place: Place;
  /** Whether it was seen under another parent before. */
  readonly adopted: boolean;
}

/**
 * Tells the kinds apart. In one look a child that PID 1 started itself and one that it adopted are the same to see: such
 * a zombie is an orphan, likely, unless it was seen under another parent before.
 *
 * @param zombie Where it stands.
 * @param kin This look at /proc.
 */
export function kindOf({ pid, ppid, place, adopted }: Candidate, kin: Kin): Kind {
  // A parent outside of the namespace that is visible here put it in: a runtime, or a person.
  if (ppid === 0) return { kind: 'runtime', certain: false, fixableBy: 'runtime' };
  if (isRuntime(ppid, kin)) return underRuntime({ pid, ppid, place, adopted }, kin);
  const isPid1 = kin.stat(ppid) === null ? null : kin.isPid1(ppid);
  if (isPid1 === false) return { kind: 'unreaped-child', certain: true, fixableBy: 'app' };
  return { kind: 'orphan', certain: adopted && isPid1 === true, fixableBy: 'init' };
}

/**
 * A shim adopts what the processes of a pod leave behind only in the PID namespace that both are in, that of the
 * machine (hostPID). Everything else below it, it started itself.
 */
function underRuntime({ pid, ppid, place, adopted }: Candidate, kin: Kin): Kind {
  const sharesNamespace = (kin.depth(pid) ?? 0) === 0;
  if (sharesNamespace && place.evidence === 'own-cgroup') {
    return { kind: 'orphan', certain: adopted, fixableBy: 'runtime' };
  }
  // Where the dead tell no pod, the orphan of a hostPID pod would look the same; but only a subreaper adopts.
  const certain =
    !sharesNamespace || !subreapers.has(kin.stat(ppid)?.comm ?? '') || kin.knowsPodsOfDeadBelow(ppid);
  return { kind: 'runtime', certain, fixableBy: 'runtime' };
}
