import type { Severity } from '../config/config.ts';
import { Counter, Gauge, Histogram, Registry } from '../prometheus.ts';
import type { Reason } from '../reasons.ts';
import type { RemedyKind } from '../remedies/remedy.ts';

/** The two webhooks. */
export const webhooks = ['mutate', 'validate'] as const;
export type Webhook = (typeof webhooks)[number];

/**
 * How a call of a webhook ended:
 * - `patched`: the object was changed;
 * - `denied`: it was refused;
 * - `warned`: it was admitted as it came, with warnings;
 * - `unchanged`: it was judged, and there was nothing to do or to say;
 * - `ignored`: its kind, operation or subresource is not judged;
 * - `unjudgeable`: it could not be judged, and was admitted as it came, with a warning;
 * - `rejected`: the call was no review and got a 4xx.
 */
export const outcomes = [
  'patched',
  'denied',
  'warned',
  'unchanged',
  'ignored',
  'unjudgeable',
  'rejected',
] as const;
export type Outcome = (typeof outcomes)[number];

/**
 * What became of a finding of severity error where the policy is `deny`:
 * - `refused`: the object was refused for it;
 * - `dry-run`: it would have been, but for the dry run;
 * - `spared-controlled`: a controller owns the object, and would try again for ever;
 * - `spared-existing`: the object had the finding before the update;
 * - `spared-unknown`: the object before the update could not be read.
 */
export const denialOutcomes = [
  'refused',
  'dry-run',
  'spared-controlled',
  'spared-existing',
  'spared-unknown',
] as const;
export type DenialOutcome = (typeof denialOutcomes)[number];

/** Why the watch on namespaces was started again. */
export const watchRestartCauses = ['error', 'stalled', 'relist'] as const;
export type WatchRestartCause = (typeof watchRestartCauses)[number];

/** Whether something that is done now and then succeeded. */
export const results = ['success', 'failure'] as const;
export type Result = (typeof results)[number];

/** From 1 ms to the 3 s after which the API server gives up. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3];

/** What the webhook counts. No label ever holds a name from a cluster, so that their number is bounded. */
export interface Metrics {
  /** For the metrics endpoint. */
  readonly registry: Registry;
  /** One call of a webhook and how long it took, from its first byte to the answer. */
  reviewed(webhook: Webhook, outcome: Outcome, seconds: number): void;
  /** The remedy that was decided on for one pod; null for none. */
  remedied(remedy: RemedyKind | null, reason: Reason, dryRun: boolean): void;
  found(rule: string, severity: Severity): void;
  denialDecided(rule: string, outcome: DenialOutcome): void;
  /** A namespace was read because the cached labels disagreed with the call. */
  namespaceRefreshed(result: Result): void;
  certificateLoaded(expires: Date): void;
  certificateReloaded(result: Result): void;
  configurationReloaded(result: Result): void;
  namespaceCacheSynced(synced: boolean): void;
  namespaceWatchRestarted(cause: WatchRestartCause): void;
}

/**
 * Makes the metrics of one webhook process, in a registry of their own.
 *
 * @param build What is running.
 */
export function createMetrics(build: { readonly version: string }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'gravekeeper_admission_requests_total',
    help: 'Calls of the webhooks by how they ended.',
    labelNames: ['webhook', 'outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'gravekeeper_admission_duration_seconds',
    help: 'Time from the first byte of a call to its answer.',
    labelNames: ['webhook'],
    buckets: durationBuckets,
    registers,
  });
  const remedies = new Counter({
    name: 'gravekeeper_remedies_total',
    help: 'Pods judged at creation by the remedy decided on and its reason.',
    labelNames: ['remedy', 'reason', 'dry_run'],
    registers,
  });
  const findings = new Counter({
    name: 'gravekeeper_findings_total',
    help: 'Findings in pods and pod templates of namespaces that opted in to probe checks.',
    labelNames: ['rule', 'severity'],
    registers,
  });
  const denials = new Counter({
    name: 'gravekeeper_denials_total',
    help: 'Findings of severity error under deny by what became of them.',
    labelNames: ['rule', 'outcome'],
    registers,
  });
  const refreshes = new Counter({
    name: 'gravekeeper_namespace_refreshes_total',
    help: 'Namespaces read because their cached labels disagreed with the call.',
    labelNames: ['result'],
    registers,
  });
  const certificateExpiry = new Gauge({
    name: 'gravekeeper_certificate_expiry_timestamp_seconds',
    help: 'When the serving certificate expires, in seconds since 1970.',
    registers,
  });
  const certificateReloads = new Counter({
    name: 'gravekeeper_certificate_reloads_total',
    help: 'Changes of the certificate files that were noticed.',
    labelNames: ['result'],
    registers,
  });
  const configurationReloads = new Counter({
    name: 'gravekeeper_configuration_reloads_total',
    help: 'Changes of the configuration file that were noticed.',
    labelNames: ['result'],
    registers,
  });
  const cacheSynced = new Gauge({
    name: 'gravekeeper_namespace_cache_synced',
    help: 'Whether the labels of all namespaces are known: 1 or 0.',
    registers,
  });
  const watchRestarts = new Counter({
    name: 'gravekeeper_namespace_watch_restarts_total',
    help: 'Times that the watch on namespaces was started again.',
    labelNames: ['cause'],
    registers,
  });
  const buildInfo = new Gauge({
    name: 'gravekeeper_build_info',
    help: 'Always 1; the labels say what is running.',
    labelNames: ['version', 'node'],
    registers,
  });

  // Until a certificate is loaded, the gauge is absent: 0 would read as long expired.
  certificateExpiry.remove();
  buildInfo.set({ version: build.version, node: process.versions.node }, 1);
  for (const webhook of webhooks) {
    duration.zero({ webhook });
    for (const outcome of outcomes) requests.inc({ webhook, outcome }, 0);
  }
  for (const result of results) {
    for (const counter of [refreshes, certificateReloads, configurationReloads]) counter.inc({ result }, 0);
  }
  for (const cause of watchRestartCauses) watchRestarts.inc({ cause }, 0);

  return {
    registry,
    reviewed(webhook, outcome, seconds) {
      requests.inc({ webhook, outcome });
      duration.observe({ webhook }, seconds);
    },
    remedied: (remedy, reason, dryRun) =>
      remedies.inc({ remedy: remedy ?? 'none', reason, dry_run: String(dryRun) }),
    found: (rule, severity) => findings.inc({ rule, severity }),
    denialDecided: (rule, outcome) => denials.inc({ rule, outcome }),
    namespaceRefreshed: (result) => refreshes.inc({ result }),
    certificateLoaded: (expires) => certificateExpiry.set(expires.getTime() / 1000),
    certificateReloaded: (result) => certificateReloads.inc({ result }),
    configurationReloaded: (result) => configurationReloads.inc({ result }),
    namespaceCacheSynced: (synced) => cacheSynced.set(synced ? 1 : 0),
    namespaceWatchRestarted: (cause) => watchRestarts.inc({ cause }),
  };
}
