// npx node --test test/npd/npd.ts — the plugin under the real node-problem-detector, and the folder that it reads from.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { writeNpdFile } from '../../src/commands/scan/npd-file.ts';
import { freePort } from '../support/free-port.ts';
import { buildNpd, obstacle } from './build.ts';

const component = join(import.meta.dirname, '../../manifests/components/node-problem-detector');
const condition = 'gravekeeper-zombies.json';
const events = 'gravekeeper-zombie-events.json';

const missing = obstacle();
if (missing !== null) process.stderr.write(`SKIPPED: node-problem-detector cannot be tried: ${missing}\n`);
const notRoot = process.getuid?.() === 0 ? null : 'root is needed: run it with sudo';
if (notRoot !== null) process.stderr.write(`SKIPPED: the folder of the result: ${notRoot}\n`);

const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-npd-'));
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true, force: true }));

describe('the plugin under node-problem-detector', { skip: missing ?? false }, () => {
  const file = join(folder, 'npd');
  let detector: Detector;

  before(async () => {
    detector = await startDetector(buildNpd(), file);
  });
  after(() => detector?.stop());

  it('makes the condition unknown while there is no result, and says why', async () => {
    await detector.condition('Unknown', 'NoZombies', `${file} is missing: does the scanner run on this node`);
    assert.equal(await detector.gauge('ZombiesFound'), 0);
  });

  it('makes the condition false where there are no zombies', async () => {
    writeNpdFile(file, { status: 0, message: 'No zombies' });
    await detector.condition('False', 'NoZombies', 'no zombie processes on this node');
    assert.equal(await detector.gauge('ZombiesFound'), 0);
  });

  it('makes the condition true where there are, with the message of the scanner', async () => {
    const count = await detector.counter('ZombiesFound');
    writeNpdFile(file, { status: 1, message: '12 zombies; 12 orphan of shop/web-0 (app)' });
    await detector.condition('True', 'ZombiesFound', '12 zombies; 12 orphan of shop/web-0 (app)');
    assert.equal(await detector.gauge('ZombiesFound'), 1);
    assert.equal(await detector.counter('ZombiesFound'), count + 1);
  });

  it('keeps the condition up to date while the zombies grow', async () => {
    writeNpdFile(file, { status: 1, message: '13 zombies; 13 orphan of shop/web-0 (app)' });
    await detector.condition('True', 'ZombiesFound', '13 zombies');
  });

  it('passes on that the scanner does not know', async () => {
    writeNpdFile(file, { status: 2, message: 'Unknown: 40 processes or threads could not be looked at' });
    await detector.condition('Unknown', 'NoZombies', 'Unknown: 40 processes');
    assert.equal(await detector.gauge('ZombiesFound'), 0);
  });

  it('does not go on with a result that is too old', async () => {
    writeNpdFile(file, { status: 0, message: 'No zombies' });
    await detector.condition('False', 'NoZombies', '');
    writeFileSync(file, `${Math.floor(Date.now() / 1000) - 500}\n0\nNo zombies\n`);
    await detector.condition('Unknown', 'NoZombies', "the scanner's last result is 50");
  });

  it('lets nothing through that is not printable, and nothing that is too long', async () => {
    const now = Math.floor(Date.now() / 1000);
    writeFileSync(file, `${now}\n1\n\x1b]0;title\x07$(reboot)${'<b>'.repeat(2000)}\nsecond line\n`);
    await detector.condition('True', 'ZombiesFound', '?]0;title?$(reboot)<b>');
    assert.doesNotMatch(detector.log(), /\x1b|\x07|second line/);
    assert.doesNotMatch(detector.log(), /(<b>){200}/);
  });

  it('does not follow a link to a file that looks right', async () => {
    writeNpdFile(file, { status: 0, message: 'No zombies' });
    await detector.condition('False', 'NoZombies', '');
    const elsewhere = join(folder, 'elsewhere');
    writeNpdFile(elsewhere, { status: 1, message: 'a secret' });
    rmSync(file);
    symlinkSync(elsewhere, file);
    await detector.condition('Unknown', 'NoZombies', `${file} is not a plain file`);
    assert.doesNotMatch(detector.log(), /a secret/);
    rmSync(file);
  });

  it('sends an Event at each run while there are zombies, where those are asked for', async () => {
    writeNpdFile(file, { status: 0, message: 'No zombies' });
    await detector.condition('False', 'NoZombies', '');
    writeNpdFile(file, { status: 1, message: '14 zombies' });
    const count = await detector.counter('ZombieReport');
    await until(async () => (await detector.counter('ZombieReport')) >= count + 2, 'two more Events');
    assert.match(
      detector.log(),
      /Source:gravekeeper-events Events:\[\{Severity:warn .*Reason:ZombieReport Message:14 zombies\}\]/,
    );
  });

  it('goes by what the real scanner of this machine found', async () => {
    rmSync(file);
    await detector.condition('Unknown', 'NoZombies', `${file} is missing`);
    const program = join(import.meta.dirname, '../../src/main.js');
    const scanner = start('node', [program, 'scan', '--interval', '1', '--npd-file', file]);
    const zombie = start('sh', ['-c', 'true & exec sleep 60']);
    try {
      await detector.condition('True', 'ZombiesFound', readResult);
    } finally {
      await Promise.all([stop(scanner), stop(zombie)]);
    }
  });

  /** The message that the scanner wrote last. */
  function readResult(): string {
    return existsSync(file) ? (readFileSync(file, 'utf8').split('\n')[2] ?? '') : 'none yet';
  }
});

describe('the folder of the result', { skip: notRoot ?? false }, () => {
  const run = join(folder, 'run');
  const scan = join(run, 'scan');
  const [install = '', ...args] = initCommand().map((word) => word.replace('/run/gravekeeper', run));

  /** Runs a program as a user, without any capability, as a container that drops ALL does. */
  function without(user: number, ...command: string[]) {
    const flags = [`--reuid=${user}`, '--regid=65527', '--clear-groups', '--no-new-privs'];
    const none = ['--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all'];
    return spawnSync('setpriv', [...flags, ...none, ...command], { encoding: 'utf8' });
  }

  before(() => mkdirSync(run, { mode: 0o755 }));

  it('is made by a root that has no capability, and may be made again', () => {
    assert.match(without(0, 'grep', 'CapEff', '/proc/self/status').stdout, /^CapEff:\s+0{16}$/m);
    for (const _ of ['at first', 'after a restart']) {
      const { status, stderr } = without(0, install, ...args);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      const { uid, gid, mode } = statSync(scan);
      assert.deepEqual([uid, gid, mode & 0o7777], [0, 65_527, 0o775]);
    }
  });

  it('can be written to by the scanner, and by nobody else but root', () => {
    const write = ['sh', '-c', `echo 1 > ${scan}/npd.new && mv ${scan}/npd.new ${scan}/npd`];
    assert.equal(without(65_527, ...write).status, 0);
    const stranger = spawnSync('setpriv', ['--reuid=65532', '--regid=65532', '--clear-groups', ...write], {
      encoding: 'utf8',
    });
    assert.notEqual(stranger.status, 0);
    assert.notEqual(without(65_527, 'touch', join(run, 'beside')).status, 0);
  });
});

/** The command of the init container, from its manifest. */
function initCommand(): readonly string[] {
  const [, list = ''] =
    /command: \[(install.*)\]/.exec(readFileSync(join(component, 'result-file.yaml'), 'utf8')) ?? [];
  return list.split(', ');
}

interface Detector {
  /** Waits until the condition was set so by node-problem-detector's own log, with a message that begins so. */
  condition(status: string, reason: string, message: string | (() => string)): Promise<void>;
  /** `problem_gauge` of the condition. */
  gauge(reason: string): Promise<number | null>;
  /** `problem_counter`. */
  counter(reason: string): Promise<number>;
  log(): string;
  stop(): Promise<void>;
}

/** Starts node-problem-detector with both configurations as they are, but for the paths and the interval. */
async function startDetector(binary: string, file: string): Promise<Detector> {
  const configs = [condition, events].map((name) => {
    const config = JSON.parse(readFileSync(join(component, name), 'utf8'));
    config.pluginConfig.invoke_interval = '200ms';
    for (const rule of config.rules)
      rule.args = [join(component, 'gravekeeper-zombies.sh'), file, rule.args[2]];
    writeFileSync(join(folder, name), JSON.stringify(config));
    return join(folder, name);
  });
  const port = await freePort();
  const flags = [
    '--logtostderr',
    '--enable-k8s-exporter=false',
    '--port=0',
    '--prometheus-address=127.0.0.1',
  ];
  const running = start(binary, [
    ...flags,
    `--prometheus-port=${port}`,
    `--config.custom-plugin-monitor=${configs.join()}`,
  ]);
  let log = '';
  running.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });

  async function metric(series: string): Promise<number | null> {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    return line === undefined ? null : Number(line.slice(series.length + 1));
  }

  let read = 0;
  return {
    condition: (status, reason, message) =>
      until(() => {
        const text = typeof message === 'string' ? message : message();
        const set = log.slice(read).lastIndexOf(`Type:ZombieProcesses Status:${status} `);
        if (set === -1) return false;
        const line = log.slice(read + set).split('\n')[0] ?? '';
        if (!line.includes(` Reason:${reason} Message:${text}`)) return false;
        read += set + line.length;
        return true;
      }, `the condition ${status}, ${reason}`),
    gauge: (reason) => metric(`problem_gauge{reason="${reason}",type="ZombieProcesses"}`),
    counter: async (reason) => (await metric(`problem_counter{reason="${reason}"}`)) ?? 0,
    log: () => log,
    stop: () => stop(running),
  };
}

function start(command: string, args: readonly string[]): ChildProcess {
  return spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

async function stop(running: ChildProcess): Promise<void> {
  if (running.exitCode !== null || running.signalCode !== null) return;
  running.kill('SIGKILL');
  await once(running, 'exit');
}

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what} did not come about within 20 s`);
    await delay(20);
  }
}
