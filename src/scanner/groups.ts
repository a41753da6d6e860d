import type { Kind } from './kind.ts';
import type { Place } from './place.ts';
import type { Zombie } from './zombies.ts';

const mostShown = 5;

/** Zombies of one container, one parent and one kind, as counted in one look. */
export interface Group {
  /** The same from look to look, and no other group's. */
  readonly key: string;
  /** 0 where they have several. */
  readonly ppid: number;
  /** How many parents they have. */
  readonly parents: number;
  readonly place: Place;
  /** `certain` only if each of them is. */
  readonly kind: Kind;
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

/**
 * Puts zombies together that have the container, the parent and the kind in common.
 *
 * @param zombies In any order.
 * @param isSettled Whether a zombie is old enough to count as one that stays.
 */
export function groupsOf(zombies: readonly Zombie[], isSettled: (zombie: Zombie) => boolean): Group[] {
  return [...Map.groupBy(zombies, ({ group }) => group)].flatMap(([key, members]) => {
    const [first] = members;
    return first === undefined ? [] : [groupOf(key, first, members, isSettled)];
  });
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

function groupOf(
  key: string,
  { ppid, place, kind }: Zombie,
  members: readonly Zombie[],
  isSettled: (zombie: Zombie) => boolean,
): Group {
  return {
    key,
    ppid,
    parents: 1,
    place,
    kind: { ...kind, certain: members.every((zombie) => zombie.kind.certain) },
    count: members.length,
    settled: members.filter(isSettled).length,
    oldestStart: members.reduce(
      (oldest, { startTime }) => Math.min(oldest, startTime),
      Number.POSITIVE_INFINITY,
    ),
    comms: mostFrequentNames(members),
    pids: oldest(members).map(({ pid }) => pid),
  };
}

function mostFrequentNames(members: readonly Zombie[]): string[] {
  const counts = new Map<string, number>();
  for (const { comm } of members) counts.set(comm, (counts.get(comm) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, mostShown)
    .map(([name]) => name);
}

/** Of tens of thousands, so they are not all sorted. */
function oldest(members: readonly Zombie[]): readonly Zombie[] {
  const found: Zombie[] = [];
  for (const zombie of members) {
    const last = found.at(-1);
    if (found.length === mostShown && last !== undefined && !isOlder(zombie, last)) continue;
    found.push(zombie);
    found.sort((a, b) => (isOlder(a, b) ? -1 : 1));
    found.length = Math.min(found.length, mostShown);
  }
  return found;
}

function isOlder(a: Zombie, b: Zombie): boolean {
  return a.startTime < b.startTime || (a.startTime === b.startTime && a.pid < b.pid);
}
