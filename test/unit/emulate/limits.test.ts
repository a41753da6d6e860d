import { describe, expect, it } from 'vitest';
import { readPidLimits, tightest } from '../../../src/emulate/limits.ts';

/** A reader of the files of a made-up machine. */
function machine(files: Record<string, string>): (path: string) => string | null {
  return (path) => files[path] ?? null;
}

const limitsFile = `Limit                     Soft Limit           Hard Limit           Units
Max stack size            8388608              unlimited            bytes
Max processes             1024                 96365                processes
`;

describe('readPidLimits', () => {
  it('reads the kernel settings and the soft limit of processes', () => {
    const read = machine({
      '/proc/sys/kernel/pid_max': '32768\n',
      '/proc/sys/kernel/threads-max': '192730\n',
      '/proc/self/limits': limitsFile,
    });
    expect(readPidLimits(read)).toEqual([
      { name: 'kernel.pid_max', limit: 32768 },
      { name: 'kernel.threads-max', limit: 192730 },
      { name: 'RLIMIT_NPROC', limit: 1024 },
    ]);
  });

  it('reads pids.max of the cgroup and of those above it, under cgroup v2', () => {
    const read = machine({
      '/proc/self/cgroup': '0::/kubepods.slice/a:b.scope\n',
      '/sys/fs/cgroup/kubepods.slice/a:b.scope/pids.max': 'max\n',
      '/sys/fs/cgroup/kubepods.slice/pids.max': '4096\n',
    });
    expect(readPidLimits(read)).toEqual([{ name: '/sys/fs/cgroup/kubepods.slice/pids.max', limit: 4096 }]);
  });

  it('reads the root of the mount too, which in a container is the container’s own cgroup, under v1', () => {
    const read = machine({
      '/proc/self/cgroup': '9:cpu,cpuacct:/docker/abc\n8:pids:/docker/abc\n0::/\n',
      '/sys/fs/cgroup/pids/pids.max': '100\n',
    });
    expect(readPidLimits(read)).toEqual([{ name: '/sys/fs/cgroup/pids/pids.max', limit: 100 }]);
  });

  it('leaves out what is unlimited, empty or unreadable', () => {
    const read = machine({
      '/proc/sys/kernel/pid_max': '',
      '/proc/self/limits': 'Max processes             unlimited            unlimited            processes\n',
      '/proc/self/cgroup': '0::/../../x\n',
    });
    expect(readPidLimits(read)).toEqual([]);
  });
});

describe('tightest', () => {
  it('is the lowest limit', () => {
    expect(
      tightest([
        { name: 'a', limit: 9 },
        { name: 'b', limit: 8 },
        { name: 'c', limit: 10 },
      ]),
    ).toEqual({ name: 'b', limit: 8 });
  });

  it('is null when none is known', () => {
    expect(tightest([])).toBeNull();
  });
});
