import { readFileSync } from 'node:fs';

/** A process, told from a later one that has the same PID. */
export interface ProcessId {
  readonly pid: number;
  /** In clock ticks since the machine started. */
  readonly startTime: string;
}

/**
 * Answers null where there is no such process, or only what is left of it until its parent waits. While threads of it
 * end, which may still hold its ports, the first one is a zombie already.
 */
export function identify(pid: number): ProcessId | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, threads, startTime] = [fields[0], Number(fields[17]), fields[19]];
    const isOver = state === 'X' || (state === 'Z' && threads <= 1);
    return startTime === undefined || isOver ? null : { pid, startTime };
  } catch {
    return null;
  }
}

export function isAlive({ pid, startTime }: ProcessId): boolean {
  return identify(pid)?.startTime === startTime;
}
