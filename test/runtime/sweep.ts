// Ends whatever a run has left, also one that was killed itself.
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { descendants, readProc, readProcesses } from './proc.ts';

const prefix = 'gravekeeper-runtime-';
const cgroupList = 'cgroups';
const limitMs = 10_000;

const folders = new Set<string>();

/** Makes a folder that everyone may read. It is swept when this program ends, however it does. */
export function sweptFolder(): string {
  if (folders.size === 0) sweepAtExit();
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  chmodSync(folder, 0o755);
  folders.add(folder);
  return folder;
}

function sweepAtExit(): void {
  process.on('exit', () => {
    for (const folder of folders) sweep(folder);
  });
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.on(signal, () => process.exit(128 + number));
  }
}

/** Notes a cgroup that will be made, `/kubepods/…`, so that a sweep of the folder removes it. */
export function noteCgroup(folder: string, path: string): void {
  appendFileSync(join(folder, cgroupList), `${path}\n`);
}

/** Sweeps after runs that were killed: their folder is there and their process is not. */
export function sweepStale(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length).split('-')[0]) : null;
    if (pid !== null && !existsSync(`/proc/${pid}`)) sweep(join(tmpdir(), name));
  }
}

/**
 * Kills what runs in a folder, removes its cgroups, and the folder at last. All mounts are in a namespace that goes
 * with its last process. Synchronous, so that it can be done while the program exits.
 *
 * @param folder Every program of it has it in its command line, or descends from one that has.
 * @throws if something withstands for ten seconds.
 */
export function sweep(folder: string): void {
  if (!existsSync(folder)) return;
  const end = performance.now() + limitMs;
  for (let alive = processesOf(folder); alive.length > 0; alive = processesOf(folder)) {
    if (performance.now() > end) throw new Error(`cannot kill ${alive.join(', ')} of ${folder}`);
    for (const pid of alive) kill(pid);
    wait(10);
  }
  removeCgroups(folder, end);
  if (readFileSync('/proc/self/mountinfo', 'utf8').includes(folder)) {
    throw new Error(`something is still mounted below ${folder}`);
  }
  rmSync(folder, { recursive: true, force: true });
}

/** The PIDs of a folder's processes, parents first; zombies are left to their parents. */
function processesOf(folder: string): number[] {
  const processes = readProcesses();
  const roots = processes.filter(({ pid }) => readProc(pid, 'cmdline').includes(`${folder}/`));
  return descendants(
    roots.map(({ pid }) => pid),
    processes,
  )
    .filter(({ pid, zombie }) => !zombie && pid !== process.pid)
    .map(({ pid }) => pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function removeCgroups(folder: string, end: number): void {
  const list = join(folder, cgroupList);
  const noted = existsSync(list) ? readFileSync(list, 'utf8').trim().split('\n') : [];
  const hierarchies = existsSync('/sys/fs/cgroup/cgroup.procs')
    ? ['/sys/fs/cgroup']
    : readdirSync('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name));
  for (const hierarchy of hierarchies) {
    for (const path of noted) removeCgroup(join(hierarchy, path), end);
    for (const path of noted) removeEmptyParents(hierarchy, path);
  }
}

/** Removes a cgroup and those below it. It is busy for a moment after its last process has ended. */
function removeCgroup(path: string, end: number): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(path, entry.name), end);
  }
  for (;;) {
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      wait(10);
    }
  }
}

/** Removes what is above, as far as nobody else uses it. */
function removeEmptyParents(hierarchy: string, path: string): void {
  for (let parent = join(path, '..'); parent !== '/'; parent = join(parent, '..')) {
    try {
      rmdirSync(join(hierarchy, parent));
    } catch {
      return;
    }
  }
}

function wait(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
