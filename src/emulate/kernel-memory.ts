import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseCgroup } from '../proc/cgroup.ts';
import { type ReadText, readText } from '../proc/read-text.ts';

/** Memory that the kernel uses for its own records, among them those of processes and zombies. */
export interface KernelMemory {
  readonly bytes: number;
  /** The file that says so, and which of its lines. */
  readonly source: string;
  /** Whose memory it is: that of the zombies' own cgroup, of this process's, or of the whole machine. */
  readonly of: 'own-cgroup' | 'cgroup' | 'machine';
  /** How far the account may be from the truth; null where others change it at the same time. */
  readonly errorBytes: number | null;
}

/** What one zombie costs. */
export interface ZombieCost {
  readonly bytesPerZombie: number;
  /** How far that may be from the truth; null where others change the account at the same time. */
  readonly plusMinusBytes: number | null;
}

/** Pages of most machines; those with larger ones have an error as many times larger. */
const PAGE = 4096;
const CPUS = availableParallelism();

/**
 * Reads the kernel memory charged to a memory cgroup, or, where that cannot be read, that of the whole machine.
 *
 * @param own The folder of a cgroup that holds the zombies and nothing else; null, or one without an account, for
 *   the cgroup of this process.
 * @param read Reads a file; left out, the real one.
 * @returns The first that can be read, or null.
 */
export function readKernelMemory(own: string | null, read: ReadText = readText): KernelMemory | null {
  const lines = parseCgroup(read('/proc/self/cgroup') ?? '');
  const pathOf = (controller: string) =>
    lines.find(({ hierarchy, controllers }) =>
      controller === '' ? hierarchy === 0 : controllers.includes(controller),
    )?.path;
  return (
    (own === null ? null : (version1(own, 'own-cgroup', read) ?? version2(own, 'own-cgroup', read))) ??
    version1(folder('/sys/fs/cgroup/memory', pathOf('memory')), 'cgroup', read) ??
    version2(folder('/sys/fs/cgroup', pathOf('')), 'cgroup', read) ??
    machine(read)
  );
}

/** Looks at an account until it has not changed for a tenth of a second, for half a second at most. */
export async function settled(look: () => KernelMemory | null): Promise<KernelMemory | null> {
  let last = look();
  for (let round = 0, unchanged = 0; round < 25 && unchanged < 5; round += 1) {
    await delay(20);
    const next = look();
    unchanged = next?.bytes === last?.bytes ? unchanged + 1 : 0;
    last = next;
  }
  return last;
}

/** Of an account that others change too, what fewer zombies cost drowns in what those do. */
export const MEASURABLE = 1_000;

/**
 * What one zombie costs, by how much an account grew.
 *
 * @returns Null where that cannot be told: two different accounts, no growth, or too few zombies for this account.
 */
export function costOf(zombies: number, before: KernelMemory, after: KernelMemory): ZombieCost | null {
  const growth = after.bytes - before.bytes;
  if (before.source !== after.source || zombies === 0 || growth <= 0) return null;
  const { errorBytes } = after;
  const isTelling = errorBytes === null ? zombies >= MEASURABLE : errorBytes <= growth / 2;
  if (!isTelling) return null;
  return {
    bytesPerZombie: Math.round(growth / zombies),
    plusMinusBytes: errorBytes === null ? null : Math.ceil(errorBytes / zombies),
  };
}

function folder(mount: string, path: string | undefined): string | undefined {
  return path === '/' ? mount : path && `${mount}${path}`;
}

function version1(folder: string | undefined, of: KernelMemory['of'], read: ReadText): KernelMemory | null {
  if (folder === undefined) return null;
  // Linux 5.16 deprecated the limit of kernel memory; its usage is still reported.
  const source = `${folder}/memory.kmem.usage_in_bytes`;
  const text = read(source);
  // Whole pages are charged; each CPU keeps what is left of one (obj_stock in the kernel's mm/memcontrol.c).
  return text === null ? null : { bytes: Number(text), source, of, errorBytes: errorOf(of, 1) };
}

function version2(folder: string | undefined, of: KernelMemory['of'], read: ReadText): KernelMemory | null {
  if (folder === undefined) return null;
  const file = `${folder}/memory.stat`;
  // The line `kernel` came with Linux 5.18.
  const kernel = /^kernel (\d+)$/m.exec(read(file) ?? '')?.[1];
  // Up to 64 pages wait on each CPU, and as many again for the sum (MEMCG_CHARGE_BATCH in mm/memcontrol.c).
  return kernel === undefined
    ? null
    : { bytes: Number(kernel), source: `${file} (kernel)`, of, errorBytes: errorOf(of, 128) };
}

function errorOf(of: KernelMemory['of'], pages: number): number | null {
  return of === 'own-cgroup' ? pages * PAGE * CPUS : null;
}

function machine(read: ReadText): KernelMemory | null {
  const file = '/proc/meminfo';
  const text = read(file) ?? '';
  const kibibytes = ['Slab', 'KernelStack', 'PageTables'].map((name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN),
  );
  const sum = kibibytes.reduce((total, value) => total + value, 0);
  return Number.isNaN(sum)
    ? null
    : {
        bytes: sum * 1024,
        source: `${file} (Slab + KernelStack + PageTables)`,
        of: 'machine',
        errorBytes: null,
      };
}
