import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cgroup } from './place.ts';
import { sleepSync } from './wait.ts';

const mount = '/sys/fs/cgroup';

/** Whether the machine has cgroup v2 alone. */
const isUnified = existsSync(join(mount, 'cgroup.controllers'));

/** The roots of all hierarchies, that of v2 in a hybrid set-up among them. */
const hierarchies = isUnified
  ? [mount]
  : readdirSync(mount)
      .map((name) => join(mount, name))
      .filter((path) => statSync(path).isDirectory() && existsSync(join(path, 'cgroup.procs')));

/** The hierarchy in which processes are found again. Under v1 any would do; that of PIDs is always there. */
const tracking = isUnified ? mount : join(mount, 'pids');

/** Where the programs of the cluster itself are, apart from the pods'. */
const daemons = join(tracking, cgroup, 'daemons');

/** Makes the cgroup in every hierarchy, as the kubelet wants to find it. */
export function makeCgroups(): void {
  for (const hierarchy of hierarchies) {
    const path = join(hierarchy, cgroup);
    mkdirSync(path, { recursive: true });
    for (const name of ['cpuset.cpus', 'cpuset.mems']) copySetting(hierarchy, path, name);
    const controllers = join(path, 'cgroup.controllers');
    if (isUnified) enableControllers(path, readFileSync(controllers, 'utf8'));
  }
  mkdirSync(daemons, { recursive: true });
}

/** A new cpuset of v1 holds nothing, and nothing can run in it. */
function copySetting(from: string, to: string, name: string): void {
  if (!isUnified && existsSync(join(to, name))) {
    writeFileSync(join(to, name), readFileSync(join(from, name)));
  }
}

function enableControllers(path: string, controllers: string): void {
  const words = controllers
    .trim()
    .split(' ')
    .map((name) => `+${name}`);
  writeFileSync(join(path, 'cgroup.subtree_control'), words.join(' '));
}

/** Words that, put in front of a command, start it in the cluster's cgroup. */
export const inCgroup: readonly string[] = [
  'sh',
  '-c',
  `echo $$ >${join(daemons, 'cgroup.procs')} && exec "$@"`,
  'sh',
];

/** The PIDs of everything that runs in the cluster: its programs, shims and pods. */
export function clusterProcesses(): number[] {
  return [...below(join(tracking, cgroup))].flatMap((path) => readPids(join(path, 'cgroup.procs')));
}

/** None where the cgroup has gone in the meantime. */
function readPids(path: string): number[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/**
 * Kills everything that runs in the cluster, and removes its cgroups.
 *
 * @throws if something withstands for twenty seconds.
 */
export function removeCgroups(): void {
  const end = performance.now() + 20_000;
  const roots = hierarchies.map((hierarchy) => join(hierarchy, cgroup));
  while (roots.some((path) => existsSync(path))) {
    // One that was being started may enter after the others were killed.
    const alive = clusterProcesses();
    for (const pid of alive) kill(pid);
    const paths = roots.flatMap((path) => [...below(path)].reverse());
    const failures = alive.length > 0 ? [] : paths.map(failureToRemove).filter((error) => error !== null);
    if (performance.now() > end) {
      throw new Error(`cannot kill ${alive.join(', ') || 'what is left of the cluster'}`, {
        cause: failures[0],
      });
    }
    sleepSync(10);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** A cgroup is busy for a moment after its last process has ended. */
function failureToRemove(path: string): unknown {
  try {
    rmdirSync(path);
    return null;
  } catch (error) {
    return error;
  }
}

/** A cgroup and all below it, each after the one that it is in. */
function* below(path: string): Generator<string> {
  if (!existsSync(path)) return;
  yield path;
  for (const name of subfolders(path)) yield* below(join(path, name));
}

/** None where the folder has gone in the meantime. */
function subfolders(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
