import { readdirSync, readFileSync } from 'node:fs';

/** What `/proc/PID/stat` says of a process. */
export interface Process {
  readonly pid: number;
  readonly ppid: number;
  /** Name of the program, at most 15 bytes; it may hold any character. */
  readonly comm: string;
  /** One letter: R, S, D, Z, T, t, X, I … */
  readonly state: string;
  readonly threads: number;
  /** Clock ticks after boot; with the PID it identifies a process for good. */
  readonly startTime: number;
}

/**
 * Reads one line of `/proc/PID/stat`. The name stands in brackets and may itself hold spaces, newlines and
 * brackets, so it ends at the last closing one.
 *
 * @returns The process, or null where the text is not such a line.
 */
export function parseStat(text: string): Process | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return null;
  const pid = Number(text.slice(0, open));
  const fields = text
    .slice(close + 1)
    .trim()
    .split(' ');
  const state = fields[0] ?? '';
  // Fields 4, 20 and 22 of proc_pid_stat(5); what follows the name starts with field 3.
  const [ppid, threads, startTime] = [fields[1], fields[17], fields[19]].map(Number);
  if (ppid === undefined || threads === undefined || startTime === undefined) return null;
  if (![pid, ppid, threads, startTime].every(Number.isInteger) || !/^[A-Za-z]$/.test(state)) return null;
  return { pid, ppid, comm: text.slice(open + 1, close), state, threads, startTime };
}

/** Reads one process, or null if it is gone. */
export function readProcess(pid: number): Process | null {
  const text = readProcFile(pid, 'stat');
  return text === null ? null : parseStat(text);
}

/** Reads every process of the machine that is visible here. */
export function readProcesses(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

/**
 * Whether a process is a zombie. A thread group whose first thread has exited is in state Z too while its other
 * threads run on: that one is alive.
 */
export function isZombie(process: Process): boolean {
  return process.state === 'Z' && process.threads === 1;
}

/** A process and everything that descends from it; empty if it is gone. */
export function treeOf(root: number, processes: readonly Process[]): Process[] {
  const children = Map.groupBy(processes, (process) => process.ppid);
  const tree = processes.filter((process) => process.pid === root);
  // The list grows while it is walked, so that each process found is asked for its children in turn.
  for (const process of tree) tree.push(...(children.get(process.pid) ?? []));
  return tree;
}

/** The words of a process; empty for a zombie, for a kernel thread and for one that is gone. */
export function readCommandLine(pid: number): string[] {
  return (readProcFile(pid, 'cmdline') ?? '').split('\0').slice(0, -1);
}

const SIGCHLD_BIT = 1n << 16n;

/** Whether a process sleeps and has no SIGCHLD left to attend to: an init that is idle has reaped all it will. */
export function isIdle(pid: number): boolean {
  const status = readProcFile(pid, 'status');
  if (status === null) return false;
  const pending = [...status.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)];
  return (
    /^State:\s*S/m.test(status) && pending.every(([, mask]) => (BigInt(`0x${mask}`) & SIGCHLD_BIT) === 0n)
  );
}

function readProcFile(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    // It ended between two looks, which every reader of /proc must expect.
    return null;
  }
}
