import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/input-error.ts';
import { openProcRoot } from '../../../src/proc/root.ts';
import { copiedTree, statLine } from './tree.ts';

const onLinux = process.platform === 'linux';

describe('openProcRoot', () => {
  it('reads when the machine was booted', () => {
    expect(openProcRoot(copiedTree()).bootTime).toBe(1795181154);
  });

  it('names the folder, the file and what is missing', () => {
    expect(() => openProcRoot('/nowhere')).toThrow(InputError);
    expect(() => openProcRoot('/nowhere')).toThrow(
      /^\/nowhere is no proc root: its file "stat" cannot be read/,
    );
    const folder = copiedTree({ stat: 'cpu 0\n' });
    expect(() => openProcRoot(folder)).toThrow(
      `${folder} is no proc root: its file "stat" has no line "btime`,
    );
  });
});

describe('the files of the machine', () => {
  it('are read', () => {
    const root = openProcRoot(
      copiedTree({ uptime: '11681.97 20000.1\n', loadavg: '0.00 0.10 0.58 1/95 31380\n' }),
    );
    expect(root.uptimeSeconds()).toBe(11681.97);
    expect(root.nodeThreads()).toBe(95);
    expect(root.text('uptime')).toBe('11681.97 20000.1\n');
  });

  it.each(['', 'garbage', 'x 0.1 0.5 1/x 1', '-1 2'])('are null where they are missing or %j', (text) => {
    for (const root of [
      openProcRoot(copiedTree()),
      openProcRoot(copiedTree({ uptime: text, loadavg: text })),
    ]) {
      expect(root.uptimeSeconds()).toBeNull();
      expect(root.nodeThreads()).toBeNull();
    }
  });

  it('are read to a bound', () => {
    const root = openProcRoot(copiedTree({ big: 'x'.repeat(3 << 20), '7/cmdline': 'y\0'.repeat(1 << 20) }));
    expect(root.text('big')).toHaveLength(1 << 20);
    expect(root.commandLine(7)).toHaveLength(1 << 15);
  });
});

describe('one process', () => {
  it('is null in all parts where it is gone', () => {
    const root = openProcRoot(copiedTree());
    for (const part of ['stat', 'status', 'cgroup', 'commandLine', 'pidNamespace', 'waitChannel'] as const) {
      expect(root[part](7), part).toBeNull();
    }
  });

  it('is null where its files hold garbage', () => {
    const root = openProcRoot(
      copiedTree({ '7/stat': 'garbage', '7/status': 'garbage', '7/cgroup': 'garbage' }),
    );
    expect(root.stat(7)).toBeNull();
    expect(root.status(7)).toBeNull();
    expect(root.cgroup(7)).toEqual([]);
  });

  it('is not another one, whatever its line says', () => {
    expect(openProcRoot(copiedTree({ '7/stat': statLine(8) })).stat(7)).toBeNull();
  });

  it.each([
    ['', []],
    ['sh\0-c\0\0', ['sh', '-c', '']],
    ['nginx: worker', ['nginx: worker']],
  ])('has the command line %j', (cmdline, words) => {
    expect(openProcRoot(copiedTree({ '7/cmdline': cmdline })).commandLine(7)).toEqual(words);
  });

  it('tells where it waits only if the kernel does', () => {
    const root = openProcRoot(copiedTree({ '7/wchan': 'do_wait', '8/wchan': '0', '9/wchan': '' }));
    expect([7, 8, 9].map((pid) => root.waitChannel(pid))).toEqual(['do_wait', null, null]);
  });

  it('has the namespace that its link names', () => {
    const folder = copiedTree({ '7/stat': '' });
    mkdirSync(join(folder, '7/ns'));
    symlinkSync('pid:[4026531836]', join(folder, '7/ns/pid'));
    expect(openProcRoot(folder).pidNamespace(7)).toBe('pid:[4026531836]');
  });

  it.runIf(onLinux)('does not hang on a named pipe', () => {
    const folder = copiedTree({ '7/stat': '' });
    rmSync(join(folder, '7/stat'));
    execFileSync('mkfifo', [join(folder, '7/stat'), join(folder, '7/status')]);
    const root = openProcRoot(folder);
    expect(root.stat(7)).toBeNull();
    expect(root.status(7)).toBeNull();
  });

  it.runIf(onLinux)('is this one in the real /proc', () => {
    const root = openProcRoot('/proc');
    expect(root.stat(process.pid)).toMatchObject({ pid: process.pid, ppid: process.ppid, state: 'R' });
    expect(root.status(process.pid)?.nspid.at(0)).toBe(process.pid);
    expect(root.status(process.pid)?.uid).toBe(process.geteuid?.());
    expect(root.commandLine(process.pid)?.length).toBeGreaterThan(0);
    expect(root.pidNamespace(process.pid)).toMatch(/^pid:\[\d+\]$/);
  });
});

describe('isHost', () => {
  const kernelThread = { '2/stat': statLine(2, { comm: 'kthreadd', flags: 0x208040 }) };

  it.each([
    ['kernel threads', kernelThread, true],
    ['nothing at all, since it is a copy', {}, true],
    ['a PID 1 in the root of every cgroup, since it is a copy', { '1/cgroup': '4:pids:/\n0::/\n' }, true],
    ['the init of a machine', { '1/cgroup': '4:pids:/\n0::/init.scope\n' }, true],
    ['the init of a machine, seen from a container', { '1/cgroup': '0::/../../../..\n' }, true],
    [
      'a PID 1 in a pod',
      { '1/cgroup': `4:pids:/kubepods/pod9729a196c4723b60ab401eaff722982d\n0::/x\n` },
      false,
    ],
    ['a PID 1 in a container beside the reader', { '1/cgroup': `0::/../${'a'.repeat(64)}\n` }, false],
  ])('sees by %s', (_, files, isHost) => {
    expect(openProcRoot(copiedTree(files)).isHost()).toBe(isHost);
  });
});

describe('cgroup', () => {
  it('is one and the same for processes that say the same', () => {
    const files = { '7/cgroup': '0::/a\n', '8/cgroup': '0::/a\n', '9/cgroup': '0::/b\n' };
    const root = openProcRoot(copiedTree(files));
    expect(root.cgroup(7)).toBe(root.cgroup(8));
    expect(root.cgroup(9)).toEqual([{ hierarchy: 0, controllers: [], path: '/b', deleted: false }]);
  });

  it('is right however many there are', () => {
    const pids = Array.from({ length: 600 }, (_, index) => index + 1);
    const root = openProcRoot(
      copiedTree(Object.fromEntries(pids.map((pid) => [`${pid}/cgroup`, `0::/c${pid}\n`]))),
    );
    for (const pid of [...pids, ...pids]) expect(root.cgroup(pid)?.[0]?.path).toBe(`/c${pid}`);
  });
});
