import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { isZombie, readProcess } from '../../src/emulate/processes.ts';
import { describeWith, pidNamespaces, program, room, tini } from '../support/process.ts';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
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
    const zombies = started.zombies.map(({ pid }: { pid: number }) => readProcess(pid));
    expect(zombies).toHaveLength(5);
    for (const zombie of zombies) expect(zombie).toSatisfy(isZombie);
    command.interrupt();
    expect(JSON.parse(await command.line())).toEqual({ schemaVersion: 1, event: 'ended', left: 0 });
    expect(await command.exit).toEqual({ code: 0, stderr: '' });
    for (const { pid, startTime } of zombies) expect(readProcess(pid)?.startTime).not.toBe(startTime);
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
