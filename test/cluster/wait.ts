import { setTimeout as delay } from 'node:timers/promises';

/** Blocks this program. */
export function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** For how long to look, and how often. */
export interface Patience {
  readonly seconds?: number;
  readonly everyMs?: number;
}

/**
 * Looks again and again until a look finds something other than undefined, null and false.
 *
 * @param what Completes "waited for …".
 * @param look What it throws counts as nothing found, and is told if it is the last.
 * @throws after two minutes, or as patience says.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  { seconds = 120, everyMs = 100 }: Patience = {},
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    let why = '';
    try {
      const found = await look();
      if (found !== undefined && found !== null && found !== false) return found;
    } catch (error) {
      why = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() > end) throw new Error(`waited for ${what} in vain for ${seconds} s${why}`);
    await delay(everyMs);
  }
}
