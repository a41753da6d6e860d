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
export const highestPid = 4_194_304;

const [SPACE, NEWLINE, MINUS, ZERO, NINE, OPEN, CLOSE] = [32, 10, 45, 48, 57, 40, 41];
const Z = 0x5a;

/**
 * The reader of lines of `/proc/PID/stat`, for as many as there are: it makes no objects, and the fields hold what
 * the last line said. proc_pid_stat(5) numbers them.
 */
export class StatLine {
  pid = 0;
  ppid = 0;
  /** The character code of the letter. */
  state = 0;
  threads = 0;
  startTime = 0;
  flags = 0;
  /** Where the name starts and ends in the bytes. */
  commStart = 0;
  commEnd = 0;

  /** Whether the process is a zombie; see {@link isZombie}. */
  get isZombie(): boolean {
    return this.state === Z && this.threads === 1;
  }

  /**
   * Reads one line. The name stands in brackets and may itself hold blanks, newlines and brackets, so it ends at the
   * last closing one: only numbers follow.
   *
   * @returns Whether it is such a line; if not, the fields mean nothing.
   */
  read(bytes: Uint8Array, length: number): boolean {
    let close = length - 1;
    while (close >= 0 && bytes[close] !== CLOSE) close -= 1;
    const open = this.#readPid(bytes, close);
    if (open < 0) return false;
    this.commStart = open + 1;
    this.commEnd = close;
    this.state = bytes[close + 2] ?? 0;
    if (bytes[close + 1] !== SPACE || !isLetter(this.state) || bytes[close + 3] !== SPACE) return false;
    return this.#readNumbers(bytes, close + 4, length);
  }

  /** Field 1, and where the bracket behind it opens; -1 for neither. */
  #readPid(bytes: Uint8Array, end: number): number {
    let value = 0;
    for (let at = 0; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte >= ZERO && byte <= NINE) value = value * 10 + byte - ZERO;
      else if (at > 0 && value <= highestPid && byte === SPACE && bytes[at + 1] === OPEN) {
        this.pid = value;
        return at + 1;
      } else return -1;
    }
    return -1;
  }

  /** Fields 4 to 22, of which four matter. */
  #readNumbers(bytes: Uint8Array, start: number, length: number): boolean {
    let field = 4;
    let value = 0;
    let digits = 0;
    for (let at = start; at <= length; at += 1) {
      const byte = at < length ? (bytes[at] ?? 0) : NEWLINE;
      if (byte >= ZERO && byte <= NINE) {
        value = value * 10 + byte - ZERO;
        digits += 1;
      } else if (byte === SPACE || byte === NEWLINE) {
        if (digits === 0 || !this.#keep(field, value)) return false;
        if (field === 22) return true;
        field += 1;
        value = 0;
        digits = 0;
      } else if (byte !== MINUS || digits > 0) return false;
    }
    return false;
  }

  #keep(field: number, value: number): boolean {
    switch (field) {
      case 4:
        this.ppid = value;
        return value <= highestPid;
      case 9:
        this.flags = value;
        return value <= 0xffffffff;
      case 20:
        this.threads = value;
        return value <= highestPid;
      case 22:
        this.startTime = value;
        return value <= Number.MAX_SAFE_INTEGER;
      default:
        return true;
    }
  }
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

/**
 * Reads one line of `/proc/PID/stat`.
 *
 * @returns The process, or null where the text is not such a line.
 */
export function parseStat(text: string): Process | null {
  const bytes = Buffer.from(text);
  return parseStatBytes(bytes, bytes.length);
}

/** As {@link parseStat}, for the first `length` bytes of a buffer. */
export function parseStatBytes(bytes: Buffer, length: number): Process | null {
  const line = new StatLine();
  if (!line.read(bytes, length)) return null;
  const { pid, ppid, state, threads, startTime, flags } = line;
  const comm = bytes.toString('utf8', line.commStart, line.commEnd);
  return { pid, ppid, comm, state: String.fromCharCode(state), threads, startTime, flags };
}

/**
 * Whether a process is a zombie. A thread group whose first thread has exited is in state Z too while its other
 * threads run on: that one is alive.
 */
export function isZombie(process: Pick<Process, 'state' | 'threads'>): boolean {
  return process.state === 'Z' && process.threads === 1;
}
