import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** What a file held when it was last read, or why it could not be read. */
export type FileState =
  | { readonly path: string; readonly content: Buffer; readonly error: null }
  | { readonly path: string; readonly content: null; readonly error: NodeJS.ErrnoException };

/** A watch that goes on until it is closed. It does not keep the process alive. */
export interface FileWatch {
  close(): void;
}

/** How a watch behaves. */
export interface WatchOptions {
  /** How long after the first sign of a change the files are read, in milliseconds; writers write in pieces. */
  readonly settleMs?: number;
  /** How often the files are read without any sign, in milliseconds: not every file system tells of changes. */
  readonly recheckMs?: number;
  /** Hears, once, of a directory that cannot be watched; its files are still read every `recheckMs`. */
  readonly onTrouble?: (message: string) => void;
}

/** Files that change while they are read, as when a symbolic link moves, are read again, this often at most. */
const attempts = 3;

/**
 * Reads files that belong together: a second reading has to agree with the first, so that a certificate does not
 * come from before a change and its key from after it.
 *
 * @param paths The files, such as a certificate and its key.
 * @returns Their states, in the order of the paths. It never throws.
 */
export function readFiles(paths: readonly string[]): readonly FileState[] {
  let files = paths.map(readState);
  for (let attempt = 1; attempt < attempts; attempt += 1) {
    const again = paths.map(readState);
    if (agree(files, again)) break;
    files = again;
  }
  return files;
}

/**
 * Watches files for changes of what they hold. Their directories are watched, not the files themselves: Kubernetes
 * changes mounted Secrets and ConfigMaps by moving the symbolic link `..data`, and editors replace files.
 *
 * @param known The files as `readFiles` read them; a change since then counts.
 * @param onChange Called with the states of all files whenever one of them holds something else than before, has
 *   become unreadable or readable again. It must not throw.
 * @param options How soon and how often files are looked at.
 */
export function watchFiles(
  known: readonly FileState[],
  onChange: (files: readonly FileState[]) => void,
  options: WatchOptions = {},
): FileWatch {
  const { settleMs = 100, recheckMs = 60_000, onTrouble } = options;
  const paths = known.map(({ path }) => path);
  const watchers = new Map<string, { watcher: FSWatcher; inode: number }>();
  const troubled = new Set<string>();
  let last = known;
  let settling: NodeJS.Timeout | undefined;

  const check = () => {
    settling = undefined;
    const files = readFiles(paths);
    if (agree(last, files)) return;
    last = files;
    onChange(files);
  };
  const checkSoon = () => {
    settling ??= setTimeout(check, settleMs).unref();
  };
  const unwatch = (directory: string) => {
    watchers.get(directory)?.watcher.close();
    watchers.delete(directory);
  };
  const watchDirectory = (directory: string) => {
    try {
      const inode = statSync(directory).ino;
      if (watchers.get(directory)?.inode === inode) return;
      unwatch(directory);
      const watcher = watch(directory, { persistent: false }, checkSoon);
      watcher.on('error', () => unwatch(directory));
      watchers.set(directory, { watcher, inode });
      troubled.delete(directory);
    } catch (error) {
      unwatch(directory);
      if (troubled.has(directory)) return;
      troubled.add(directory);
      const why = error instanceof Error ? error.message : String(error);
      onTrouble?.(`${directory} cannot be watched and is read every ${recheckMs / 1000} s instead: ${why}`);
    }
  };
  const look = () => {
    for (const directory of new Set(paths.map((path) => dirname(path)))) watchDirectory(directory);
    check();
  };

  look();
  const rechecking = setInterval(look, recheckMs).unref();
  return {
    close() {
      clearInterval(rechecking);
      clearTimeout(settling);
      for (const directory of [...watchers.keys()]) unwatch(directory);
    },
  };
}

function readState(path: string): FileState {
  try {
    return { path, content: readFileSync(path), error: null };
  } catch (error) {
    if (error instanceof Error) return { path, content: null, error };
    throw error;
  }
}

function agree(some: readonly FileState[], others: readonly FileState[]): boolean {
  return some.every((file, index) => {
    const other = others[index];
    if (!other) return false;
    if (file.content === null || other.content === null) return file.error?.code === other.error?.code;
    return file.content.equals(other.content);
  });
}
