/** Labels by key. */
export type Labels = ReadonlyMap<string, string>;

/** What is known of the namespaces of a cluster. */
export interface Namespaces {
  /** The labels of a namespace; null for one that is not known. */
  labelsOf(name: string): Labels | null;
  /** Whether all namespaces have been listed once. It stays so when the API server goes away. */
  synced(): boolean;
  /**
   * Asks afresh; calls for one namespace at a time share one request.
   *
   * @returns Its labels; null where there is no such namespace. It rejects where nobody answers within 2 s.
   */
  refresh(name: string): Promise<Labels | null>;
  /** Ends every request, and what would start another one. */
  stop(): Promise<void>;
}

/**
 * Namespaces without a cluster.
 *
 * @param labelsByName Gives the labels of each namespace, as they are at the moment.
 */
export function staticNamespaces(labelsByName: () => ReadonlyMap<string, Labels>): Namespaces {
  const labelsOf = (name: string) => labelsByName().get(name) ?? null;
  return {
    labelsOf,
    synced: () => true,
    refresh: async (name) => labelsOf(name),
    stop: async () => {},
  };
}
