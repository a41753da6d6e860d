/** What `/proc/PID/stat` says of a process. */
export interface Process {
  readonly pid: number;
  readonly ppid: number;
  /** Name of the program, mostly 15 bytes at most; it may hold any character. */
  readonly comm: string;
  /** One letter: R, S, D, Z, T, t, X, I … */
  readonly state: string;
  readonly threads: number;
  /** Clock ticks after boot; with the PID it identifies a process for good. */
  readonly startTime: number;
  /** The kernel's PF_* bits. */
  readonly flags: number;
}

/** USER_HZ: ticks of a start time in a second, the same on every architecture that Kubernetes runs on. */
export const ticksPerSecond = 100;

/** The bit of `flags` that tells kernel threads; PF_KTHREAD in the kernel's include/linux/sched.h. */
export const kernelThreadFlag = 0x200000;

/** The highest PID there can be on 64 bits: PID_MAX_LIMIT in the kernel's include/linux/threads.h. */
const highestPid = 4_194_304;

/**
 * What follows the name, from its bracket to field 22 of proc_pid_stat(5): fields 3, 4, 9, 20 and 22 are kept. A pattern,
 * since V8 runs it as machine code also where its optimising compilers are switched off.
 */
const behindName =
  /\) ([A-Za-z]) (\d{1,7}) (?:-?\d+ ){4}(\d{1,10}) (?:-?\d+ ){10}(\d{1,7}) -?\d+ (\d{1,16})(?=[ \n]|$)/y;

/** The reader of lines of `/proc/PID/stat`, for as many as there are: the fields hold what the last line said. */
export class StatLine {
  pid = 0;
  ppid = 0;
  /** One letter. */
  state = '';
  threads = 0;
  startTime = 0;
  flags = 0;
  #text = '';
  #nameStart = 0;
  #nameEnd = 0;
  #lastComm = '';

  /**
   * The name of the program, cut out when it is asked for. It is the same string as for the line before where it is
   * equal: zombies mostly share theirs with thousands of others.
   */
  get comm(): string {
    const isLast =
      this.#nameEnd - this.#nameStart === this.#lastComm.length &&
      this.#text.startsWith(this.#lastComm, this.#nameStart);
    if (!isLast) this.#lastComm = this.#text.slice(this.#nameStart, this.#nameEnd);
    return this.#lastComm;
  }

  /**
   * Reads one line. The name stands in brackets and may itself hold blanks, newlines and brackets, so it ends at the
   * last closing one: only numbers follow.
   *
   * @param pid Whose line it is to be.
   * @returns Whether it is; if not, the fields mean nothing.
   */
  read(text: string, pid: number): boolean {
    const start = `${pid} (`;
    const end = text.lastIndexOf(')');
    behindName.lastIndex = end;
    const fields = end >= start.length && text.startsWith(start) ? behindName.exec(text) : null;
    if (fields === null) return false;
    this.#text = text;
    this.#nameStart = start.length;
    this.#nameEnd = end;
    this.pid = pid;
    this.state = fields[1] ?? '';
    this.ppid = Number(fields[2]);
    this.flags = Number(fields[3]);
    this.threads = Number(fields[4]);
    this.startTime = Number(fields[5]);
    return (
      this.ppid <= highestPid &&
      this.flags <= 0xffffffff &&
      this.threads <= highestPid &&
      this.startTime <= Number.MAX_SAFE_INTEGER
    );
  }
}

const pidDigits = /^[1-9]\d{0,6}$/;

/** The PID that a text is, as the kernel writes it; 0 for any other text. */
export function pidOf(text: string): number {
  const pid = pidDigits.test(text) ? Number(text) : 0;
  return pid <= highestPid ? pid : 0;
}

/**
 * Reads one line of `/proc/PID/stat`.
 *
 * @returns The process, or null where the text is not such a line.
 */
export function parseStat(text: string): Process | null {
  const stat = new StatLine();
  const known = pidOf(text.slice(0, Math.max(0, text.indexOf(' '))));
  if (known === 0 || !stat.read(text, known)) return null;
  const { pid, ppid, comm, state, threads, startTime, flags } = stat;
  return { pid, ppid, comm, state, threads, startTime, flags };
}

/**
 * Whether a process is a zombie. A thread group whose first thread has exited is in state Z too while its other
 * threads run on: that one is alive.
 */
export function isZombie(process: Pick<Process, 'state' | 'threads'>): boolean {
  return process.state === 'Z' && process.threads === 1;
}
