import { readFileSync } from 'node:fs';

/** A limit on the number of processes and threads, zombies included. */
export interface PidLimit {
  /** Where it is set: a sysctl name, `RLIMIT_NPROC` or the path of a cgroup's `pids.max`. */
  readonly name: string;
  readonly limit: number;
}

/** Reads a whole file, or answers null where it cannot be read. */
export type ReadFile = (path: string) => string | null;

/** Reads a text file, or answers null where it is missing or forbidden. */
export function readTextFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Where the pids controller is mounted: alone (cgroup v1), or with all others (cgroup v2). */
const pidsMounts = [
  { controller: 'pids', mount: '/sys/fs/cgroup/pids' },
  { controller: '', mount: '/sys/fs/cgroup' },
];

/**
 * Reads every PID limit that holds for this process and that can be read here, unlimited ones left out.
 *
 * @param read Reads a file; left out, the real one.
 */
export function readPidLimits(read: ReadFile = readTextFile): PidLimit[] {
  const cgroups = parseCgroups(read('/proc/self/cgroup') ?? '');
  const pidsMax = pidsMounts.flatMap(({ controller, mount }) => {
    const path = cgroups.get(controller);
    return path === undefined ? [] : ancestors(path).map((folder) => `${mount}${folder}/pids.max`);
  });
  return [
    ...['kernel/pid_max', 'kernel/threads-max'].map((setting) => ({
      name: setting.replace('/', '.'),
      text: read(`/proc/sys/${setting}`),
    })),
    {
      name: 'RLIMIT_NPROC',
      text: /^Max processes\s+(\S+)/m.exec(read('/proc/self/limits') ?? '')?.[1] ?? null,
    },
    ...pidsMax.map((name) => ({ name, text: read(name) })),
  ].flatMap(({ name, text }) => {
    const limit = text === null ? Number.NaN : Number(text.trim() || 'NaN');
    return Number.isInteger(limit) ? [{ name, limit }] : [];
  });
}

/** The limit that is reached first, or null where none could be read. */
export function tightest(limits: readonly PidLimit[]): PidLimit | null {
  return limits.toSorted((a, b) => a.limit - b.limit)[0] ?? null;
}

/**
 * Reads the lines of `/proc/PID/cgroup`, `ID:CONTROLLERS:PATH`; a path may hold colons.
 *
 * @returns Path by controller; that of cgroup v2 has the empty name.
 */
export function parseCgroups(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/^\d+:([^:\n]*):(.*)$/gm)].flatMap(([, controllers = '', path = '']) =>
      controllers.split(',').map((controller) => [controller, path] as const),
    ),
  );
}

/**
 * A cgroup's path and those above it, down to the empty one of the root. What is mounted in a container may be
 * the container's own cgroup, whatever path the kernel reports, so the root of the mount counts always.
 */
function ancestors(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  return names.map((_, index) => `/${names.slice(0, names.length - index).join('/')}`).concat('');
}
