import { describe, expect, it } from 'vitest';
import { entered, homeFor } from '../../../src/emulate/own-cgroup.ts';
import { openProcRoot } from '../../../src/proc/root.ts';
import { copiedTree } from '../proc/tree.ts';

const self = 42;

/** The home on a made-up machine. */
function home(controller: 'pids' | 'memory', files: Record<string, string>) {
  return homeFor(controller, (path) => files[path] ?? null, self);
}

describe('homeFor', () => {
  it('is the cgroup of this process under v1, and each controller has its own', () => {
    const files = {
      '/proc/self/cgroup': '8:pids:/a\n4:memory:/b:c\n0::/\n',
      '/sys/fs/cgroup/pids/a/cgroup.procs': '1\n42\n',
      '/sys/fs/cgroup/memory/b:c/cgroup.procs': '42\n',
    };
    expect(home('pids', files)).toEqual({ folder: '/sys/fs/cgroup/pids/a', version: 1 });
    expect(home('memory', files)).toEqual({ folder: '/sys/fs/cgroup/memory/b:c', version: 1 });
  });

  it('is the root of the mount where a container has its own cgroup mounted there', () => {
    const files = {
      '/proc/self/cgroup': '8:pids:/docker/x\n',
      '/sys/fs/cgroup/pids/cgroup.procs': '42\n',
    };
    expect(home('pids', files)).toEqual({ folder: '/sys/fs/cgroup/pids', version: 1 });
  });

  it('is no cgroup that this process is not in', () => {
    const files = { '/proc/self/cgroup': '8:pids:/\n', '/sys/fs/cgroup/pids/cgroup.procs': '4\n142\n' };
    expect(home('pids', files)).toBeNull();
  });

  it('is that of this process under v2, if it hands out the controller', () => {
    const files = {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cgroup.procs': '42\n',
      '/sys/fs/cgroup/cgroup.subtree_control': 'cpu pids\n',
    };
    expect(home('pids', files)).toEqual({ folder: '/sys/fs/cgroup', version: 2 });
    expect(home('memory', files)).toBeNull();
  });

  it('is the one above under v2, if only that hands it out', () => {
    const files = {
      '/proc/self/cgroup': '0::/app.slice/run.scope\n',
      '/sys/fs/cgroup/app.slice/run.scope/cgroup.procs': '42\n',
      '/sys/fs/cgroup/app.slice/run.scope/cgroup.subtree_control': '\n',
      '/sys/fs/cgroup/app.slice/cgroup.subtree_control': 'memory pids\n',
    };
    expect(home('pids', files)).toEqual({ folder: '/sys/fs/cgroup/app.slice', version: 2 });
    expect(home('memory', files)).toEqual({ folder: '/sys/fs/cgroup/app.slice', version: 2 });
  });

  it('is not above the root of the mount', () => {
    const files = {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cgroup.procs': '42\n',
      '/sys/fs/cgroup.subtree_control': 'pids\n',
      '/sys/fs/cgroup.procs': '42\n',
    };
    expect(home('pids', files)).toBeNull();
  });

  it('is null where nothing can be read', () => {
    expect(home('pids', {})).toBeNull();
  });
});

describe('entered', () => {
  const cgroup = { pids: '/sys/fs/cgroup/pids/x', memory: '/sys/fs/cgroup/memory/x' };
  const of = (text: string) => entered(cgroup, 7, openProcRoot(copiedTree({ '7/cgroup': text })));

  it.each([
    ['both', '8:pids:/x\n4:memory:/a/x\n', cgroup],
    ['one of v2', '0::/x\n', cgroup],
    ['the first', '8:pids:/x\n4:memory:/a\n', { ...cgroup, memory: null }],
    ['only the second', '8:pids:/\n4:memory:/a/x\n', null],
    ['neither', '8:pids:/\n', null],
  ])('tells that a process is in %s', (_, text, expected) => {
    expect(of(text)).toEqual(expected);
  });

  it('is null for a process that is gone, and without a cgroup', () => {
    const proc = openProcRoot(copiedTree());
    expect(entered(cgroup, 7, proc)).toBeNull();
    expect(entered(null, 7, proc)).toBeNull();
  });
});
