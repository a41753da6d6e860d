import type { ProcessTable } from '../proc/table.ts';
import { type Group, type Membership, Tally } from './groups.ts';
import type { Kin } from './kin.ts';
import { kindOf } from './kind.ts';
import { type Place, placeOf } from './place.ts';

/** Says of a zombie's start, in ticks after boot, and its place whether it is old enough to count as one that stays. */
type IsSettled = (startTime: number, place: Place) => boolean;

const adopted = 1;
const wasThere = 2;

/**
 * The zombies of a node from one look at /proc to the next. A child that just died is a zombie for milliseconds, so
 * only those that were there before count. PID and start time together know a process; the number alone is used again.
 *
 * There may be tens of thousands, so nothing is made for each: what is remembered of a process stands in columns
 * beside the table of the look that saw it, and is carried over from one look to the next.
 */
export class Zombies {
  /** Of every process: whether it was seen under another parent before, and as a zombie at the very first look. */
  #marks = new Uint8Array(1024);
  #marksBefore = new Uint8Array(1024);
  /** Of zombies that were seen twice. */
  #memberships: (Membership | undefined)[] = [];
  #membershipsBefore: (Membership | undefined)[] = [];
  readonly #shared = new Shared<Membership>();

  /**
   * Takes in a look.
   *
   * @param table All processes.
   * @param before The table of the look that was taken in before this one; null at the first.
   * @param kin Reads more of those of the table.
   * @param isSettled Asked of those that were not there from the start.
   * @returns Those that were zombies in the look before, too, in groups.
   */
  update(table: ProcessTable, before: ProcessTable | null, kin: Kin, isSettled: IsSettled): Group[] {
    this.#turnOver(table.size);
    const tallies = new Tallies();
    let there = 0;
    for (let index = 0; index < table.size; index += 1) {
      const pid = table.pidAt(index);
      there = before?.skipTo(pid, there) ?? 0;
      const isKnown = before?.isSameAt(there, table, index) === true;
      const ppid = table.ppidAt(index);
      if (isKnown) {
        const moved = before.ppidAt(there) !== ppid;
        this.#marks[index] = (this.#marksBefore[there] ?? 0) | (moved ? adopted : 0);
      }
      const comm = table.commAt(index);
      if (comm === null) continue;
      if (!isKnown || !before.isZombieAt(there)) {
        // It may be gone in a moment, so no file of it is read yet.
        if (before === null) this.#marks[index] = wasThere;
        continue;
      }
      const known = this.#membershipsBefore[there];
      // What is known of a zombie holds for good, unless its parent died and another one took it over.
      const membership = known?.ppid === ppid ? known : this.#newMembership(pid, ppid, index, kin);
      this.#memberships[index] = membership;
      const startTime = table.startTimeAt(index);
      const isOld = this.#has(wasThere, index) || isSettled(startTime, membership.place);
      tallies.of(membership).add(pid, startTime, comm, membership.kind.certain, isOld);
    }
    return tallies.groups();
  }

  /** What is remembered becomes what was remembered before, and there is room for so many processes. */
  #turnOver(size: number): void {
    [this.#marks, this.#marksBefore] = [this.#marksBefore, this.#marks];
    [this.#memberships, this.#membershipsBefore] = [this.#membershipsBefore, this.#memberships];
    if (this.#marks.length < size) this.#marks = new Uint8Array(2 ** Math.ceil(Math.log2(size)));
    else this.#marks.fill(0);
    this.#memberships.length = 0;
    this.#memberships.length = size;
  }

  #has(mark: number, index: number): boolean {
    return ((this.#marks[index] ?? 0) & mark) !== 0;
  }

  #newMembership(pid: number, ppid: number, index: number, kin: Kin): Membership {
    const place = placeOf(pid, ppid, kin);
    const kind = kindOf({ pid, ppid, place, adopted: this.#has(adopted, index) }, kin);
    const key = `${place.podUid} ${place.containerId} ${ppid} ${kind.kind} ${kind.fixableBy}`;
    return this.#shared.get(`${key} ${kind.certain} ${place.evidence}`, { key, ppid, place, kind });
  }
}

/** A tally for each group. */
class Tallies {
  readonly #byKey = new Map<string, Tally>();
  /** Zombies of one group mostly come one after the other. */
  #lastMembership: Membership | null = null;
  #last: Tally | null = null;

  of(membership: Membership): Tally {
    if (this.#last !== null && this.#lastMembership === membership) return this.#last;
    const { key } = membership;
    const tally = this.#byKey.get(key) ?? new Tally(membership);
    this.#byKey.set(key, tally);
    this.#lastMembership = membership;
    this.#last = tally;
    return tally;
  }

  groups(): Group[] {
    return [...this.#byKey.values()].map((tally) => tally.group());
  }
}

/** More different values than this are not worth remembering. */
const mostShared = 10_000;

/** Values of which many are equal, each kept once. */
class Shared<T> {
  readonly #values = new Map<string, T>();

  /** The value that was kept under this key, or else this one from now on. */
  get(key: string, value: T): T {
    const kept = this.#values.get(key);
    if (kept !== undefined) return kept;
    if (this.#values.size >= mostShared) this.#values.clear();
    this.#values.set(key, value);
    return value;
  }
}
