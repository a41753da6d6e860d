import { parseCgroups, type ReadFile, readTextFile } from './limits.ts';

/** Memory that the kernel uses for its own records, among them those of processes and zombies. */
export interface KernelMemory {
  readonly bytes: number;
  /** The file that says so, and which of its lines. */
  readonly source: string;
  /** Whose memory it is: that of this process's cgroup, or that of the whole machine. */
  readonly of: 'cgroup' | 'machine';
}

/**
 * Reads the kernel memory charged to this process's memory cgroup, or, where that cannot be read, that of the
 * whole machine.
 *
 * @param read Reads a file; left out, the real one.
 * @returns The first that can be read, or null.
 */
export function readKernelMemory(read: ReadFile = readTextFile): KernelMemory | null {
  const cgroups = parseCgroups(read('/proc/self/cgroup') ?? '');
  return cgroup1(cgroups.get('memory'), read) ?? cgroup2(cgroups.get(''), read) ?? machine(read);
}

function cgroup1(path: string | undefined, read: ReadFile): KernelMemory | null {
  if (path === undefined) return null;
  // Linux 5.16 deprecated the limit of kernel memory; its usage is still reported.
  const source = `/sys/fs/cgroup/memory${path === '/' ? '' : path}/memory.kmem.usage_in_bytes`;
  const text = read(source);
  return text === null ? null : { bytes: Number(text), source, of: 'cgroup' };
}

function cgroup2(path: string | undefined, read: ReadFile): KernelMemory | null {
  if (path === undefined) return null;
  const file = `/sys/fs/cgroup${path === '/' ? '' : path}/memory.stat`;
  // The line `kernel` came with Linux 5.18.
  const kernel = /^kernel (\d+)$/m.exec(read(file) ?? '')?.[1];
  return kernel === undefined ? null : { bytes: Number(kernel), source: `${file} (kernel)`, of: 'cgroup' };
}

function machine(read: ReadFile): KernelMemory | null {
  const file = '/proc/meminfo';
  const text = read(file) ?? '';
  const kibibytes = ['Slab', 'KernelStack', 'PageTables'].map((name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN),
  );
  const sum = kibibytes.reduce((total, value) => total + value, 0);
  return Number.isNaN(sum)
    ? null
    : { bytes: sum * 1024, source: `${file} (Slab + KernelStack + PageTables)`, of: 'machine' };
}
