import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findTini } from '../../src/emulate/programs.ts';
import { type Emulation, startZombies } from '../../src/emulate/zombies.ts';
import type { ScanReport, ZombieGroup } from '../../src/scanner/report.ts';
import { ProcTree } from '../support/proc-tree.ts';
import { describeWith, eventually, pidNamespaces, root, tini } from '../support/process.ts';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const ending: (() => unknown)[] = [];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gravekeeper-scan-'));
});
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
  rmSync(folder, { recursive: true });
});

/** Runs the command to its end. No cluster is asked. */
function scan(words: readonly string[], prefix: readonly string[] = []) {
  const [file = '', ...rest] = [...prefix, process.execPath, main, 'scan', ...words];
  const env = { ...process.env, KUBECONFIG: '', COLUMNS: '100' };
  return spawnSync(file, rest, { encoding: 'utf8', env });
}

function report(words: readonly string[] = [], prefix: readonly string[] = []): ScanReport {
  const { stdout, stderr, status } = scan(['--once', '-o', 'json', ...words], prefix);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return JSON.parse(stdout);
}

async function emulate(count: Parameters<typeof startZombies>[0]): Promise<Emulation> {
  const emulation = await startZombies(count);
  if ('unavailable' in emulation) throw new Error(emulation.unavailable);
  ending.push(() => emulation.stop());
  return emulation;
}

/** The groups below the init of an emulation; other zombies of this machine are not ours. */
function groupsOf({ pid1 }: Emulation, { groups }: Pick<ScanReport, 'groups'>): ZombieGroup[] {
  return groups.filter(
    ({ parent }) => parent?.pid === pid1 || parent?.ancestors.some(({ pid }) => pid === pid1) === true,
  );
}

describeWith([pidNamespaces], 'scan --once beside real zombies', () => {
  it('counts them exactly, and tells kinds and parents', async () => {
    const emulation = await emulate({ orphans: 5, unreaped: 3 });
    const zombies = emulation.zombies();
    const found = report();
    const groups = groupsOf(emulation, found);
    expect(groups).toMatchObject([
      {
        count: 5,
        kind: 'orphan',
        certain: false,
        fixableBy: 'init',
        parent: { pid: emulation.pid1, comm: 'cat', cmdline: 'cat', isPid1: true },
        container: null,
        pod: null,
        namespace: null,
        owner: null,
      },
      {
        count: 3,
        kind: 'unreaped-child',
        certain: true,
        fixableBy: 'app',
        parent: {
          pid: zombies.find(({ kind }) => kind === 'unreaped-child')?.ppid,
          comm: 'cat',
          isPid1: false,
        },
      },
    ]);
    expect(groups.flatMap(({ pids }) => pids).sort()).toEqual(zombies.map(({ pid }) => pid).sort());
    expect(found).toMatchObject({ schemaVersion: 1, pids: { secondsToExhaustion: null, unreadable: 0 } });
    expect(found.pids.used).toBeGreaterThan(8);
    expect(found.zombies).toBeGreaterThanOrEqual(8);
  });

  it('shows a person the same', async () => {
    const emulation = await emulate({ orphans: 2, unreaped: 0 });
    const { stdout } = scan(['--once', '--node', 'node-1']);
    expect(stdout).toMatch(/^node-1: \d+ zombies?/);
    expect(stdout).toMatch(new RegExp(`^2 +orphan\\? .* ${emulation.pid1} cat .* an init$`, 'm'));
  });

  it('sees as much without root and without capabilities', async () => {
    const emulation = await emulate({ orphans: 4, unreaped: 2 });
    const nobody = ['setpriv', '--reuid=65532', '--regid=65532', '--clear-groups', '--bounding-set=-all'];
    const prefix = process.getuid?.() === 0 ? nobody : [];
    const counts = groupsOf(emulation, report([], prefix)).map(({ count, kind }) => [count, kind]);
    expect(counts).toEqual([
      [4, 'orphan'],
      [2, 'unreaped-child'],
    ]);
  });

  it('tells node-problem-detector in one line and an exit code', async () => {
    await emulate({ orphans: 2, unreaped: 0 });
    const problem = scan(['--once', '-o', 'npd']);
    expect(problem.status).toBe(1);
    expect(problem.stdout).toMatch(/^\d+ zombies; [ -~]+\n$/);
    const unknown = scan(['--once', '-o', 'npd', '--proc', folder]);
    expect(unknown).toMatchObject({ status: 2, stderr: '' });
    expect(unknown.stdout).toMatch(/^Unknown: .*no proc root/);
  });

  it('tells it of a problem from a number of zombies on', () => {
    // A made-up machine, since one whose PIDs are nearly used up has a problem with any number of zombies.
    const tree = new ProcTree([{ pid: 200, ppid: 1, comm: 'app' }]);
    ending.push(() => tree.dispose());
    for (const pid of [201, 202, 203]) tree.add({ pid, ppid: 200, comm: 'sh', state: 'Z' });
    const npd = (problemFrom: string) =>
      scan(['--once', '-o', 'npd', '--proc', tree.path, '--problem-from', problemFrom]);
    expect(npd('4')).toMatchObject({ status: 0, stdout: '3 zombies, fewer than 4\n' });
    expect(npd('3')).toMatchObject({ status: 1, stdout: expect.stringContaining('3 zombies; 3 ') });
  });

  it('says what is no proc root, with exit code 2', () => {
    const { status, stderr, stdout } = scan(['--once', '--proc', folder]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(`${folder} is no proc root`);
  });

  it('goes on without names where the kubeconfig is of no use, and says so in one line', async () => {
    const { status, stderr, stdout } = scan(['--once', '-o', 'json', '--kubeconfig', join(folder, 'none')]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^gravekeeper: the names of pods are not known: [^\n]+\n$/);
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1 });
  });
});

describeWith([pidNamespaces, tini], 'scan --once beside an init', () => {
  it('finds none of the orphans, and all children of a parent that never waits', async () => {
    const emulation = await emulate({ orphans: 5, unreaped: 3, init: [findTini() ?? '', '-s', '--'] });
    expect(groupsOf(emulation, report())).toMatchObject([{ count: 3, kind: 'unreaped-child' }]);
  });
});

describeWith([pidNamespaces, root], 'scan --interval', () => {
  /** Runs the command in a loop; answers a way to read what it serves, and its end. */
  async function watch(words: readonly string[]) {
    const args = [main, 'scan', '--interval', '0.2', '--host', '127.0.0.1', ...words];
    const child = spawn(process.execPath, args, { env: { ...process.env, KUBECONFIG: '', COLUMNS: '100' } });
    ending.push(() => child.kill('SIGKILL'));
    const output: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => output.push(line));
    return { child, output, exit: once(child, 'close').then(([code]) => code) };
  }

  it('prints what changes, and a summary at SIGINT', async () => {
    const emulation = await emulate({ orphans: 2, unreaped: 0 });
    const { child, output, exit } = await watch([]);
    await eventually(() => output.length > 0, 'the first line');
    expect(output[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \d+ zombies/);
    await emulate({ orphans: 3, unreaped: 0 });
    await eventually(() => output.some((line) => line.includes('(+3)')), 'a line with three more');
    child.kill('SIGINT');
    expect(await exit).toBe(0);
    const text = output.join('\n');
    expect(text).toMatch(/Watched .* looks?\)/);
    expect(text).toMatch(new RegExp(`^2 +orphan\\? .* ${emulation.pid1} cat`, 'm'));
  });

  it('serves metrics, its health and the last report, and writes for node-problem-detector', async () => {
    const emulation = await emulate({ orphans: 2, unreaped: 1 });
    const file = join(folder, 'npd');
    const port = 39_217;
    const { child, output, exit } = await watch([
      '--metrics-port',
      String(port),
      '--npd-file',
      file,
      '-o',
      'json',
    ]);
    await eventually(() => output.length > 0, 'the first report');
    const base = `http://127.0.0.1:${port}`;
    const get = async (path: string) => (await fetch(base + path)).text();
    expect(await get('/healthz')).toBe('ok\n');
    expect(groupsOf(emulation, JSON.parse(await get('/scan')))).toMatchObject([{ count: 2 }, { count: 1 }]);
    expect(await get('/metrics')).toMatch(/^gravekeeper_node_zombies \d+$/m);
    expect((await fetch(`${base}/other`)).status).toBe(404);
    expect(readFileSync(file, 'utf8')).toMatch(/^\d+\n1\n\d+ zombies; [ -~]+\n$/);
    expect(JSON.parse(output[0] ?? '')).toMatchObject({ schemaVersion: 1 });
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });
});
