import { Counter, Gauge, Histogram, Registry } from '../../prometheus.ts';
import type { LimitScope, LimitUse, ScanReport } from '../report.ts';
import { remedySeries, zombieSeries } from './series.ts';
import { nodePids } from './wording.ts';

/** Whether something that is done now and then succeeded. */
export const results = ['success', 'failure'] as const;
export type Result = (typeof results)[number];

/**
 * What became of an Event on a pod:
 * - `sent`: it was written;
 * - `repeated`: the same one was written before, and nothing was sent;
 * - `rate-limited`: too many were sent of late, and it was dropped;
 * - `refused`: the API server did not take it.
 */
export const eventResults = ['sent', 'repeated', 'rate-limited', 'refused'] as const;
export type EventResult = (typeof eventResults)[number];

/** From a small node to one that takes as long as its interval. */
const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What the scanner counts, and what it found in its last pass. */
export interface ScanMetrics {
  /** For the metrics endpoint. */
  readonly registry: Registry;
  /** A pass went through. What it found replaces all that the pass before had found. */
  passed(report: ScanReport, seconds: number): void;
  /** A pass did not go through. What the one before had found stays. */
  failed(seconds: number): void;
  eventCounted(result: EventResult): void;
  /** The API server was asked for the pods of this node, for their names. */
  podsListed(result: Result): void;
}

/**
 * Makes the metrics of one scanner process, in a registry of their own.
 *
 * @param options `version`: what is running. `maxSeries`: label sets that pods and containers may have in the gauges
 *   of zombies, and in that of remedies; what is more is summed up under the namespace `(other)`.
 */
export function createScanMetrics({
  version,
  maxSeries,
}: {
  readonly version: string;
  readonly maxSeries: number;
}): ScanMetrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]): Gauge<Label> =>
    new Gauge({ name: `gravekeeper_${name}`, help, labelNames, registers });
  const counter = (name: string, help: string): Counter<'result'> =>
    new Counter({ name: `gravekeeper_${name}`, help, labelNames: ['result'], registers });

  const ofPods = ['namespace', 'pod', 'container', 'kind'] as const;
  const zombies = gauge('zombies', 'Zombies of a container, by kind.', ...ofPods);
  const newPerHour = gauge(
    'zombies_new_per_hour',
    'Growth of the zombies of a container; absent until there are samples enough.',
    ...ofPods,
  );
  const oldest = gauge(
    'zombie_oldest_seconds',
    'Time since the oldest zombie of a container was started as a process.',
    ...ofPods,
  );
  const nodeZombies = gauge('node_zombies', 'Zombies on the node, in pods or not.');
  const pidsUsed = gauge('node_pids_used', 'Processes and threads on the node, zombies included.');
  const pidsLimit = gauge('node_pids_limit', 'The most processes and threads that the node allows.', 'scope');
  const exhaustion = gauge(
    'pids_exhaustion_seconds',
    'Time until the first limit of a scope is used up at the present pace; absent where none is in sight.',
    'scope',
  );
  const unreadable = gauge(
    'scan_unreadable_processes',
    'Processes and threads that could not be looked at in the last pass.',
  );
  const lastSuccess = gauge(
    'scan_last_success_timestamp_seconds',
    'When a pass last went through, in seconds since 1970.',
  );
  const remedyWorking = gauge(
    'remedy_working',
    'Whether what was injected into a pod works: 1 or 0; absent where it cannot be told.',
    'namespace',
    'pod',
    'remedy',
  );
  const dropped = gauge('scan_series_dropped', 'Series of the last pass that were summed up under (other).');
  const duration = new Histogram({
    name: 'gravekeeper_scan_duration_seconds',
    help: 'Time that a pass took.',
    buckets: durationBuckets,
    registers,
  });
  const scans = counter('scans_total', 'Passes by whether they went through.');
  const events = counter('scan_events_total', 'Events on pods by what became of them.');
  const lists = counter(
    'pod_lists_total',
    'Lists and watches of the pods of this node by whether the API server answered.',
  );
  const buildInfo = gauge('build_info', 'Always 1; the labels say what is running.', 'version', 'node');

  const ofLastPass = [zombies, newPerHour, oldest, pidsLimit, exhaustion, remedyWorking];
  // Until a pass goes through, these are absent: 0 would read as a node without zombies, last seen in 1970.
  for (const single of [nodeZombies, pidsUsed, unreadable, lastSuccess, dropped]) single.remove();
  buildInfo.set({ version, node: process.versions.node }, 1);
  for (const result of results) for (const each of [scans, lists]) each.inc({ result }, 0);
  for (const result of eventResults) events.inc({ result }, 0);

  return {
    registry,
    passed(report, seconds) {
      scans.inc({ result: 'success' });
      duration.observe(seconds);
      for (const each of ofLastPass) each.reset();
      const groups = zombieSeries(report.groups, maxSeries);
      for (const { labels, ...values } of groups.series) {
        zombies.set(labels, values.zombies);
        if (values.newPerHour !== null) newPerHour.set(labels, values.newPerHour);
        if (values.oldestSeconds !== null) oldest.set(labels, values.oldestSeconds);
      }
      const remedies = remedySeries(report.remedies, maxSeries);
      for (const { labels, works } of remedies.series) remedyWorking.set(labels, works ? 1 : 0);
      dropped.set(groups.dropped + remedies.dropped);
      nodeZombies.set(report.zombies);
      const { used } = nodePids(report);
      if (used === null) pidsUsed.remove();
      else pidsUsed.set(used);
      for (const { scope, limit } of report.limits) {
        if (scope === 'pid_max' || scope === 'threads-max') pidsLimit.set({ scope }, limit);
      }
      for (const [scope, soonest] of soonestExhaustion(report.limits)) exhaustion.set({ scope }, soonest);
      unreadable.set(report.pids.unreadable);
      lastSuccess.set(Date.parse(report.time) / 1000);
    },
    failed(seconds) {
      scans.inc({ result: 'failure' });
      duration.observe(seconds);
    },
    eventCounted: (result) => events.inc({ result }),
    podsListed: (result) => lists.inc({ result }),
  };
}

function soonestExhaustion(limits: readonly LimitUse[]): ReadonlyMap<LimitScope, number> {
  const soonest = new Map<LimitScope, number>();
  for (const { scope, secondsToExhaustion: seconds } of limits) {
    if (seconds !== null) soonest.set(scope, Math.min(seconds, soonest.get(scope) ?? seconds));
  }
  return soonest;
}
