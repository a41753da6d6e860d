import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { homeFor } from '../../src/emulate/own-cgroup.ts';
import { readText } from '../../src/proc/read-text.ts';
import { openProcRoot } from '../../src/proc/root.ts';
import { isZombie } from '../../src/proc/stat.ts';
import {
  describeWith,
  eventually,
  type Need,
  pidNamespaces,
  program,
  room,
  tini,
} from '../support/process.ts';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const proc = process.platform === 'linux' ? openProcRoot('/proc') : null;
const running = new Set<ChildProcessByStdio<null, Readable, Readable>>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

/** Runs the command, behind other words if need be. */
function emulate(words: readonly string[], { prefix = [] as readonly string[], env = process.env } = {}) {
  const [file = '', ...rest] = [...prefix, process.execPath, main, 'emulate', ...words];
  const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'], env });
  running.add(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    line: async (): Promise<string> => (await lines.next()).value ?? '',
    rest: async () => {
      const rest: string[] = [];
      for await (const line of { [Symbol.asyncIterator]: () => lines }) rest.push(line);
      return rest.join('\n');
    },
    interrupt: () => child.kill('SIGINT'),
    kill: () => child.kill('SIGKILL'),
    exit: once(child, 'close').then(([code]) => ({ code, stderr })),
  };
}

describeWith([pidNamespaces], 'the command emulate', () => {
  it('shows zombies that are there, and takes them away when it is interrupted', async () => {
    const command = emulate(['--orphans', '3', '--unreaped', '2', '--seconds', '3600', '-o', 'json']);
    const started = JSON.parse(await command.line());
    expect(started).toMatchObject({
      schemaVersion: 1,
      event: 'started',
      init: null,
      asked: { orphans: 3, unreaped: 2 },
      there: { orphans: 3, unreaped: 2 },
    });
    const zombies = started.zombies.map(({ pid }: { pid: number }) => proc?.stat(pid));
    expect(zombies).toHaveLength(5);
    for (const zombie of zombies) expect(zombie).toSatisfy(isZombie);
    command.interrupt();
    expect(JSON.parse(await command.line())).toEqual({
      schemaVersion: 1,
      event: 'ended',
      left: 0,
      cgroupLeft: null,
    });
    expect(await command.exit).toEqual({ code: 0, stderr: '' });
    for (const { pid, startTime } of zombies) expect(proc?.stat(pid)?.startTime).not.toBe(startTime);
  });

  it('tells people where they are and that nothing is left', async () => {
    const command = emulate(['--orphans', '25', '--unreaped', '1', '--seconds', '0']);
    const text = await command.rest();
    expect(text).toMatch(/^PID 1 of the new namespace is \d+ \(cat\)\.$/m);
    expect(text).toContain('25 of 25 orphans are there');
    expect(text).toContain('1 of 1 unreaped children are there');
    expect(text).toMatch(/^KIND +PID +COMMAND +PARENT\norphan +\d+ +sh +\d+ \(cat\)$/m);
    expect(text).toContain('… and 6 more');
    expect(text).toMatch(/ps -o pid,ppid,stat,comm --ppid \d+,\d+$/m);
    expect(text).toMatch(/Left of its processes in \/proc: 0\.$/);
    expect(await command.exit).toEqual({ code: 0, stderr: '' });
  });

  it('says what is missing where nothing can be made', async () => {
    const command = emulate(['-o', 'json'], { env: { PATH: '/nowhere' } });
    expect(JSON.parse(await command.line())).toMatchObject({
      event: 'unavailable',
      unavailable: 'the program unshare is not there',
    });
    const { code, stderr } = await command.exit;
    expect(code).toBe(2);
    expect(stderr).toContain('sudo apt-get install -y util-linux && npm run -s gravekeeper -- emulate');
  });

  it.each([
    [['--orphans', '-1'], 'Expected a whole number'],
    [['--unreaped', '1e3'], 'Expected a whole number'],
    [['--seconds', '86401'], 'at most 86400'],
    [['--init', 'upstart'], 'Allowed choices are tini'],
  ])('refuses %j', async (words, message) => {
    const { code, stderr } = await emulate(words).exit;
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

const pidsHome = homeFor('pids')?.folder ?? null;

/** A cgroup of this process below which it may make others. */
const ownCgroups: Need = () => {
  try {
    if (pidsHome === null) return 'no pids cgroup can be made here';
    accessSync(pidsHome, constants.W_OK);
    return null;
  } catch {
    return `${pidsHome} is not writable: run the tests with sudo`;
  }
};

describeWith([pidNamespaces, ownCgroups], 'the command emulate and its cgroup', () => {
  it('runs in one of its own, bounds it, and removes it', async () => {
    const command = emulate(['--orphans', '3', '--unreaped', '2', '--seconds', '3600', '-o', 'json']);
    const { cgroup, pid1, zombies } = JSON.parse(await command.line());
    const name = cgroup.slice((pidsHome ?? '').length + 1);
    expect(name).toMatch(/^gravekeeper-emulate-[\d-]+$/);
    expect(proc?.cgroup(pid1)?.map(({ path }) => path.split('/').at(-1))).toContain(name);
    expect(Number(readText(`${cgroup}/pids.max`))).toBe(5 + 1 + 32);
    // PID 1, the shell beside it, the negligent parent and unshare live.
    expect(Number(readText(`${cgroup}/pids.current`))).toBe(zombies.length + 4);
    command.interrupt();
    expect(JSON.parse(await command.line())).toMatchObject({ event: 'ended', left: 0, cgroupLeft: null });
    expect(existsSync(cgroup)).toBe(false);
  });

  it('tells people which one and what it counts', async () => {
    const command = emulate(['--orphans', '3', '--seconds', '0']);
    expect(await command.rest()).toMatch(/^Its cgroup \/\S+ counts 6 processes and allows 35\.$/m);
  });

  it('leaves none behind when it is killed', async () => {
    const command = emulate(['--orphans', '3', '--seconds', '3600', '-o', 'json']);
    const { cgroup } = JSON.parse(await command.line());
    expect(existsSync(cgroup)).toBe(true);
    command.kill();
    await eventually(() => !existsSync(cgroup), 'the end of the cgroup');
  });

  it('removes what was left of runs that could not, and nothing else', async () => {
    const startTime = proc?.stat(process.pid)?.startTime ?? 0;
    const [abandoned, mine] = [startTime + 1, startTime].map((time) =>
      join(pidsHome ?? '', `gravekeeper-emulate-${process.pid}-${time}-99`),
    );
    for (const folder of [abandoned, mine]) mkdirSync(folder ?? '');
    try {
      await emulate(['--orphans', '1', '--seconds', '0']).exit;
      expect(existsSync(abandoned ?? '')).toBe(false);
      expect(existsSync(mine ?? '')).toBe(true);
    } finally {
      rmdirSync(mine ?? '');
    }
  });

  it('measures what few of them cost by an account of their own', async () => {
    const command = emulate(['--orphans', '50', '--unreaped', '2', '--seconds', '0', '-o', 'json']);
    const { memory } = JSON.parse(await command.line());
    if (memory.of !== 'own-cgroup') return expect(homeFor('memory')).toBeNull();
    expect(memory.source).toMatch(/\/gravekeeper-emulate-[\d-]+\/memory\./);
    if (memory.bytesPerZombie === null) return expect(memory.source).toMatch(/memory\.stat/);
    expect(memory.bytesPerZombie).toBeGreaterThan(1024);
    expect(memory.bytesPerZombie).toBeLessThan(64 * 1024);
    expect(memory.plusMinusBytes).toBeLessThanOrEqual(memory.bytesPerZombie / 2);
  });
});

const asStranger = ['setpriv', '--reuid=64999', '--regid=64999', '--clear-groups'];

/** Whoever is not root cannot make a cgroup, unless one was delegated to them. */
const strangersMayRead: Need = () =>
  spawnSync(asStranger[0] ?? '', [...asStranger.slice(1), process.execPath, '--check', main]).status === 0
    ? null
    : `uid 64999 cannot read ${main}: move the checkout, and run the tests with sudo`;

describeWith(
  [pidNamespaces, ownCgroups, program('setpriv', 'util-linux'), strangersMayRead],
  'the command emulate without the right to make a cgroup',
  () => {
    it('runs in that of the command, and says so', async () => {
      const json = emulate(['--orphans', '2', '--seconds', '0', '-o', 'json'], { prefix: asStranger });
      expect(JSON.parse(await json.line())).toMatchObject({ cgroup: null, there: { orphans: 2 } });
      const text = await emulate(['--orphans', '2', '--seconds', '0'], { prefix: asStranger }).rest();
      expect(text).toContain('It runs in the cgroup of this command: none of its own can be made here.');
      expect(text).toContain('From 1000 orphans on, the memory that each one costs is shown too.');
    });
  },
);

describeWith([pidNamespaces, room(1_000)], 'the command emulate and memory', () => {
  it('says by which account it measured what they cost', async () => {
    const command = emulate(['--orphans', '1000', '--seconds', '0', '-o', 'json']);
    const { memory } = JSON.parse(await command.line());
    expect(memory.source).toMatch(/^\/(sys|proc)\//);
    expect(await command.exit).toMatchObject({ code: 0 });
  });
});

describeWith([pidNamespaces, tini], 'the command emulate with tini', () => {
  it('shows that the orphans are gone and the unreaped children are not', async () => {
    const command = emulate(['--orphans', '3', '--unreaped', '2', '--seconds', '0', '--init', 'tini']);
    const text = await command.rest();
    expect(text).toContain('0 of 3 orphans are there: PID 1 is tini');
    expect(text).toContain('2 of 2 unreaped children are there');
    expect(text).not.toMatch(/^orphan /m);
  });
});

describeWith(
  [pidNamespaces, room(1_000), program('prlimit', 'util-linux')],
  'the command emulate and limits',
  () => {
    it('refuses more than half of the tightest one and names it', async () => {
      const prefix = ['prlimit', '--nproc=2000:'];
      const { code, stderr } = await emulate(['--orphans', '900', '--unreaped', '101'], { prefix }).exit;
      expect(code).toBe(2);
      expect(stderr).toContain('1001 zombies are more than half');
      expect(stderr).toContain('RLIMIT_NPROC = 2000: ask for 1000 at most');
    });
  },
);
