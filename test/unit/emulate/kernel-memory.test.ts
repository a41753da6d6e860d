import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { costOf, type KernelMemory, readKernelMemory, settled } from '../../../src/emulate/kernel-memory.ts';

const meminfo = 'Slab:             100 kB\nKernelStack:       20 kB\nPageTables:         3 kB\n';
const cpus = availableParallelism();

function machine(files: Record<string, string>): (path: string) => string | null {
  return (path) => files[path] ?? null;
}

describe('readKernelMemory', () => {
  const version1 = {
    '/proc/self/cgroup': '4:memory:/box\n0::/\n',
    '/sys/fs/cgroup/memory/box/memory.kmem.usage_in_bytes': '3653632\n',
    '/proc/meminfo': meminfo,
  };
  const version2 = {
    '/proc/self/cgroup': '0::/\n',
    '/sys/fs/cgroup/memory.stat': 'anon 1\nfile 2\nkernel 4096\nkernel_stack 16\n',
    '/proc/meminfo': meminfo,
  };

  it('prefers the memory cgroup, v1', () => {
    expect(readKernelMemory(null, machine(version1))).toEqual({
      bytes: 3653632,
      source: '/sys/fs/cgroup/memory/box/memory.kmem.usage_in_bytes',
      of: 'cgroup',
      errorBytes: null,
    });
  });

  it('prefers the memory cgroup, v2', () => {
    expect(readKernelMemory(null, machine(version2))).toEqual({
      bytes: 4096,
      source: '/sys/fs/cgroup/memory.stat (kernel)',
      of: 'cgroup',
      errorBytes: null,
    });
  });

  it('prefers a cgroup of the zombies’ own to all, v1', () => {
    const files = { ...version1, '/own/memory.kmem.usage_in_bytes': '8192\n' };
    expect(readKernelMemory('/own', machine(files))).toEqual({
      bytes: 8192,
      source: '/own/memory.kmem.usage_in_bytes',
      of: 'own-cgroup',
      errorBytes: 4096 * cpus,
    });
  });

  it('prefers a cgroup of the zombies’ own to all, v2', () => {
    const files = { ...version2, '/own/memory.stat': 'kernel 12288\n' };
    expect(readKernelMemory('/own', machine(files))).toEqual({
      bytes: 12288,
      source: '/own/memory.stat (kernel)',
      of: 'own-cgroup',
      errorBytes: 128 * 4096 * cpus,
    });
  });

  it('does without an account of their own', () => {
    expect(readKernelMemory('/own', machine(version1))).toMatchObject({ bytes: 3653632, of: 'cgroup' });
  });

  it('falls back to the machine’s own account', () => {
    expect(readKernelMemory(null, machine({ '/proc/meminfo': meminfo }))).toEqual({
      bytes: 123 * 1024,
      source: '/proc/meminfo (Slab + KernelStack + PageTables)',
      of: 'machine',
      errorBytes: null,
    });
  });

  it('answers null where nothing can be read', () => {
    expect(readKernelMemory(null, () => null)).toBeNull();
    expect(readKernelMemory(null, machine({ '/proc/meminfo': 'Slab: 1 kB\n' }))).toBeNull();
  });
});

const account = (bytes: number, errorBytes: number | null = null): KernelMemory => ({
  bytes,
  source: 'account',
  of: errorBytes === null ? 'cgroup' : 'own-cgroup',
  errorBytes,
});

describe('settled', () => {
  it('waits until the account does not change any more', async () => {
    const readings = [90, 50, 50, 20, 10];
    expect(await settled(() => account(readings.shift() ?? 10))).toMatchObject({ bytes: 10 });
    expect(readings).toEqual([]);
  });

  it('does not wait for ever', async () => {
    let reading = 0;
    const last = await settled(() => {
      reading += 1;
      return account(reading);
    });
    expect(last?.bytes).toBe(reading);
  });

  it('is null where there is none', async () => {
    expect(await settled(() => null)).toBeNull();
  });
});

describe('costOf', () => {
  it('is the growth of an account of their own, with what it may be wrong by', () => {
    expect(costOf(10, account(100_000, 8192), account(196_000, 8192))).toEqual({
      bytesPerZombie: 9600,
      plusMinusBytes: 820,
    });
  });

  it('is the growth of a shared account for very many of them only', () => {
    expect(costOf(1_000, account(0), account(9_600_000))).toEqual({
      bytesPerZombie: 9600,
      plusMinusBytes: null,
    });
    expect(costOf(999, account(0), account(9_600_000))).toBeNull();
  });

  it.each([
    ['the error is as large', 1, account(0, 8192), account(9600, 8192)],
    ['nothing grew', 10, account(5, 1), account(5, 1)],
    ['it shrank', 2_000, account(5), account(4)],
    ['there are none', 0, account(0, 1), account(9600, 1)],
    ['the account is another one', 10, account(0, 1), { ...account(96_000, 1), source: 'other' }],
  ])('is not told where %s', (_, zombies, before, after) => {
    expect(costOf(zombies, before, after)).toBeNull();
  });
});
