// Reads /proc by itself: what the scanner says is held against what is seen here.
import { readdirSync, readFileSync } from 'node:fs';

/** A process as /proc/PID/stat has it. */
export interface Seen {
  readonly pid: number;
  readonly ppid: number;
  readonly comm: string;
  readonly zombie: boolean;
}

/** Every process of the machine. */
export function readProcesses(): Seen[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const text = readProc(Number(name), 'stat');
      const match = /^(\d+) \((.*)\) (\S) (\d+) (?:\S+ ){15}(\d+) /s.exec(text);
      if (!match) return [];
      const [, pid, comm = '', state, ppid, threads] = match;
      return [{ pid: Number(pid), ppid: Number(ppid), comm, zombie: state === 'Z' && threads === '1' }];
    });
}

/** What descends from some processes, themselves included. */
export function descendants(roots: readonly number[], processes: readonly Seen[]): Seen[] {
  const children = Map.groupBy(processes, ({ ppid }) => ppid);
  const tree = processes.filter(({ pid }) => roots.includes(pid));
  // The list grows while it is walked.
  for (const { pid } of tree) tree.push(...(children.get(pid) ?? []));
  return [...new Set(tree)];
}

/** A file of a process as text; empty where the process is gone. */
export function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
