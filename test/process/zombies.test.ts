import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import { findProgram, findTini } from '../../src/emulate/programs.ts';
import { type Member, treeOf } from '../../src/emulate/tree.ts';
import { type Emulation, type EmulationOptions, startZombies } from '../../src/emulate/zombies.ts';
import { openProcRoot } from '../../src/proc/root.ts';
import { isZombie } from '../../src/proc/stat.ts';
import { ProcessTable } from '../../src/proc/table.ts';
import {
  describeWith,
  eventually,
  type Need,
  pidNamespaces,
  program,
  room,
  root,
  tini,
} from '../support/process.ts';

const running: Emulation[] = [];

const proc = process.platform === 'linux' ? openProcRoot('/proc') : null;

function readProcess(pid: number) {
  return proc?.stat(pid) ?? null;
}

function membersOf(root: number): Member[] {
  const table = new ProcessTable();
  proc?.readTable(table);
  return treeOf(root, table);
}

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const emulation of running.splice(0)) await emulation.stop();
});

/** Starts an emulation that ends with the test, and fails the test where there can be none. */
async function zombies(options: EmulationOptions): Promise<Emulation> {
  const emulation = await startZombies(options);
  if ('unavailable' in emulation) throw new Error(emulation.unavailable);
  running.push(emulation);
  return emulation;
}

const tiniPath = findTini() ?? 'tini';

/** A PID 1 that never waits, with tini as its child. */
function tiniBelow(...options: string[]): string[] {
  return ['sh', '-c', '"$@" <&3 & exec cat <&3', 'sh', tiniPath, ...options, '--'];
}

describeWith([pidNamespaces], 'real zombies', () => {
  it('leaves every orphan with a PID 1 that never waits', async () => {
    const emulation = await zombies({ orphans: 5, unreaped: 3 });
    expect(emulation.count()).toEqual({ orphans: 5, unreaped: 3 });
    const made = emulation.zombies();
    expect(made.filter(({ kind }) => kind === 'orphan').map(({ ppid }) => ppid)).toEqual(
      Array(5).fill(emulation.pid1),
    );
    const negligent = new Set(made.filter(({ kind }) => kind === 'unreaped-child').map(({ ppid }) => ppid));
    expect([...negligent].map((pid) => readProcess(pid)?.state)).toEqual(['S']);
    for (const { pid } of made) expect(readProcess(pid)).toSatisfy(isZombie);
  });

  it.each([
    [0, 0],
    [1, 0],
    [0, 1],
    [60, 70],
  ])('makes %i orphans and %i unreaped children, no more and no less', async (orphans, unreaped) => {
    const emulation = await zombies({ orphans, unreaped });
    expect(emulation.count()).toEqual({ orphans, unreaped });
  });

  it('keeps the numbers of two namespaces apart', async () => {
    const [one, other] = await Promise.all([
      zombies({ orphans: 4, unreaped: 0 }),
      zombies({ orphans: 2, unreaped: 1 }),
    ]);
    expect(one.count()).toEqual({ orphans: 4, unreaped: 0 });
    expect(other.count()).toEqual({ orphans: 2, unreaped: 1 });
  });

  it('leaves nothing when it stops, and says so as often as it is asked', async () => {
    const emulation = await zombies({ orphans: 5, unreaped: 3 });
    const members = membersOf(emulation.pid1);
    expect(members.length).toBeGreaterThan(8);
    expect(await emulation.stop()).toBe(0);
    await emulation.ended;
    expect(members.map(({ pid, startTime }) => readProcess(pid)?.startTime === startTime)).not.toContain(
      true,
    );
    expect(emulation.count()).toEqual({ orphans: 0, unreaped: 0 });
    expect(await emulation.stop()).toBe(0);
  });

  it('ends when its signal is aborted', async () => {
    const controller = new AbortController();
    const emulation = await zombies({ orphans: 1, unreaped: 1, signal: controller.signal });
    controller.abort();
    await emulation.ended;
    expect(emulation.count()).toEqual({ orphans: 0, unreaped: 0 });
  });

  it.each([0, 5, 10, 20, 40, 80])('throws the reason of a signal that is aborted after %i ms', async (ms) => {
    const controller = new AbortController();
    const emulation = startZombies({ orphans: 5_000, unreaped: 0, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('changed my mind')), ms);
    await expect(emulation).rejects.toThrow('changed my mind');
  });

  it('notices when someone else kills the namespace', async () => {
    const emulation = await zombies({ orphans: 1, unreaped: 0 });
    process.kill(emulation.pid1, 'SIGKILL');
    await emulation.ended;
    expect(emulation.count()).toEqual({ orphans: 0, unreaped: 0 });
  });

  it.each([-1, 1.5, Number.NaN])('refuses %d as a number of zombies', async (orphans) => {
    await expect(startZombies({ orphans, unreaped: 0 })).rejects.toThrow(RangeError);
  });
});

describeWith([pidNamespaces, room(1_100)], 'more zombies than live at a time', () => {
  it('come in batches, and are as many as were asked for', async () => {
    const emulation = await zombies({ orphans: 501, unreaped: 502 });
    expect(emulation.count()).toEqual({ orphans: 501, unreaped: 502 });
    const negligent = emulation.zombies().filter(({ kind }) => kind === 'unreaped-child');
    expect(new Set(negligent.map(({ ppid }) => ppid)).size).toBe(2);
  });
});

describeWith([pidNamespaces, tini], 'real zombies and the real tini', () => {
  it('reaps orphans as PID 1, and no child of a parent that never waits', async () => {
    const emulation = await zombies({ orphans: 5, unreaped: 3, init: [tiniPath, '-s', '--'] });
    expect(emulation.count()).toEqual({ orphans: 0, unreaped: 3 });
    expect(readProcess(emulation.pid1)?.comm).toMatch(/^tini/);
  });

  it('does not reap when it is not PID 1', async () => {
    const emulation = await zombies({ orphans: 5, unreaped: 3, init: tiniBelow() });
    expect(emulation.count()).toEqual({ orphans: 5, unreaped: 3 });
  });

  it('reaps as a subreaper, with -s, when it is not PID 1', async () => {
    const emulation = await zombies({ orphans: 5, unreaped: 3, init: tiniBelow('-s') });
    expect(emulation.count()).toEqual({ orphans: 0, unreaped: 3 });
  });
});

for (const [shell, aptPackage] of [
  ['dash', 'dash'],
  // Bash reaps its children as they die, so these counts show that no shell is left to do so.
  ['bash', 'bash'],
  ['busybox', 'busybox'],
] as const) {
  describeWith([pidNamespaces, program(shell, aptPackage)], `real zombies by ${shell} as sh`, () => {
    it('counts the same', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-sh-'));
      try {
        symlinkSync(findProgram(shell) ?? '', join(folder, 'sh'));
        vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
        const emulation = await zombies({ orphans: 20, unreaped: 20 });
        expect(emulation.count()).toEqual({ orphans: 20, unreaped: 20 });
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
}

const script = fileURLToPath(new URL('../support/emulate.ts', import.meta.url));

/** Runs an emulation in a process of its own, behind other words, and answers that process and what it says. */
async function inOwnProcess(prefix: readonly string[], options: EmulationOptions) {
  const [file = '', ...words] = [...prefix, process.execPath, script, JSON.stringify(options)];
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, said: JSON.parse(line) };
}

describeWith([pidNamespaces], 'the process that made real zombies', () => {
  it('takes them with it when it is killed', async () => {
    const { child, said } = await inOwnProcess([], { orphans: 5, unreaped: 3 });
    expect(said.count).toEqual({ orphans: 5, unreaped: 3 });
    const members = membersOf(said.pid1);
    expect(members.length).toBeGreaterThan(8);
    child.kill('SIGKILL');
    await eventually(
      () => members.every(({ pid, startTime }) => readProcess(pid)?.startTime !== startTime),
      'the end of the namespace',
    );
  });
});

describeWith([pidNamespaces, tini], 'the process that made real zombies under tini', () => {
  it('takes them with it when it is killed', async () => {
    const { child, said } = await inOwnProcess([], { orphans: 5, unreaped: 3, init: [tiniPath, '-s', '--'] });
    const members = membersOf(said.pid1);
    child.kill('SIGKILL');
    await eventually(
      () => members.every(({ pid, startTime }) => readProcess(pid)?.startTime !== startTime),
      'the end of the namespace',
    );
  });
});

describeWith([pidNamespaces], 'where no real zombies can be made', () => {
  it('names the missing unshare and its package', async () => {
    vi.stubEnv('PATH', '/nowhere');
    expect(await startZombies({ orphans: 1, unreaped: 0, again: 'npm run demo' })).toEqual({
      unavailable: 'the program unshare is not there',
      retry: 'sudo apt-get install -y util-linux && npm run demo',
    });
  });

  it('names the missing init', async () => {
    const outcome = await startZombies({ orphans: 1, unreaped: 0, init: ['/nowhere/tini', '-s', '--'] });
    expect(outcome).toMatchObject({ unavailable: 'the program /nowhere/tini is not there' });
  });

  it('names the kernel setting that forbids it', async () => {
    const forbidding = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"';
    const { child, said } = await inOwnProcess(
      ['unshare', '--user', '--map-root-user', 'sh', '-c', forbidding, 'sh'],
      { orphans: 1, unreaped: 0, again: 'npm run demo' },
    );
    await once(child, 'close');
    expect(said.unavailable).toContain('user.max_user_namespaces = 0');
    expect(said.retry).toBe('sudo sysctl -w user.max_user_namespaces=15000 && npm run demo');
  });

  it('says what an init said that cannot start', async () => {
    const outcome = await startZombies({
      orphans: 1,
      unreaped: 0,
      init: ['sh', '-c', 'echo no >&2; exit 3'],
    });
    expect(outcome).toMatchObject({ unavailable: expect.stringContaining('(no)') });
  });
});

const asStranger = ['setpriv', '--reuid=64999', '--regid=64999', '--clear-groups'];

/** The kernel exempts root from RLIMIT_NPROC, so another user has to run into it. */
const strangersMayRead: Need = () => {
  const [file = '', ...words] = [...asStranger, process.execPath, '--check', script];
  return spawnSync(file, words).status === 0 ? null : `uid 64999 cannot read ${script}: move the checkout`;
};

describeWith(
  [pidNamespaces, root, program('prlimit', 'util-linux'), program('setpriv', 'util-linux'), strangersMayRead],
  'a limit on processes that is reached half-way',
  () => {
    it('says so instead of counting what there is', async () => {
      const { child, said } = await inOwnProcess([...asStranger, 'prlimit', '--nproc=40'], {
        orphans: 300,
        unreaped: 0,
      });
      await once(child, 'close');
      expect(said.unavailable).toMatch(/^not all zombies could be made \(.*fork/);
    });
  },
);
