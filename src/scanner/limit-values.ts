import { readText } from '../proc/read-text.ts';

/** How many processes and threads a cgroup holds, zombies included, and how many it may; null for no limit. */
export interface CgroupPids {
  readonly used: number;
  readonly limit: number | null;
}

/** The memory of a cgroup in bytes; null for no limit. */
export interface CgroupMemory {
  /**
   * Without cached files, active ones neither: the kernel takes back both before it kills. A tmpfs is not among them.
   */
  readonly usedBytes: number;
  readonly limitBytes: number | null;
}

/** A memory.stat has about 60 lines. */
const mostBytes = 1 << 16;

/** cgroup v1 writes "no limit" as the highest count of pages it can hold, which depends on their size. */
const noLimitFromBytes = 2 ** 62;

/** Reads the use of pids of a cgroup's folder; null where that is not readable. */
export function readCgroupPids(folder: string): CgroupPids | null {
  const used = readCount(`${folder}/pids.current`);
  const limit = readLimit(`${folder}/pids.max`);
  return used === null || limit === null ? null : { used, limit: finiteOrNull(limit) };
}

/** Reads the use of memory of a cgroup's folder, v2 or v1; null where that is not readable. */
export function readCgroupMemory(folder: string): CgroupMemory | null {
  return (
    readMemory(folder, {
      usage: 'memory.current',
      limit: 'memory.max',
      files: ['inactive_file', 'active_file'],
    }) ??
    readMemory(folder, {
      usage: 'memory.usage_in_bytes',
      limit: 'memory.limit_in_bytes',
      files: ['total_inactive_file', 'total_active_file'],
    })
  );
}

/** Reads a file that holds one whole number; null for anything else. */
export function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,20}\n?$/.test(text) ? Number(text) : null;
}

interface MemoryNames {
  readonly usage: string;
  readonly limit: string;
  /** Lines of memory.stat that count the bytes of cached files. */
  readonly files: readonly string[];
}

function readMemory(folder: string, names: MemoryNames): CgroupMemory | null {
  const usage = readCount(`${folder}/${names.usage}`);
  const limit = readLimit(`${folder}/${names.limit}`);
  const statistics = readText(`${folder}/memory.stat`, mostBytes) ?? '';
  const files = names.files.map((name) => statistic(statistics, name)).reduce((a, b) => a + b, 0);
  if (usage === null || limit === null || Number.isNaN(files)) return null;
  return {
    usedBytes: Math.max(0, usage - files),
    limitBytes: limit >= noLimitFromBytes ? null : limit,
  };
}

/** @returns NaN where there is no such line. */
function statistic(statistics: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d{1,20})$`, 'm').exec(statistics)?.[1]);
}

function readCount(path: string): number | null {
  return wholeNumber(readText(path, mostBytes));
}

/** @returns Infinity for the word `max`, null where there is neither it nor a number. */
function readLimit(path: string): number | null {
  const text = readText(path, mostBytes);
  return text?.trim() === 'max' ? Number.POSITIVE_INFINITY : wholeNumber(text);
}

function finiteOrNull(limit: number): number | null {
  return Number.isFinite(limit) ? limit : null;
}
