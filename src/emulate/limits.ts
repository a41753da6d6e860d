import { type CgroupLine, parseCgroup } from '../proc/cgroup.ts';
import { type ReadText, readText } from '../proc/read-text.ts';

/** A limit on the number of processes and threads, zombies included. */
export interface PidLimit {
  /** Where it is set: a sysctl name, `RLIMIT_NPROC` or the path of a cgroup's `pids.max`. */
  readonly name: string;
  readonly limit: number;
}

/**
 * Reads every PID limit that holds for this process and that can be read here, unlimited ones left out.
 *
 * @param read Reads a file; left out, the real one.
 */
export function readPidLimits(read: ReadText = readText): PidLimit[] {
  const cgroups = parseCgroup(read('/proc/self/cgroup') ?? '');
  const pidsMax = cgroups.flatMap((line) => {
    const mount = pidsMount(line);
    return mount === null ? [] : ancestors(line.path).map((folder) => `${mount}${folder}/pids.max`);
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

/** Where the hierarchy of the pids controller is mounted: alone under cgroup v1, with all others under v2. */
function pidsMount({ hierarchy, controllers }: CgroupLine): string | null {
  if (controllers.includes('pids')) return '/sys/fs/cgroup/pids';
  return hierarchy === 0 ? '/sys/fs/cgroup' : null;
}

/**
 * A cgroup's path and those above it, down to the empty one of the root. What is mounted in a container may be
 * the container's own cgroup, whatever path the kernel reports, so the root of the mount counts always.
 */
function ancestors(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  return names.map((_, index) => `/${names.slice(0, names.length - index).join('/')}`).concat('');
}
