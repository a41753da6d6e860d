import { escapeText } from '../../terminal.ts';
import type { RemedyCheck, ZombieGroup, ZombieKind } from '../report.ts';

/** The namespace of the series that hold what was too much for series of their own. */
const otherNamespace = '(other)';

/** Label values of a gauge of zombies; what is unknown is empty. */
export interface ZombieLabels {
  readonly namespace: string;
  /** Its UID where its name is not known. */
  readonly pod: string;
  /** Its id where its name is not known. */
  readonly container: string;
  readonly kind: ZombieKind;
}

/** Zombies that have all labels in common. */
export interface ZombieSeries {
  readonly labels: ZombieLabels;
  readonly zombies: number;
  /** The sum of what is known; null for nothing. */
  readonly newPerHour: number | null;
  readonly oldestSeconds: number | null;
}

/** Whether a remedy works, for a pod; or for all the pods that were too many. */
export interface RemedySeries {
  readonly labels: {
    readonly namespace: string;
    readonly pod: string;
    readonly remedy: RemedyCheck['remedy'];
  };
  readonly works: boolean;
}

/** Series whose number is bounded. */
export interface Bounded<T> {
  readonly series: readonly T[];
  /** Series that went into those of `otherNamespace`. */
  readonly dropped: number;
}

/**
 * Sums groups up by their labels. Those with the most zombies get series of their own, the rest one per kind.
 *
 * @param most Series of their own that there may be.
 */
export function zombieSeries(groups: readonly ZombieGroup[], most: number): Bounded<ZombieSeries> {
  const all = summed(groups.map(seriesOf)).toSorted((a, b) => b.zombies - a.zombies || byLabels(a, b));
  const rest = all.slice(most).map(({ labels: { kind }, ...values }) => ({
    ...values,
    labels: { namespace: otherNamespace, pod: '', container: '', kind },
  }));
  return { series: [...all.slice(0, most), ...summed(rest)], dropped: rest.length };
}

/**
 * Whether remedies work, where that is known. Those that do not get series of their own before the others; the rest
 * share one per remedy, which says whether all of them work.
 *
 * @param most Series of their own that there may be.
 */
export function remedySeries(checks: readonly RemedyCheck[], most: number): Bounded<RemedySeries> {
  const known = checks.flatMap(({ namespace, pod, remedy, works }): RemedySeries[] => {
    const labels = { namespace: escapeText(namespace), pod: escapeText(pod), remedy };
    return works === null ? [] : [{ labels, works }];
  });
  const all = allWork(known).toSorted((a, b) => Number(a.works) - Number(b.works) || byLabels(a, b));
  const rest = all.slice(most).map(({ labels: { remedy }, works }) => ({
    labels: { namespace: otherNamespace, pod: '', remedy },
    works,
  }));
  return { series: [...all.slice(0, most), ...allWork(rest)], dropped: rest.length };
}

function seriesOf(group: ZombieGroup): ZombieSeries {
  const labels = {
    namespace: escapeText(group.namespace ?? ''),
    pod: escapeText(group.pod ?? group.podUid ?? ''),
    container: escapeText(group.container ?? group.containerId ?? ''),
    kind: group.kind,
  };
  const { count: zombies, newPerHour, oldestSeconds } = group;
  return { labels, zombies, newPerHour, oldestSeconds };
}

function summed(series: readonly ZombieSeries[]): ZombieSeries[] {
  return merged(series, (a, b) => ({
    labels: a.labels,
    zombies: a.zombies + b.zombies,
    newPerHour: withNulls(a.newPerHour, b.newPerHour, (x, y) => x + y),
    oldestSeconds: withNulls(a.oldestSeconds, b.oldestSeconds, Math.max),
  }));
}

function allWork(series: readonly RemedySeries[]): RemedySeries[] {
  return merged(series, (a, b) => ({ labels: a.labels, works: a.works && b.works }));
}

/** Puts those together whose labels are the same. */
function merged<T extends { readonly labels: object }>(items: readonly T[], merge: (a: T, b: T) => T): T[] {
  const byKey = new Map<string, T>();
  for (const item of items) {
    const key = keyOf(item);
    const same = byKey.get(key);
    byKey.set(key, same === undefined ? item : merge(same, item));
  }
  return [...byKey.values()];
}

function withNulls(
  a: number | null,
  b: number | null,
  join: (a: number, b: number) => number,
): number | null {
  if (a === null) return b;
  return b === null ? a : join(a, b);
}

function byLabels(a: { readonly labels: object }, b: { readonly labels: object }): number {
  const [left, right] = [keyOf(a), keyOf(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function keyOf({ labels }: { readonly labels: object }): string {
  return JSON.stringify(Object.values(labels));
}
