/** Keeps values for a time, and forgets those that were not used for longest when they become too many. */
export interface Lru<T> {
  /** Undefined for what was never kept, or no longer is. */
  get(key: string): T | undefined;
  /**
   * @param seconds How long it counts; Infinity for good.
   * @param weight What it takes of the room.
   */
  set(key: string, value: T, seconds: number, weight: number): void;
  delete(key: string): void;
  /** How many values there are, those included whose time is over. */
  readonly size: number;
}

/**
 * @param room The most that the weights of all values may come to.
 * @param now Milliseconds of a clock that never goes back.
 */
export function createLru<T>(room: number, now: () => number = () => performance.now()): Lru<T> {
  const entries = new Map<string, { readonly value: T; readonly until: number; readonly weight: number }>();
  let used = 0;
  const remove = (key: string) => {
    used -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      remove(key);
      if (entry.until <= now()) return undefined;
      // A Map keeps the order of insertion: what was used last stands last.
      entries.set(key, entry);
      used += entry.weight;
      return entry.value;
    },
    set(key, value, seconds, weight) {
      remove(key);
      if (seconds <= 0 || weight > room) return;
      entries.set(key, { value, until: now() + seconds * 1000, weight });
      used += weight;
      for (const oldest of entries.keys()) {
        if (used <= room) break;
        remove(oldest);
      }
    },
    delete: remove,
    get size() {
      return entries.size;
    },
  };
}
