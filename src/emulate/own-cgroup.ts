import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseCgroup } from '../proc/cgroup.ts';
import { type ReadText, readText } from '../proc/read-text.ts';
import type { ProcRoot } from '../proc/root.ts';

/** A cgroup of its own for one emulation, made and empty. */
export interface OwnCgroup {
  /** The folder that limits the number of processes. */
  readonly pids: string;
  /** The folder that accounts for memory, under cgroup v2 the same one; null where there can be none. */
  readonly memory: string | null;
}

const MOUNT = '/sys/fs/cgroup';
const PREFIX = 'gravekeeper-emulate';

let made = 0;

/**
 * Makes a cgroup below that of this process, or, as cgroup v2 hands out no memory below a cgroup that has processes
 * of its own, beside it. It changes nothing of any other cgroup, but removes those that runs before it left behind.
 *
 * @param most How many processes and threads may be in it at a time, zombies included.
 * @returns Null where this user may make none, or there is no such controller.
 */
export function makeOwnCgroup(most: number, proc: ProcRoot): OwnCgroup | null {
  const home = homeFor('pids');
  const self = proc.stat(process.pid);
  if (home === null || self === null) return null;
  made += 1;
  const name = `${PREFIX}-${self.pid}-${self.startTime}-${made}`;
  const pids = makeIn(home.folder, name, proc);
  if (pids === null) return null;
  try {
    writeFileSync(join(pids, 'pids.max'), String(most));
  } catch {
    remove(pids);
    return null;
  }
  return { pids, memory: memoryBeside(home, homeFor('memory'), pids, name, proc) };
}

/** A process is in one cgroup of each hierarchy, and v2 has but one. */
function memoryBeside(
  home: Home,
  memory: Home | null,
  pids: string,
  name: string,
  proc: ProcRoot,
): string | null {
  if (memory === null) return null;
  if (memory.folder === home.folder) return pids;
  return memory.version === 2 && home.version === 2 ? null : makeIn(memory.folder, name, proc);
}

/** Removes it; one that still has living processes stays. */
export function removeOwnCgroup(cgroup: OwnCgroup): void {
  remove(cgroup.pids);
  if (cgroup.memory !== null) remove(cgroup.memory);
}

/** As much of it as a process is really in; null if that is nothing. */
export function entered(cgroup: OwnCgroup | null, pid: number, proc: ProcRoot): OwnCgroup | null {
  if (cgroup === null) return null;
  const lines = proc.cgroup(pid) ?? [];
  const name = basename(cgroup.pids);
  const isIn = (controller: string) =>
    lines.some(
      ({ hierarchy, controllers, path }) =>
        basename(path) === name && (hierarchy === 0 || controllers.includes(controller)),
    );
  return isIn('pids') ? { pids: cgroup.pids, memory: isIn('memory') ? cgroup.memory : null } : null;
}

/** Where a cgroup can be made that has a controller, for whoever may write there. */
export interface Home {
  readonly folder: string;
  readonly version: 1 | 2;
}

/**
 * Finds the home for a cgroup.
 *
 * @param read Reads a file; left out, the real one.
 * @param pid This process, as the reader sees it.
 */
export function homeFor(
  controller: 'pids' | 'memory',
  read: ReadText = readText,
  pid = process.pid,
): Home | null {
  const lines = parseCgroup(read('/proc/self/cgroup') ?? '');
  const own = lines.find(({ controllers }) => controllers.includes(controller));
  if (own !== undefined) {
    const folder = folderOf(`${MOUNT}/${controller}`, own.path, read, pid);
    return folder === null ? null : { folder, version: 1 };
  }
  const unified = lines.find(({ hierarchy }) => hierarchy === 0);
  const folder = unified === undefined ? null : folderOf(MOUNT, unified.path, read, pid);
  if (folder === null) return null;
  const home = (folder === MOUNT ? [folder] : [folder, dirname(folder)]).find((home) =>
    read(`${home}/cgroup.subtree_control`)?.trim().split(' ').includes(controller),
  );
  return home === undefined ? null : { folder: home, version: 2 };
}

/**
 * Where the cgroup of this process is mounted. What is mounted in a container may be the container's own cgroup,
 * whatever path the kernel reports.
 */
function folderOf(mount: string, path: string, read: ReadText, pid: number): string | null {
  const folders = [path === '/' ? mount : mount + path, mount];
  return folders.find((folder) => read(`${folder}/cgroup.procs`)?.split('\n').includes(String(pid))) ?? null;
}

function makeIn(home: string, name: string, proc: ProcRoot): string | null {
  try {
    removeAbandoned(home, proc);
    mkdirSync(join(home, name));
    return join(home, name);
  } catch {
    return null;
  }
}

/** Whoever was killed together with the shell that would have tidied up left an empty cgroup. */
function removeAbandoned(home: string, proc: ProcRoot): void {
  for (const name of readdirSync(home)) {
    const [, pid, startTime] = new RegExp(`^${PREFIX}-(\\d+)-(\\d+)-\\d+$`).exec(name) ?? [];
    if (pid !== undefined && proc.stat(Number(pid))?.startTime !== Number(startTime))
      remove(join(home, name));
  }
}

function remove(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is gone already, or not empty, and whoever is in it may stay.
  }
}
