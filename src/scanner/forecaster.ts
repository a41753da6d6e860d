import { forecast, type LimitedScope, type PidScope } from './forecast.ts';
import type { Group } from './groups.ts';
import type { Limits } from './limits.ts';
import type { PodDirectory } from './pod-facts.ts';
import type { LimitUse, PidUse } from './report.ts';
import { Series } from './series.ts';

/** How zombies grew until now, and what that means for the limits. */
export interface Outlook {
  /** Null until there are samples enough. */
  growthOf(group: Group): number | null;
  readonly limitUses: readonly LimitUse[];
  readonly pids: PidUse;
}

/** The limits of pods are read for so many pods, those with the most zombies; each takes some files. */
const mostPods = 100;

/** Follows how many zombies stay: in each group, container, pod, and on the whole node. */
export class Forecaster {
  readonly #limits: Limits;
  #series = new Map<string, Series>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /**
   * Takes in the groups of one look.
   *
   * @param seconds When that was, on a clock that never goes back.
   * @param groups The zombies.
   * @param pods Names of pods.
   * @param processes Of the node: processes and threads, and how many of them could not be looked at.
   */
  take(
    seconds: number,
    groups: readonly Group[],
    pods: PodDirectory,
    { nodeThreads, unreadable }: { readonly nodeThreads: number; readonly unreadable: number },
  ): Outlook {
    const inPods = groups.filter(({ place }) => place.podUid !== null);
    const sums = new Map<string, number>([
      [nodeKey, settledIn(groups)],
      [kubepodsKey, settledIn(inPods)],
    ]);
    const add = (key: string, settled: number) => sums.set(key, (sums.get(key) ?? 0) + settled);
    for (const group of groups) {
      const { podUid, containerId } = group.place;
      add(groupKey(group), group.settled);
      if (podUid !== null) add(podKey(podUid), group.settled);
      if (containerId !== null) add(containerKey(containerId), group.settled);
    }
    this.#addSamples(seconds, sums);
    const { limitUses, pids } = forecast([
      ...this.#nodeScopes(nodeThreads),
      ...this.#podScopes(inPods, pods),
    ]);
    return {
      growthOf: (group) => perHour(this.#slope(groupKey(group))),
      limitUses,
      // Where no limit can be read, the use still can.
      pids: { ...pids, used: pids.used ?? nodeThreads, unreadable },
    };
  }

  /**
   * What is not there any more is forgotten. Several that come at once are no growth yet, so a series begins with the
   * first that stay.
   */
  #addSamples(seconds: number, sums: ReadonlyMap<string, number>): void {
    const series = new Map<string, Series>();
    for (const [key, sum] of sums) {
      const known = this.#series.get(key) ?? (sum > 0 || key === nodeKey ? new Series() : null);
      if (known === null) continue;
      known.add(seconds, sum);
      series.set(key, known);
    }
    this.#series = series;
  }

  #slope(key: string): number | null {
    return this.#series.get(key)?.slope() ?? null;
  }

  #nodeScopes(nodeThreads: number): LimitedScope[] {
    const nodeSlope = this.#slope(nodeKey);
    const kubepods = this.#limits.kubepods();
    return [
      ...pidScope('pid_max', { used: nodeThreads, limit: this.#limits.pidMax() }, nodeSlope),
      ...pidScope('threads-max', { used: nodeThreads, limit: this.#limits.threadsMax() }, nodeSlope),
      ...pidScope('kubepods', kubepods, this.#slope(kubepodsKey)),
    ];
  }

  #podScopes(groups: readonly Group[], pods: PodDirectory): LimitedScope[] {
    return worst(Map.groupBy(groups, ({ place }) => place.podUid ?? '')).flatMap(([podUid, members]) => {
      const known = pods.byUid(podUid);
      const owner = { podUid, namespace: known?.namespace ?? null, pod: known?.name ?? null };
      return [
        ...pidScope('pod', this.#limits.pod(podUid), this.#slope(podKey(podUid)), owner),
        ...this.#memoryScopes(podUid, members, pods).map((scope) => ({ ...scope, ...owner })),
      ];
    });
  }

  #memoryScopes(podUid: string, members: readonly Group[], pods: PodDirectory): LimitedScope[] {
    const byContainer = Map.groupBy(members, ({ place }) => place.containerId);
    return [...byContainer].flatMap(([containerId, groups]) => {
      const memory = containerId === null ? null : this.#limits.containerMemory(podUid, containerId);
      if (containerId === null || memory === null || memory.limitBytes === null) return [];
      return [
        {
          scope: 'memory' as const,
          containerId,
          container: pods.byContainerId(containerId)?.container.name ?? null,
          used: countIn(groups),
          freeBytes: memory.limitBytes - memory.usedBytes,
          slopePerSecond: this.#slope(containerKey(containerId)),
        },
      ];
    });
  }
}

/** A limit that is set and whose use is known, or nothing. */
function pidScope(
  scope: PidScope['scope'],
  pids: { readonly used: number; readonly limit: number | null } | null,
  slopePerSecond: number | null,
  owner: Pick<PidScope, 'podUid' | 'namespace' | 'pod'> = {},
): PidScope[] {
  if (pids === null || pids.limit === null) return [];
  return [{ ...owner, scope, used: pids.used, limit: pids.limit, slopePerSecond }];
}

/** The pods with the most zombies. */
function worst(byPod: ReadonlyMap<string, readonly Group[]>): (readonly [string, readonly Group[]])[] {
  return [...byPod].sort(([, a], [, b]) => countIn(b) - countIn(a)).slice(0, mostPods);
}

function countIn(groups: readonly Group[]): number {
  return groups.reduce((sum, { count }) => sum + count, 0);
}

const nodeKey = 'node';
const kubepodsKey = 'kubepods';

function groupKey({ key }: Group): string {
  return `group ${key}`;
}

function podKey(podUid: string): string {
  return `pod ${podUid}`;
}

function containerKey(containerId: string): string {
  return `container ${containerId}`;
}

function settledIn(groups: readonly Group[]): number {
  return groups.reduce((sum, { settled }) => sum + settled, 0);
}

function perHour(slopePerSecond: number | null): number | null {
  return slopePerSecond === null ? null : Math.round(Math.max(0, slopePerSecond) * 36_000) / 10;
}
