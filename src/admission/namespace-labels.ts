import { labelKeys } from '../policy/keys.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export type Labels = ReadonlyMap<string, string>;

/** What is known of namespaces, and how to ask again. */
export interface Namespaces {
  /** The labels as they are cached; null for a namespace that the cache does not hold. */
  labelsOf(namespace: string): Labels | null;
  /**
   * Reads one namespace afresh; null where there is none of that name. Left out where there is nobody to ask. It may
   * reject; many calls for one namespace at a time are its affair.
   */
  refreshNamespace?(namespace: string): Promise<Labels | null>;
}

/** The entries of the webhook configurations. Each calls a path of its own, `/<webhook>/<entry>`. */
export const entries = ['namespace-inject', 'namespace-probes', 'pod-label', 'namespaces'] as const;
export type Entry = (typeof entries)[number];

/** What the selectors of an entry say of the namespace's labels; null for the entry of namespaces themselves. */
const selectors: Readonly<Record<Entry, { readonly inject: boolean; readonly probes?: boolean } | null>> = {
  'namespace-inject': { inject: true },
  'namespace-probes': { inject: false, probes: true },
  'pod-label': { inject: false, probes: false },
  namespaces: null,
};

const none: Labels = new Map();

/** What finding labels takes: where they come from, and who hears of a read. */
export interface LabelTools {
  readonly namespaces: Namespaces;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * Finds the labels of the namespace that a call is about. The API server's view is fresher than the cache: where the
 * entry that called contradicts the cached labels, the namespace is read once.
 *
 * @param namespace Its name; empty for none.
 * @param entry The entry that called; null for a call without one, which takes the cache's word.
 * @param tools Where labels come from, and who hears of a read.
 * @returns The labels; none for a namespace that nobody knows. It never rejects: where the read fails, the cached
 *   labels stand.
 */
export function namespaceLabels(
  namespace: string,
  entry: Entry | null,
  tools: LabelTools,
): Labels | Promise<Labels> {
  const { namespaces } = tools;
  const cached = namespaces.labelsOf(namespace);
  if (!namespaces.refreshNamespace || entry === null || agrees(cached, entry)) return cached ?? none;
  return refreshed(namespace, cached ?? none, tools);
}

async function refreshed(
  namespace: string,
  cached: Labels,
  { namespaces, log, metrics }: LabelTools,
): Promise<Labels> {
  try {
    const labels = (await namespaces.refreshNamespace?.(namespace)) ?? none;
    metrics.namespaceRefreshed('success');
    return labels;
  } catch (error) {
    metrics.namespaceRefreshed('failure');
    log.warn({ namespace, err: error }, 'the namespace could not be read; its cached labels are used');
    return cached;
  }
}

function agrees(cached: Labels | null, entry: Entry): boolean {
  const selector = selectors[entry];
  if (selector === null) return true;
  if (cached === null || cached.has(labelKeys.inject) !== selector.inject) return false;
  return selector.probes === undefined || cached.has(labelKeys.probes) === selector.probes;
}
