import { readdirSync, readFileSync, readlinkSync, statfsSync } from 'node:fs';
import { InputError } from '../input-error.ts';
import { type CgroupLine, parseCgroup, podCgroupOf } from './cgroup.ts';
import { openFlags, readStart, readText } from './read-text.ts';
import { isZombie, kernelThreadFlag, type Process, parseStat, pidOf, StatLine } from './stat.ts';
import { type ProcessStatus, parseStatus } from './status.ts';
import type { ProcessTable } from './table.ts';

/**
 * A /proc: that of this machine, a mount of another one, or a copied tree. Whatever is asked of one process is null
 * where the process is gone or may not be looked at.
 */
export interface ProcRoot {
  readonly path: string;
  /** Seconds since 1970 when the machine was booted. */
  readonly bootTime: number;
  uptimeSeconds(): number | null;
  /** Processes and threads of the whole machine, zombies included. */
  nodeThreads(): number | null;
  /** Processes and threads that were started since boot, on the whole machine. */
  forks(): number | null;
  /**
   * Fills the table with every process that is visible here.
   *
   * @throws {InputError} if the folder itself can no longer be listed.
   */
  readTable(table: ProcessTable): void;
  stat(pid: number): Process | null;
  status(pid: number): ProcessStatus | null;
  /** The same array for processes of the same cgroups. */
  cgroup(pid: number): readonly CgroupLine[] | null;
  /** The words of the process, at most 64 KiB of them; none for zombies and kernel threads. */
  commandLine(pid: number): readonly string[] | null;
  /** An identifier such as `pid:[4026531836]`. */
  pidNamespace(pid: number): string | null;
  /** The kernel function it sleeps in; null also where the kernel does not tell. */
  waitChannel(pid: number): string | null;
  /** The text of a file below this folder, such as `sys/kernel/pid_max`; at most 1 MiB of it. */
  text(path: string): string | null;
  /** Whether this is the view of a whole machine, and not that of one container. */
  isHost(): boolean;
}

/**
 * Opens a /proc.
 *
 * @param path Its folder. The type of its file system does not matter, so that copied trees work.
 * @throws {InputError} unless its file `stat` has a line `btime`.
 */
export function openProcRoot(path: string): ProcRoot {
  const text = readText(`${path}/stat`);
  const bootTime = /^btime (\d{1,15})$/m.exec(text ?? '')?.[1];
  if (bootTime !== undefined) return new ProcFolder(path, Number(bootTime));
  const fault =
    text === null ? 'its file "stat" cannot be read' : 'its file "stat" has no line "btime SECONDS"';
  throw new InputError(
    `${path} is no proc root: ${fault}. Name /proc, a mount of another machine’s /proc, or a copy of one.`,
  );
}

const MOST_WORDS_BYTES = 1 << 16;

/** A line of `stat` is shorter: 52 numbers and a name. */
const MOST_STAT_BYTES = 4096;

/** In the kernel's include/uapi/linux/magic.h. */
const PROC_SUPER_MAGIC = 0x9fa0;
const MOST_CGROUPS = 512;
const MOST_COMMS = 1024;

/** Errors that say that the process has ended, or that a copied tree has no such file. */
const goneCodes = new Set(['ENOENT', 'ESRCH', 'ENOTDIR']);

/** Node opens, reads and closes in one call into its native code, if it is to be UTF-8. */
const statOptions = { encoding: 'utf8', flag: openFlags } as const;

class ProcFolder implements ProcRoot {
  readonly path: string;
  readonly bootTime: number;
  readonly #line = new StatLine();
  /** The zombies of a container all say the same, and whoever keeps some of it should keep one text, not thousands. */
  readonly #cgroups = new Map<string, readonly CgroupLine[]>();
  readonly #comms = new Map<string, string>();
  #pids = new Int32Array(1024);

  readonly #isProcfs: boolean;

  constructor(path: string, bootTime: number) {
    this.path = path;
    this.#isProcfs = isProcfs(path);
    this.bootTime = bootTime;
  }

  uptimeSeconds(): number | null {
    const seconds = /^(\d{1,15}(?:\.\d+)?) /.exec(this.text('uptime') ?? '')?.[1];
    return seconds === undefined ? null : Number(seconds);
  }

  nodeThreads(): number | null {
    // proc_loadavg(5): running and existing "kernel scheduling entities", with a slash between.
    const threads = /^\S+ \S+ \S+ \d+\/(\d{1,10}) /.exec(this.text('loadavg') ?? '')?.[1];
    return threads === undefined ? null : Number(threads);
  }

  forks(): number | null {
    const forks = /^processes (\d{1,15})$/m.exec(this.text('stat') ?? '')?.[1];
    return forks === undefined ? null : Number(forks);
  }

  readTable(table: ProcessTable): void {
    const pids = this.#listPids();
    table.clear(pids.length);
    const line = this.#line;
    for (const pid of pids) {
      try {
        if (!line.read(this.#readStat(pid), pid)) table.addFailed();
        else table.add(line, isZombie(line) ? this.#oneOf(line.comm) : null);
      } catch (error) {
        if (!goneCodes.has(codeOf(error))) table.addFailed();
      }
    }
  }

  stat(pid: number): Process | null {
    try {
      const process = parseStat(this.#readStat(pid));
      return process?.pid === pid ? process : null;
    } catch {
      return null;
    }
  }

  status(pid: number): ProcessStatus | null {
    return parsed(this.text(`${pid}/status`), parseStatus);
  }

  cgroup(pid: number): readonly CgroupLine[] | null {
    const text = this.text(`${pid}/cgroup`);
    if (text === null) return null;
    const known = this.#cgroups.get(text);
    if (known !== undefined) return known;
    if (this.#cgroups.size === MOST_CGROUPS) this.#cgroups.clear();
    const lines = parseCgroup(text);
    this.#cgroups.set(text, lines);
    return lines;
  }

  commandLine(pid: number): readonly string[] | null {
    return parsed(readText(`${this.path}/${pid}/cmdline`, MOST_WORDS_BYTES), (text) =>
      // A program that writes its title over its words may leave out the last NUL.
      text === '' ? [] : text.replace(/\0$/, '').split('\0'),
    );
  }

  pidNamespace(pid: number): string | null {
    try {
      return readlinkSync(`${this.path}/${pid}/ns/pid`);
    } catch {
      return null;
    }
  }

  waitChannel(pid: number): string | null {
    const text = this.text(`${pid}/wchan`)?.trim();
    // 0 stands for a process that runs, and for a reader who may not know.
    return text === undefined || text === '' || text === '0' ? null : text;
  }

  text(path: string): string | null {
    return readText(`${this.path}/${path}`);
  }

  isHost(): boolean {
    // A machine's PID 2 is kthreadd, and no namespace but the first has kernel threads.
    if (((this.stat(2)?.flags ?? 0) & kernelThreadFlag) !== 0) return true;
    const paths = (this.cgroup(1) ?? []).map(({ path }) => path);
    if (paths.some((path) => podCgroupOf(path) !== null)) return false;
    // Copies may lack kernel threads, and whoever made one could forge anything.
    return !this.#isProcfs || paths.some((path) => path !== '/');
  }

  /** The folders that are PIDs, ascending, as the kernel lists them; a copied tree may be in any order. */
  #listPids(): Int32Array {
    const names = this.#listNames();
    if (names.length > this.#pids.length) this.#pids = new Int32Array(2 * names.length);
    let count = 0;
    let isSorted = true;
    for (const name of names) {
      const pid = pidOf(name);
      if (pid === 0) continue;
      isSorted &&= count === 0 || (this.#pids[count - 1] ?? 0) < pid;
      this.#pids[count] = pid;
      count += 1;
    }
    const pids = this.#pids.subarray(0, count);
    return isSorted ? pids : pids.sort();
  }

  /** All at once: opendir would look at the type of each, and throw where one has ended. */
  #listNames(): string[] {
    try {
      return readdirSync(this.path);
    } catch (error) {
      throw new InputError(
        `${this.path} cannot be listed: ${error instanceof Error ? error.message : error}`,
      );
    }
  }

  /** The same string for equal names: most zombies share theirs with thousands of others. */
  #oneOf(comm: string): string {
    const known = this.#comms.get(comm);
    if (known !== undefined) return known;
    if (this.#comms.size === MOST_COMMS) this.#comms.clear();
    this.#comms.set(comm, comm);
    return comm;
  }

  /** A copied tree may hold a file of any size. */
  #readStat(pid: number): string {
    const path = `${this.path}/${pid}/stat`;
    return this.#isProcfs ? readFileSync(path, statOptions) : readStart(path, MOST_STAT_BYTES);
  }
}

/** Whether a folder is a mounted /proc, and not a copy of one. */
export function isProcfs(path: string): boolean {
  try {
    return statfsSync(path).type === PROC_SUPER_MAGIC;
  } catch {
    return false;
  }
}

function parsed<T>(text: string | null, parse: (text: string) => T): T | null {
  return text === null ? null : parse(text);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
