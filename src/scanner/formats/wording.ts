import { escapeText } from '../../terminal.ts';
import type { LimitScope, LimitUse, PidUse, ScanReport, TreeProcess, ZombieGroup } from '../report.ts';

const units = [
  { name: 'd', seconds: 86_400 },
  { name: 'h', seconds: 3_600 },
  { name: 'min', seconds: 60 },
  { name: 's', seconds: 1 },
];

/** A time for people, in the two largest units that it fills: `3 h 20 min`, `45 s`; less than a second is `0 s`. */
export function duration(seconds: number): string {
  const first = Math.max(
    0,
    units.findIndex((unit) => seconds >= unit.seconds),
  );
  const [large, small] = seconds >= 1 ? units.slice(first, first + 2) : units.slice(-1);
  if (large === undefined) return '0 s';
  const whole = Math.floor(seconds / large.seconds);
  const rest = small ? Math.floor((seconds % large.seconds) / small.seconds) : 0;
  return small && rest > 0 ? `${whole} ${large.name} ${rest} ${small.name}` : `${whole} ${large.name}`;
}

/** A rate for people: whole from ten on, else with one decimal at most. */
export function rate(perHour: number): string {
  const digits = Math.abs(perHour) < 10 ? 1 : 0;
  // `-0.04` would become `-0.0`.
  return String(Number(perHour.toFixed(digits)) + 0);
}

/** A share for people, rounded down, so that what is not full never reads as 100 %. */
export function share(used: number, limit: number): string {
  const percent = limit > 0 ? Math.floor((used / limit) * 100) : 100;
  return used > 0 && percent < 1 ? '<1 %' : `${percent} %`;
}

/** `1 zombie`, `3 zombies`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** The kind, with a `?` where another kind would look the same. */
export function kindOf({ kind, certain }: Pick<ZombieGroup, 'kind' | 'certain'>): string {
  return certain ? kind : `${kind}?`;
}

/** `4711 sleep`; `unknown` for a parent that vanished or is not visible. */
export function parentOf(parent: TreeProcess | null): string {
  return parent ? `${parent.pid} ${escapeText(parent.comm)}` : 'unknown';
}

/** What names a pod and a container of it; whatever is unknown is null. */
type Place = Pick<ZombieGroup, 'namespace' | 'pod' | 'podUid' | 'container' | 'containerId'>;

/** `shop/web-1`, `uid UID` where only that is known; null for what is in no pod or in an unknown one. */
function podOf({ namespace, pod, podUid }: Omit<Place, 'container' | 'containerId'>): string | null {
  if (pod !== null) return escapeText(namespace === null ? pod : `${namespace}/${pod}`);
  return podUid === null ? null : `uid ${escapeText(podUid)}`;
}

/** `shop/web-1 · app`, with a short id in place of a name that is unknown; null for what is in no container. */
export function placeOf(place: Place): string | null {
  const id = place.containerId === null ? null : `container ${escapeText(place.containerId.slice(0, 12))}`;
  const container = place.container === null ? id : escapeText(place.container);
  const parts = [podOf(place), container].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(' · ');
}

/** The one of the report's limits that its `pids` are about; null where that is not among them. */
export function bindingLimit({ pids, limits }: Pick<ScanReport, 'pids' | 'limits'>): LimitUse | null {
  const ofScope = limits.filter(({ scope }) => scope === pids.limitedBy);
  return ofScope.find(({ used, limit }) => used === pids.used && limit === pids.limit) ?? ofScope[0] ?? null;
}

/** What a limit is about: `pod shop/web-1, pids.max 1024`. */
export function limitOf(use: Pick<LimitUse, 'scope' | 'limit'> & Partial<Place>): string {
  const { namespace = null, pod = null, podUid = null, container = null, containerId = null } = use;
  const place = { namespace, pod, podUid, container, containerId };
  switch (use.scope) {
    case 'pid_max':
    case 'threads-max':
      return `${use.scope} ${use.limit}`;
    case 'kubepods':
      return `all pods together, pids.max ${use.limit}`;
    case 'pod':
      return `pod ${podOf(place) ?? 'unknown'}, pids.max ${use.limit}`;
    case 'memory':
      return `memory of ${placeOf(place) ?? 'a container'}, room for ${counted(use.limit, 'process', 'processes')}`;
  }
}

const nodeScopes: readonly (LimitScope | null)[] = ['pid_max', 'threads-max'];

/**
 * The processes and threads of the node as a whole, whichever limit binds first.
 *
 * @returns `limit` is the lower one of those that are known; null each where not known.
 */
export function nodePids({
  pids,
  limits,
}: Pick<ScanReport, 'pids' | 'limits'>): Pick<PidUse, 'used' | 'limit'> {
  if (pids.limitedBy === null || nodeScopes.includes(pids.limitedBy)) {
    return { used: pids.used, limit: pids.limit };
  }
  const [tightest] = limits
    .filter(({ scope }) => nodeScopes.includes(scope))
    .toSorted((a, b) => a.limit - b.limit);
  return { used: tightest?.used ?? null, limit: tightest?.limit ?? null };
}

/**
 * When processes run out: `in 3 h 20 min: pod shop/web-1, pids.max 1024`, or `now: …`.
 *
 * @returns Null where no exhaustion is in sight.
 */
export function exhaustion(report: Pick<ScanReport, 'pids' | 'limits'>): string | null {
  const { secondsToExhaustion: seconds, limitedBy, limit } = report.pids;
  if (seconds === null) return null;
  const when = seconds < 1 ? 'now' : `in ${duration(seconds)}`;
  if (limitedBy === null || limit === null) return when;
  return `${when}: ${limitOf(bindingLimit(report) ?? { scope: limitedBy, limit })}`;
}
