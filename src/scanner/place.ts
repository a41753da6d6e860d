import type { PodCgroup } from '../proc/cgroup.ts';
import type { Kin } from './kin.ts';
import type { Evidence } from './report.ts';

/** Where a zombie belongs; all null where nothing tells. */
export interface Place {
  /** As in a cgroup's path: a UID, or for a static pod the hash of its configuration. */
  readonly podUid: string | null;
  readonly containerId: string | null;
  readonly evidence: Evidence | null;
}

const nowhere: Place = { podUid: null, containerId: null, evidence: null };

/**
 * Finds the pod and container of a zombie, by the best evidence there is:
 * 1. its own cgroup, of which cgroup v1 shows only `/` once a process is dead;
 * 2. that of its parent;
 * 3. that of the nearest process above it in the same PID namespace;
 * 4. that of a live process in the same PID namespace, where the link to it may be read.
 *
 * The cgroup of a service, such as the container runtime, is never taken for the zombie's.
 *
 * @param pid The zombie.
 * @param ppid Its parent.
 * @param kin This look at /proc.
 */
export function placeOf(pid: number, ppid: number, kin: Kin): Place {
  const own = kin.podCgroup(pid);
  if (own !== null) return placeIn(own, 'own-cgroup');

  const parent = isAtLevelOf(pid, ppid, kin) ? kin.podCgroup(ppid) : null;
  if (parent !== null) return adopted(parent, ppid, kin, 'parent-cgroup');

  for (const above of aboveInNamespace(pid, ppid, kin)) {
    const cgroup = kin.podCgroup(above);
    if (cgroup !== null) return adopted(cgroup, above, kin, 'ancestor-cgroup');
  }

  const neighbour = (kin.depth(pid) ?? 0) > 0 ? kin.podNeighbour(pid) : null;
  const cgroup = neighbour === null ? null : kin.podCgroup(neighbour);
  // Containers of one pod may share a namespace: a neighbour tells no more than the pod.
  return cgroup === null ? nowhere : { podUid: cgroup.podUid, containerId: null, evidence: 'pid-namespace' };
}

function placeIn({ podUid, containerId }: PodCgroup, evidence: Evidence): Place {
  return { podUid, containerId, evidence };
}

/** What pause adopted may be any container's of its pod. */
function adopted(cgroup: PodCgroup, pid: number, kin: Kin, evidence: Evidence): Place {
  const { podUid } = cgroup;
  return isPause(pid, kin) ? { podUid, containerId: null, evidence } : placeIn(cgroup, evidence);
}

/** Whether a process calls itself pause and is PID 1 of its namespace: the init of a pod's sandbox. */
export function isPause(pid: number, kin: Kin): boolean {
  return kin.isPid1(pid) === true && kin.stat(pid)?.comm === 'pause';
}

/** A parent in another namespace started a process in this one from outside, and its cgroup tells nothing of it. */
function isAtLevelOf(pid: number, other: number, kin: Kin): boolean {
  const [depth, otherDepth] = [kin.depth(pid), kin.depth(other)];
  return depth === null || otherDepth === null || depth === otherDepth;
}

/** The processes above the parent, up to PID 1 of the zombie's namespace. */
function* aboveInNamespace(pid: number, ppid: number, kin: Kin): Generator<number> {
  if (kin.isPid1(ppid) === true) return;
  for (const { pid: above } of kin.above(ppid)) {
    if (!isAtLevelOf(pid, above, kin)) return;
    yield above;
    if (kin.isPid1(above) === true) return;
  }
}
