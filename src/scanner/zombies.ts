import type { ProcessTable } from '../proc/table.ts';
import type { Kin } from './kin.ts';
import { type Kind, kindOf } from './kind.ts';
import { nowhere, type Place, placeOf } from './place.ts';

/** A zombie that was there in this look and in an earlier one. */
export interface Zombie {
  readonly pid: number;
  /** Ticks after boot. */
  readonly startTime: number;
  readonly ppid: number;
  readonly comm: string;
  /** Whether it was there at the very first look: nobody knows since when. */
  readonly wasThere: boolean;
  readonly place: Place;
  readonly kind: Kind;
}

interface Known {
  readonly startTime: number;
  zombie: Zombie;
  /** Whether it was seen under another parent before. */
  adopted: boolean;
  /** The look that saw it last. */
  look: number;
}

/**
 * The zombies of a node from one look at /proc to the next. A child that just died is a zombie for milliseconds, so
 * only those that were there before count. PID and start time together know a process; the number alone is used again.
 */
export class Zombies {
  readonly #known = new Map<number, Known>();
  #look = 0;

  /**
   * Takes in a look.
   *
   * @param table All processes.
   * @param before All processes of the look before; null at the first.
   * @param kin Reads more of those of the table.
   * @returns Those that were zombies in an earlier look too, in the order of their PIDs.
   */
  update(table: ProcessTable, before: ProcessTable | null, kin: Kin): Zombie[] {
    this.#look += 1;
    const survivors: Zombie[] = [];
    for (let index = 0; index < table.size; index += 1) {
      if (!table.isZombieAt(index)) continue;
      const known = this.#known.get(table.pidAt(index));
      if (known?.startTime === table.startTimeAt(index))
        survivors.push(this.#seenAgain(known, table, index, kin));
      else this.#seen(table, index, before);
    }
    for (const [pid, { look }] of this.#known) if (look !== this.#look) this.#known.delete(pid);
    return survivors;
  }

  /** It may be gone in a moment, so no file of it is read yet. */
  #seen(table: ProcessTable, index: number, before: ProcessTable | null): void {
    const pid = table.pidAt(index);
    const startTime = table.startTimeAt(index);
    const ppid = table.ppidAt(index);
    const earlier = before?.indexOf(pid) ?? -1;
    const adopted =
      before !== null &&
      earlier >= 0 &&
      before.startTimeAt(earlier) === startTime &&
      before.ppidAt(earlier) !== ppid;
    const comm = table.commAt(index) ?? '';
    const wasThere = before === null;
    const zombie = { pid, startTime, ppid, comm, wasThere, place: nowhere, kind: undecided };
    this.#known.set(pid, { startTime, zombie, adopted, look: this.#look });
  }

  #seenAgain(known: Known, table: ProcessTable, index: number, kin: Kin): Zombie {
    const ppid = table.ppidAt(index);
    const moved = ppid !== known.zombie.ppid;
    known.adopted ||= moved;
    known.look = this.#look;
    // What is known of it holds for good, unless its parent died and another one took it over.
    if (moved || known.zombie.kind === undecided) {
      const { pid } = known.zombie;
      const place = placeOf(pid, ppid, kin);
      const kind = kindOf({ pid, ppid, place, adopted: known.adopted }, kin);
      known.zombie = { ...known.zombie, ppid, place, kind };
    }
    return known.zombie;
  }
}

const undecided: Kind = { kind: 'orphan', certain: false, fixableBy: 'init' };
