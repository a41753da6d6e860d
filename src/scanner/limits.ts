import { readlinkSync } from 'node:fs';
import { isProcfs, type ProcRoot } from '../proc/root.ts';
import { containerFolder, hierarchyOf, PodFolderIndex } from './limit-folders.ts';
import {
  type CgroupMemory,
  type CgroupPids,
  readCgroupMemory,
  readCgroupPids,
  wholeNumber,
} from './limit-values.ts';

export type { CgroupMemory, CgroupPids };

/** The limits that zombies use up. Each is null where it cannot be read. */
export interface Limits {
  /** The highest PID; null also where what can be read is not the node's. */
  pidMax(): number | null;
  /** The most threads that the kernel lets there be. */
  threadsMax(): number | null;
  /** The cgroup of all pods of the node; null also where there are several such cgroups with processes. */
  kubepods(): CgroupPids | null;
  /** @param uid As `podCgroupOf` gives it. */
  pod(uid: string): CgroupPids | null;
  /** @param containerId 64 hexadecimal digits. */
  containerMemory(podUid: string, containerId: string): CgroupMemory | null;
}

/** The number of the first PID namespace is fixed: PROC_PID_INIT_INO in the kernel's include/linux/proc_ns.h. */
const initialPidNamespace = 'pid:[4026531836]';

/**
 * Opens the limits of a node.
 *
 * @param cgroupRoot What is mounted at /sys/fs/cgroup there, or a copy; null where there is none to look at.
 * @param now A clock in milliseconds that only goes forward.
 */
export function openLimits(
  proc: Pick<ProcRoot, 'path' | 'text'>,
  cgroupRoot: string | null,
  now: () => number = () => process.uptime() * 1000,
): Limits {
  const index = (root: string | null) => (root === null ? null : new PodFolderIndex(root, now));
  const pidsRoot = cgroupRoot === null ? null : hierarchyOf(cgroupRoot, 'pids');
  const memoryRoot = cgroupRoot === null ? null : hierarchyOf(cgroupRoot, 'memory');
  const pids = index(pidsRoot);
  const memory = memoryRoot === pidsRoot ? pids : index(memoryRoot);
  const tellsPidMax = isPidMaxOf(proc.path);
  return {
    pidMax: () => (tellsPidMax ? wholeNumber(proc.text('sys/kernel/pid_max')) : null),
    threadsMax: () => wholeNumber(proc.text('sys/kernel/threads-max')),
    kubepods: () => pids?.take(({ kubepods }) => onlyOneUsed(kubepods)) ?? null,
    pod: (uid) => pids?.take(({ pods }) => applied(pods.get(uid), readCgroupPids)) ?? null,
    containerMemory: (podUid, containerId) =>
      memory?.take(({ pods }) =>
        applied(pods.get(podUid), (folder) =>
          applied(containerFolder(folder, containerId), readCgroupMemory),
        ),
      ) ?? null,
  };
}

/**
 * Whether the `pid_max` below a /proc is that of the machine it shows. Since Linux 6.14 each PID namespace has one of
 * its own, and whoever reads the file sees that of the namespace he is in, whosever /proc it is.
 */
function isPidMaxOf(procPath: string): boolean {
  if (!isProcfs(procPath)) return true;
  try {
    return readlinkSync('/proc/self/ns/pid') === initialPidNamespace;
  } catch {
    return false;
  }
}

/**
 * The use of the one cgroup in which there are processes: a kubelet whose driver was changed leaves its former cgroup
 * behind, empty. With several, such as nodes in containers side by side, none is that of this node.
 */
function onlyOneUsed(folders: readonly string[]): CgroupPids | null {
  const read = folders.map(readCgroupPids).filter((pids) => pids !== null);
  const used = folders.length === 1 ? read : read.filter((pids) => pids.used > 0);
  return used.length === 1 ? (used[0] ?? null) : null;
}

function applied<In, Out>(value: In | null | undefined, apply: (value: In) => Out | null): Out | null {
  return value == null ? null : apply(value);
}
