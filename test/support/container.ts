import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterEach } from 'vitest';
import { treeOf } from '../../src/emulate/tree.ts';
import { openProcRoot } from '../../src/proc/root.ts';
import { ProcessTable } from '../../src/proc/table.ts';

/** What to run as PID 1, as a container runtime would be told. */
export interface ContainerOptions {
  readonly argv: readonly string[];
  readonly env?: ReadonlyMap<string, string>;
  readonly cwd?: string;
  /** Files of this machine that are put at another path in the container's own root. */
  readonly files?: Readonly<Record<string, string>>;
  /** Words of setpriv that take away capabilities or the user; with them, root of the machine is needed. */
  readonly privileges?: readonly string[];
}

/** A process that is PID 1 of a PID namespace, with a root of its own and nothing inherited but its pipes. */
export interface Container {
  /** Its next line on stdout; null when there is none any more. */
  line(): Promise<string | null>;
  /** Writes a line to its stdin. */
  say(text: string): void;
  /** Sends a signal to PID 1, as the runtime does. */
  signal(name: NodeJS.Signals): void;
  /** Runs a command in its namespaces, as an exec probe does, and answers the exit code; null if it was killed. */
  exec(argv: readonly string[]): Promise<number | null>;
  /** The exit code that a runtime reports: 128 + n for signal n. */
  readonly exit: Promise<number>;
  stderr(): string;
}

/**
 * Builds a root in a tmpfs, with the folders of this machine in it and what the container has besides, and turns
 * into the program there. Words: the root, the number of files, path and source of each, the program.
 */
const enter = `
set -e
root=$1 files=$2
shift 2
mount -t tmpfs none "$root"
for entry in /*; do
  if [ -L "$entry" ]; then cp -P "$entry" "$root$entry"
  elif [ -d "$entry" ]; then mkdir "$root$entry" && mount --rbind "$entry" "$root$entry"
  fi
done
while [ "$files" -gt 0 ]; do
  mkdir -p "$root\${1%/*}"
  cp "$2" "$root$1"
  chmod 755 "$root$1"
  shift 2
  files=$((files - 1))
done
exec chroot "$root" "$@"
`;

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const running = new Set<ChildProcess>();
const folders = new Set<string>();

afterEach(async () => {
  for (const child of running) {
    const closed = once(child, 'close');
    child.stdin?.destroy();
    kill(pid1Of(child), 'SIGKILL');
    await closed;
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
});

/** Makes a folder that everyone may read and that is gone after the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-'));
  chmodSync(folder, 0o755);
  folders.add(folder);
  return folder;
}

/** Writes an executable file and answers its path. */
export function writeProgram(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

/** Runs a program as PID 1. It ends with the test at the latest. */
export function startContainer(options: ContainerOptions): Container {
  const { argv, env = new Map(), cwd = '/', files = {}, privileges = [] } = options;
  const root = scratchFolder();
  const user = privileges.length > 0 ? [] : ['--user', '--map-root-user'];
  const variables = [...new Map([['PATH', defaultPath], ...env])].map(([name, value]) => `${name}=${value}`);
  const child = spawn(
    'unshare',
    [
      ...[...user, '--pid', '--fork', '--mount-proc', 'sh', '-c', enter, 'sh', root],
      ...[String(Object.keys(files).length), ...Object.entries(files).flat()],
      ...[...(privileges.length > 0 ? ['setpriv', ...privileges] : [])],
      ...['env', '--ignore-environment', `--chdir=${cwd}`, ...variables, ...argv],
    ],
    { detached: true },
  );
  running.add(child);
  return containerOf(child, user.length > 0);
}

function containerOf(
  child: ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable },
  hasUser: boolean,
): Container {
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // It may end before it has read everything.
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exit = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']);
    });
  });
  return {
    line: async () => (await lines.next()).value ?? null,
    say: (text) => void child.stdin.write(`${text}\n`),
    signal: (name) => kill(pid1Of(child), name),
    exec: async (argv) => {
      const namespaces = [
        ...(hasUser ? ['--user', '--preserve-credentials'] : []),
        '--mount',
        '--pid',
        '--root',
      ];
      const probe = spawn('nsenter', [`--target=${pid1Of(child)}`, ...namespaces, ...argv], {
        stdio: 'ignore',
      });
      const [code] = await once(probe, 'exit');
      return code;
    },
    exit,
    stderr: () => stderr,
  };
}

function pid1Of(unshare: ChildProcess): number | undefined {
  const table = new ProcessTable();
  openProcRoot('/proc').readTable(table);
  return treeOf(unshare.pid ?? 0, table)[1]?.pid;
}

function kill(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal);
  } catch (error) {
    // It may have ended by itself in the meantime.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
