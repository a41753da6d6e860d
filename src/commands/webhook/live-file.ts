import type { Log } from '../../admission/log.ts';
import type { Result } from '../../admission/metrics.ts';
import { InputError } from '../../input-error.ts';
import { type FileState, readFiles, type WatchOptions, watchFiles } from '../../watch-files.ts';

/** What a file holds, followed while it changes. */
export interface LiveFile<T> {
  /** What it held when it was last good. */
  readonly current: T;
  close(): void;
}

/** What is read, and who hears of it. */
export interface LiveFileOptions<T> {
  /** What the file is, for messages: `configuration`. */
  readonly what: string;
  /** @throws {InputError} if the text cannot be used. */
  readonly parse: (text: string, path: string) => T;
  readonly log: Log;
  readonly reloaded?: (result: Result) => void;
  readonly watch?: WatchOptions;
}

/**
 * Reads a file and follows it. When it no longer can be used, the log says why, and what it held before stays.
 *
 * @throws {InputError} if it cannot be used now.
 */
export function openLiveFile<T>(path: string, options: LiveFileOptions<T>): LiveFile<T> {
  const { what, parse, log, reloaded, watch } = options;
  const contentOf = (files: readonly FileState[]): T => {
    const [file] = files;
    if (!file?.content) {
      throw new InputError(
        `the ${what} ${path} cannot be read: ${file?.error?.message ?? 'it was not read'}`,
      );
    }
    return parse(file.content.toString('utf8'), path);
  };
  const files = readFiles([path]);
  let current = contentOf(files);
  const watching = watchFiles(
    files,
    (changed) => {
      try {
        current = contentOf(changed);
      } catch (error) {
        reloaded?.('failure');
        const why = error instanceof Error ? error.message : String(error);
        log.error({ file: path }, `the changed ${what} is not used, the last good one stays: ${why}`);
        return;
      }
      reloaded?.('success');
      log.info({ file: path }, `${what} reloaded`);
    },
    { onTrouble: (message) => log.warn(message), ...watch },
  );
  return {
    get current() {
      return current;
    },
    close: () => watching.close(),
  };
}
