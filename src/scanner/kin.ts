import { type CgroupLine, type PodCgroup, podCgroupOf } from '../proc/cgroup.ts';
import type { ProcRoot } from '../proc/root.ts';
import type { Process } from '../proc/stat.ts';
import type { ProcessStatus } from '../proc/status.ts';
import type { ProcessTable } from '../proc/table.ts';
import type { TreeProcess } from './report.ts';

/** What is asked of single processes. */
type ProcessFiles = Pick<
  ProcRoot,
  'stat' | 'status' | 'cgroup' | 'commandLine' | 'pidNamespace' | 'waitChannel' | 'isHost'
>;

/** No process tree is deeper than this in earnest; a loop in a copied one must end. */
const mostAncestors = 64;

/**
 * Who is related to whom in one look at /proc, and what stands in the files of the few processes that matter: zombies,
 * their parents and PID 1s. What was read once is kept until the next look.
 */
export class Kin {
  readonly #proc: ProcessFiles;
  readonly #table: ProcessTable;
  readonly #stats = new Map<number, Process | null>();
  readonly #statuses = new Map<number, ProcessStatus | null>();
  readonly #cgroups = new Map<number, readonly CgroupLine[]>();
  readonly #v2Below = new Map<number, boolean>();
  #namespaces: ReadonlyMap<string, number> | null = null;

  constructor(proc: ProcessFiles, table: ProcessTable) {
    this.#proc = proc;
    this.#table = table;
  }

  /** Whether the processes are those of the machine itself, not those of a container. */
  get isHost(): boolean {
    return this.#proc.isHost();
  }

  /** What `stat` says of a process that was there when all were read; null if it was not, or is gone by now. */
  stat(pid: number): Process | null {
    const index = this.#table.indexOf(pid);
    if (index < 0) return null;
    const stat = remember(this.#stats, pid, () => this.#proc.stat(pid));
    // Another one with the same number is not the one that was seen.
    return stat?.startTime === this.#table.startTimeAt(index) ? stat : null;
  }

  status(pid: number): ProcessStatus | null {
    return remember(this.#statuses, pid, () => this.#proc.status(pid));
  }

  /** The pod whose cgroup a process is in, null for none. The files of a zombie may no longer tell. */
  podCgroup(pid: number): PodCgroup | null {
    return bestOf(this.#cgroupLines(pid));
  }

  /**
   * Whether a dead child of a process would still be known by its pod, as the living ones below the same parent are.
   * Only the line of cgroup v2 outlives a process; where pods are in v1 hierarchies alone, it names a service, or `/`,
   * for all of them.
   */
  knowsPodsOfDeadBelow(parent: number): boolean {
    return remember(this.#v2Below, parent, () => this.#isPodOnV2Below(parent));
  }

  #isPodOnV2Below(parent: number): boolean {
    for (let index = 0; index < this.#table.size; index += 1) {
      if (this.#table.ppidAt(index) !== parent || this.#table.isZombieAt(index)) continue;
      const lines = this.#cgroupLines(this.#table.pidAt(index));
      if (bestOf(lines) !== null) return bestOf(lines.filter(({ hierarchy }) => hierarchy === 0)) !== null;
    }
    return false;
  }

  #cgroupLines(pid: number): readonly CgroupLine[] {
    return remember(this.#cgroups, pid, () => this.#proc.cgroup(pid) ?? []);
  }

  commandLine(pid: number): readonly string[] | null {
    return this.#proc.commandLine(pid);
  }

  waitChannel(pid: number): string | null {
    return this.#proc.waitChannel(pid);
  }

  /** Whether a process is PID 1 of its PID namespace; null where that cannot be read. */
  isPid1(pid: number): boolean | null {
    if (pid === 1) return true;
    const nspid = this.status(pid)?.nspid ?? [];
    return nspid.length === 0 ? null : nspid.at(-1) === 1;
  }

  /** How many PID namespaces below that of the proc root a process is; 0 in the same one; null where unknown. */
  depth(pid: number): number | null {
    const nspid = this.status(pid)?.nspid ?? [];
    return nspid.length === 0 ? null : nspid.length - 1;
  }

  /** The processes above one, from its parent up. */
  *above(pid: number): Generator<Process> {
    let next = this.stat(pid)?.ppid ?? 0;
    for (let step = 0; step < mostAncestors && next > 0; step += 1) {
      const process = this.stat(next);
      if (process === null) return;
      yield process;
      next = process.ppid;
    }
  }

  /** The way from the root of the process tree down to the parent of a process. */
  ancestors(pid: number): readonly TreeProcess[] {
    return [...this.above(pid)].map(({ pid: above, comm }) => ({ pid: above, comm })).reverse();
  }

  /**
   * A live process of a pod in the same PID namespace. The link is readable for the same user, or with
   * CAP_SYS_PTRACE, only.
   */
  podNeighbour(pid: number): number | null {
    const namespace = this.#proc.pidNamespace(pid);
    if (namespace === null) return null;
    this.#namespaces ??= this.#podNamespaces();
    return this.#namespaces.get(namespace) ?? null;
  }

  #podNamespaces(): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (let index = 0; index < this.#table.size; index += 1) {
      if (this.#table.isZombieAt(index)) continue;
      const pid = this.#table.pidAt(index);
      const namespace = this.#proc.pidNamespace(pid);
      if (namespace !== null && !found.has(namespace) && this.podCgroup(pid) !== null)
        found.set(namespace, pid);
    }
    return found;
  }
}

function remember<T>(known: Map<number, T>, pid: number, read: () => T): T {
  const before = known.get(pid);
  if (before !== undefined || known.has(pid)) return before as T;
  const value = read();
  known.set(pid, value);
  return value;
}

/** The line that tells most: in a hybrid set-up some hierarchies know the container, others its service only. */
function bestOf(lines: readonly CgroupLine[]): PodCgroup | null {
  const pods = lines.flatMap(({ path }) => podCgroupOf(path) ?? []);
  const knows = ({ podUid, containerId }: PodCgroup) =>
    (podUid === null ? 0 : 2) + (containerId === null ? 0 : 1);
  return pods.toSorted((a, b) => knows(b) - knows(a))[0] ?? null;
}
