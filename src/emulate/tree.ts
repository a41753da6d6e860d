import type { ProcRoot } from '../proc/root.ts';
import type { ProcessTable } from '../proc/table.ts';

/** A process of a tree. */
export interface Member {
  readonly pid: number;
  readonly ppid: number;
  /** Clock ticks after boot; with the PID it identifies a process for good. */
  readonly startTime: number;
  /** One letter. */
  readonly state: string;
  readonly isZombie: boolean;
  /** Name of a zombie; null for a process that is none. */
  readonly comm: string | null;
}

/** A process and everything that descends from it, it first; empty if it is gone. */
export function treeOf(root: number, table: ProcessTable): Member[] {
  const children = new Map<number, number[]>();
  for (let index = 0; index < table.size; index += 1) {
    const siblings = children.get(table.ppidAt(index));
    if (siblings) siblings.push(index);
    else children.set(table.ppidAt(index), [index]);
  }
  const start = table.indexOf(root);
  const tree = start < 0 ? [] : [memberAt(start, table)];
  // The list grows while it is walked, so that each process found is asked for its children in turn.
  for (const member of tree) {
    for (const index of children.get(member.pid) ?? []) tree.push(memberAt(index, table));
  }
  return tree;
}

function memberAt(index: number, table: ProcessTable): Member {
  return {
    pid: table.pidAt(index),
    ppid: table.ppidAt(index),
    startTime: table.startTimeAt(index),
    state: table.stateAt(index),
    isZombie: table.isZombieAt(index),
    comm: table.commAt(index),
  };
}

/** Whether a process sleeps and has no SIGCHLD left to attend to: an init that is idle has reaped all it will. */
export function isIdle(pid: number, proc: ProcRoot): boolean {
  const status = proc.status(pid);
  return status?.state === 'S' && !status.sigchld.pending;
}
