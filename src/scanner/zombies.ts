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
  /** The same for those with the container, the parent and the kind in common. */
  readonly group: string;
}

/** There may be tens of thousands, so each is one object, and what they have in common is shared. */
interface Known extends Zombie {
  ppid: number;
  place: Place;
  kind: Kind;
  group: string;
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
  readonly #places = new Shared<Place>();
  readonly #kinds = new Shared<Kind>();
  readonly #texts = new Shared<string>();
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
      if (known?.startTime === table.startTimeAt(index)) {
        this.#seenAgain(known, table.ppidAt(index), kin);
        survivors.push(known);
      } else this.#seen(table, index, before);
    }
    for (const [pid, { look }] of this.#known) if (look !== this.#look) this.#known.delete(pid);
    return survivors;
  }

  /** It may be gone in a moment, so no file of it is read yet. */
  #seen(table: ProcessTable, index: number, before: ProcessTable | null): void {
    const pid = table.pidAt(index);
    const startTime = table.startTimeAt(index);
    const ppid = table.ppidAt(index);
    const comm = table.commAt(index) ?? '';
    this.#known.set(pid, {
      pid,
      startTime,
      ppid,
      comm: this.#texts.get(comm, comm),
      wasThere: before === null,
      place: nowhere,
      kind: undecided,
      group: '',
      adopted: before !== null && hadOtherParent(before, { pid, startTime, ppid }),
      look: this.#look,
    });
  }

  #seenAgain(known: Known, ppid: number, kin: Kin): void {
    const moved = ppid !== known.ppid;
    known.look = this.#look;
    known.adopted ||= moved;
    // What is known of it holds for good, unless its parent died and another one took it over.
    if (!moved && known.kind !== undecided) return;
    const place = placeOf(known.pid, ppid, kin);
    const kind = kindOf({ pid: known.pid, ppid, place, adopted: known.adopted }, kin);
    known.ppid = ppid;
    known.place = this.#places.get(`${place.podUid} ${place.containerId} ${place.evidence}`, place);
    known.kind = this.#kinds.get(`${kind.kind} ${kind.certain} ${kind.fixableBy}`, kind);
    const group = `${place.podUid} ${place.containerId} ${ppid} ${kind.kind} ${kind.fixableBy}`;
    known.group = this.#texts.get(group, group);
  }
}

const undecided: Kind = { kind: 'orphan', certain: false, fixableBy: 'init' };

function hadOtherParent(
  before: ProcessTable,
  { pid, startTime, ppid }: Pick<Zombie, 'pid' | 'startTime' | 'ppid'>,
): boolean {
  const index = before.indexOf(pid);
  return index >= 0 && before.startTimeAt(index) === startTime && before.ppidAt(index) !== ppid;
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
