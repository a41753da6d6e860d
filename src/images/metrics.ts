import { Counter, Histogram, type Registry } from '../prometheus.ts';
import { type FailureCause, failureCauses } from './failure.ts';

/**
 * How a container's image was looked up:
 * - `cached`: it was known;
 * - `fetched`: a registry was asked;
 * - `late`: the pod did not wait any longer, and the look-up goes on for the next one;
 * - a cause: it failed, just now or a while ago.
 */
export const lookupOutcomes = ['cached', 'fetched', 'late', ...failureCauses] as const;
export type LookupOutcome = 'cached' | 'fetched' | 'late' | FailureCause;

/** What look-ups count. No label ever holds the name of an image or a registry. */
export interface LookupMetrics {
  /** One container's image, as the pod got to know it. */
  lookedUp(outcome: LookupOutcome): void;
  /** One look-up in a registry, whoever waited for it, and how long it took. */
  fetched(result: 'success' | FailureCause, seconds: number): void;
}

/** For who counts nothing. */
export const noMetrics: LookupMetrics = { lookedUp() {}, fetched() {} };

/** From 10 ms to the longest look-up. */
const durationBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5];

/** @param registry The registry of the process. */
export function createLookupMetrics(registry: Registry): LookupMetrics {
  const registers = [registry];
  const lookups = new Counter({
    name: 'gravekeeper_image_lookups_total',
    help: 'Containers whose image had to be known, by how it was looked up.',
    labelNames: ['outcome'],
    registers,
  });
  const fetches = new Counter({
    name: 'gravekeeper_image_fetches_total',
    help: 'Look-ups in registries by result.',
    labelNames: ['result'],
    registers,
  });
  const duration = new Histogram({
    name: 'gravekeeper_image_fetch_duration_seconds',
    help: 'Time that a look-up in a registry took.',
    buckets: durationBuckets,
    registers,
  });
  return {
    lookedUp: (outcome) => lookups.inc({ outcome }),
    fetched(result, seconds) {
      fetches.inc({ result });
      duration.observe(seconds);
    },
  };
}
