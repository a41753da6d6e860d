import type { StatLine } from './stat.ts';

/**
 * The processes of one look at /proc, sorted by PID. One table is filled again and again: it keeps numbers in typed
 * arrays that grow to the most processes ever seen, and makes no object per process.
 */
export class ProcessTable {
  #pids = new Int32Array(1024);
  #ppids = new Int32Array(1024);
  #threadCounts = new Int32Array(1024);
  #startTimes = new Float64Array(1024);
  #states = new Uint8Array(1024);
  readonly #comms: (string | null)[] = [];
  #size = 0;
  #threads = 0;
  #failed = 0;

  /** Number of processes; the other methods take an index below it. */
  get size(): number {
    return this.#size;
  }

  /** Sum of the threads of the processes that could be read. */
  get threads(): number {
    return this.#threads;
  }

  /** Processes that could not be read, or whose line made no sense; one that has ended is no failure. */
  get failed(): number {
    return this.#failed;
  }

  pidAt(index: number): number {
    return this.#pids[index] ?? 0;
  }

  ppidAt(index: number): number {
    return this.#ppids[index] ?? 0;
  }

  /** Clock ticks after boot. */
  startTimeAt(index: number): number {
    return this.#startTimes[index] ?? 0;
  }

  threadsAt(index: number): number {
    return this.#threadCounts[index] ?? 0;
  }

  /** One letter. */
  stateAt(index: number): string {
    return String.fromCharCode(this.#states[index] ?? 0);
  }

  isZombieAt(index: number): boolean {
    return this.#comms[index] != null;
  }

  /** Name of a zombie; null for a process that is none. */
  commAt(index: number): string | null {
    return this.#comms[index] ?? null;
  }

  /** Whether the same process stands here as there in another table. */
  isSameAt(index: number, other: ProcessTable, otherIndex: number): boolean {
    return (
      index < this.#size &&
      this.#pids[index] === other.#pids[otherIndex] &&
      this.#startTimes[index] === other.#startTimes[otherIndex]
    );
  }

  /** The first place from one on where no PID below this one stands; where all do, the size. */
  skipTo(pid: number, from: number): number {
    let index = from;
    while (index < this.#size && (this.#pids[index] ?? 0) < pid) index += 1;
    return index;
  }

  /** Where a PID stands, or -1. */
  indexOf(pid: number): number {
    let low = 0;
    let high = this.#size - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.pidAt(middle);
      if (found === pid) return middle;
      if (found < pid) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /**
   * Empties the table, and makes room.
   *
   * @param processes How many will be added at most.
   */
  clear(processes: number): void {
    this.#size = 0;
    this.#threads = 0;
    this.#failed = 0;
    this.#comms.length = 0;
    this.#makeRoom(processes);
  }

  /**
   * Adds a process, in the order of PIDs.
   *
   * @param comm Its name if it is a zombie, else null.
   */
  add(line: Pick<StatLine, 'pid' | 'ppid' | 'threads' | 'startTime' | 'state'>, comm: string | null): void {
    const index = this.#size;
    this.#pids[index] = line.pid;
    this.#ppids[index] = line.ppid;
    this.#threadCounts[index] = line.threads;
    this.#startTimes[index] = line.startTime;
    this.#states[index] = line.state.charCodeAt(0);
    this.#comms[index] = comm;
    this.#threads += line.threads;
    this.#size += 1;
  }

  /** Counts a process that could not be read. */
  addFailed(): void {
    this.#failed += 1;
  }

  #makeRoom(processes: number): void {
    if (processes <= this.#pids.length) return;
    const capacity = 2 ** Math.ceil(Math.log2(processes));
    this.#pids = new Int32Array(capacity);
    this.#ppids = new Int32Array(capacity);
    this.#threadCounts = new Int32Array(capacity);
    this.#startTimes = new Float64Array(capacity);
    this.#states = new Uint8Array(capacity);
  }
}
