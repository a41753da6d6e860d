import { describe, expect, it } from 'vitest';
import { readKernelMemory } from '../../../src/emulate/kernel-memory.ts';

const meminfo = 'Slab:             100 kB\nKernelStack:       20 kB\nPageTables:         3 kB\n';

describe('readKernelMemory', () => {
  it('prefers the memory cgroup, v1', () => {
    const files: Record<string, string> = {
      '/proc/self/cgroup': '4:memory:/box\n0::/\n',
      '/sys/fs/cgroup/memory/box/memory.kmem.usage_in_bytes': '3653632\n',
      '/proc/meminfo': meminfo,
    };
    expect(readKernelMemory((path) => files[path] ?? null)).toEqual({
      bytes: 3653632,
      source: '/sys/fs/cgroup/memory/box/memory.kmem.usage_in_bytes',
      of: 'cgroup',
    });
  });

  it('prefers the memory cgroup, v2', () => {
    const files: Record<string, string> = {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.stat': 'anon 1\nfile 2\nkernel 4096\nkernel_stack 16\n',
      '/proc/meminfo': meminfo,
    };
    expect(readKernelMemory((path) => files[path] ?? null)).toEqual({
      bytes: 4096,
      source: '/sys/fs/cgroup/memory.stat (kernel)',
      of: 'cgroup',
    });
  });

  it('falls back to the machine’s own account', () => {
    expect(readKernelMemory((path) => (path === '/proc/meminfo' ? meminfo : null))).toEqual({
      bytes: 123 * 1024,
      source: '/proc/meminfo (Slab + KernelStack + PageTables)',
      of: 'machine',
    });
  });

  it('answers null where nothing can be read', () => {
    expect(readKernelMemory(() => null)).toBeNull();
    expect(readKernelMemory((path) => (path === '/proc/meminfo' ? 'Slab: 1 kB\n' : null))).toBeNull();
  });
});
