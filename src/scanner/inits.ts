import { initsThatReap } from '../pid1.ts';
import { basename } from '../pod/basename.ts';
import type { ProcessTable } from '../proc/table.ts';
import type { Kin } from './kin.ts';

/** PID 1 of a PID namespace in a pod. */
export interface Init {
  readonly pid: number;
  readonly podUid: string;
  readonly containerId: string | null;
  /** How many PID namespaces it is below that of the machine. */
  readonly depth: number;
  readonly comm: string;
  /** What it does for those that it adopts, as far as its name tells: `pause`, an init that reaps, or neither. */
  readonly role: 'pause' | 'reaper' | 'other';
}

interface Known {
  readonly startTime: number;
  readonly isPid1: boolean;
}

/** Finds PID 1 of every PID namespace in a pod. */
export class Inits {
  /** Whether a process is PID 1 never changes, so each is asked once. */
  #known = new Map<number, Known>();

  /**
   * @param table All processes.
   * @param kin Reads more of them.
   * @returns By the UID of the pod.
   */
  find(table: ProcessTable, kin: Kin): ReadonlyMap<string, readonly Init[]> {
    const known = new Map<number, Known>();
    const inits: Init[] = [];
    for (let index = 0; index < table.size; index += 1) {
      if (table.isZombieAt(index)) continue;
      const pid = table.pidAt(index);
      const startTime = table.startTimeAt(index);
      const before = this.#known.get(pid);
      const now = before?.startTime === startTime ? before : { startTime, isPid1: kin.isPid1(pid) === true };
      known.set(pid, now);
      const init = now.isPid1 ? initOf(pid, kin) : null;
      if (init) inits.push(init);
    }
    this.#known = known;
    return Map.groupBy(inits, ({ podUid }) => podUid);
  }
}

function initOf(pid: number, kin: Kin): Init | null {
  const cgroup = kin.podCgroup(pid);
  const process = kin.stat(pid);
  if (!cgroup?.podUid || process === null) return null;
  const { podUid, containerId } = cgroup;
  const depth = kin.depth(pid) ?? 0;
  return {
    pid,
    podUid,
    containerId,
    depth,
    comm: process.comm,
    role: roleOf(process.comm, kin.commandLine(pid)),
  };
}

function roleOf(comm: string, argv: readonly string[] | null): Init['role'] {
  if (comm === 'pause') return 'pause';
  const names = [comm, basename(argv?.[0] ?? '')];
  return names.some((name) => initsThatReap.has(name)) ? 'reaper' : 'other';
}
