import { closeSync, constants, openSync, readSync } from 'node:fs';

/** Reads a whole file, or answers null where it cannot be read. */
export type ReadText = (path: string) => string | null;

/** Without waiting for a writer where a copied tree holds a named pipe. */
export const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** The stat file of a machine with hundreds of processors and thousands of interrupts is smaller. */
const MOST_BYTES = 1 << 20;

const chunk = Buffer.allocUnsafeSlow(1 << 16);

/**
 * Reads the start of a file of /proc or /sys, whose sizes are not known before they are read.
 *
 * @param limit How many bytes at most; what follows them is not read.
 * @returns Its text as UTF-8, or null where it is gone, forbidden or no file.
 */
export function readText(path: string, limit = MOST_BYTES): string | null {
  try {
    return readStart(path, limit);
  } catch {
    return null;
  }
}

/**
 * As {@link readText}.
 *
 * @throws {Error} with a `code` where it is gone, forbidden or no file.
 */
export function readStart(path: string, limit: number): string {
  const fd = openSync(path, openFlags);
  try {
    const pieces: Buffer[] = [];
    let [length, filled] = [0, 0];
    for (;;) {
      const read = readSync(fd, chunk, filled, Math.min(chunk.length - filled, limit - length), null);
      length += read;
      filled += read;
      // Most files fit, and then nothing is copied but the text.
      if (read === 0) {
        if (pieces.length === 0) return chunk.toString('utf8', 0, filled);
        return Buffer.concat([...pieces, chunk.subarray(0, filled)]).toString();
      }
      if (filled === chunk.length) {
        pieces.push(Buffer.from(chunk));
        filled = 0;
      }
    }
  } finally {
    closeSync(fd);
  }
}
