import type { Kind } from './kind.ts';
import type { Place } from './place.ts';

const mostShown = 5;

/** What zombies of one container, one parent and one kind have in common. */
export interface Membership {
  /** The same from look to look, and no other group's; also for those whose kind is not as certain. */
  readonly key: string;
  readonly ppid: number;
  readonly place: Place;
  readonly kind: Kind;
}

/**
 * Zombies of one container, one parent and one kind, as counted in one look. The PID of the parent is 0 where they have
 * several; the kind is certain only if that of each of them is.
 */
export interface Group extends Membership {
  /** How many parents they have. */
  readonly parents: number;
  readonly count: number;
  /** How many are old enough to stay. */
  readonly settled: number;
  /** Ticks after boot. */
  readonly oldestStart: number;
  /** Names of some, the most frequent first. */
  readonly comms: readonly string[];
  /** Some PIDs, the oldest process first. */
  readonly pids: readonly number[];
}

/** One report has so many groups at most: whoever can start processes can give each zombie a parent of its own. */
const mostGroups = 500;

/**
 * Keeps the largest groups apart, and puts the others together by container and kind.
 *
 * @returns At most 500, and one more for each container and kind.
 */
export function boundedGroups(groups: readonly Group[]): readonly Group[] {
  if (groups.length <= mostGroups) return groups;
  const sorted = groups.toSorted((a, b) => b.count - a.count || a.oldestStart - b.oldestStart);
  const rest = Map.groupBy(
    sorted.slice(mostGroups),
    ({ place: { podUid, containerId }, kind: { kind, fixableBy } }) =>
      `rest ${podUid} ${containerId} ${kind} ${fixableBy}`,
  );
  return [...sorted.slice(0, mostGroups), ...[...rest].flatMap(([key, members]) => merged(key, members))];
}

function merged(key: string, members: readonly Group[]): Group[] {
  const [first] = members;
  if (first === undefined) return [];
  const total = (numberOf: (group: Group) => number) =>
    members.reduce((sum, group) => sum + numberOf(group), 0);
  return [
    {
      ...first,
      key,
      ppid: 0,
      parents: members.length,
      kind: { ...first.kind, certain: members.every(({ kind }) => kind.certain) },
      count: total(({ count }) => count),
      settled: total(({ settled }) => settled),
      oldestStart: Math.min(...members.map(({ oldestStart }) => oldestStart)),
    },
  ];
}

/** Counts the zombies of one group in one look, in the order of their PIDs. */
export class Tally {
  readonly #membership: Membership;
  #isCertain = true;
  #count = 0;
  #settled = 0;
  readonly #names = new Map<string, number>();
  /** The oldest processes, the oldest first; of tens of thousands, so they are not all sorted. */
  readonly #oldest: { readonly pid: number; readonly startTime: number }[] = [];

  /** @param membership That of any of them. */
  constructor(membership: Membership) {
    this.#membership = membership;
  }

  /**
   * @param startTime Ticks after boot.
   * @param isCertain Whether its kind is.
   * @param isSettled Whether it is old enough to stay.
   */
  add(pid: number, startTime: number, comm: string, isCertain: boolean, isSettled: boolean): void {
    this.#isCertain &&= isCertain;
    this.#count += 1;
    if (isSettled) this.#settled += 1;
    this.#names.set(comm, (this.#names.get(comm) ?? 0) + 1);
    const youngest = this.#oldest[mostShown - 1];
    if (youngest !== undefined && startTime >= youngest.startTime) return;
    const place = this.#oldest.findIndex((other) => startTime < other.startTime);
    this.#oldest.splice(place < 0 ? this.#oldest.length : place, 0, { pid, startTime });
    this.#oldest.length = Math.min(this.#oldest.length, mostShown);
  }

  /** What was counted, after one zombie at least. */
  group(): Group {
    const { kind } = this.#membership;
    return {
      ...this.#membership,
      parents: 1,
      kind: { ...kind, certain: this.#isCertain },
      count: this.#count,
      settled: this.#settled,
      oldestStart: this.#oldest[0]?.startTime ?? Number.POSITIVE_INFINITY,
      comms: [...this.#names]
        .sort(([, a], [, b]) => b - a)
        .slice(0, mostShown)
        .map(([name]) => name),
      pids: this.#oldest.map(({ pid }) => pid),
    };
  }
}
