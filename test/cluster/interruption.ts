// A cluster that is interrupted while it is brought up, in several ways, and what is left of it on the machine.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, before, describe, it } from 'node:test';
import { takeDownUnowned } from './guard.ts';
import { cgroup, place } from './place.ts';
import { identify } from './process-id.ts';
import { owner, release, writeState } from './state.ts';

const program = join(import.meta.dirname, 'cluster.ts');

/** A cluster that is being brought up. */
interface Attempt {
  readonly pid: number;
  /** What it said first of what was waited for. */
  readonly said: string;
  /** Sends a signal to that one process. */
  kill(signal: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** By which each process is known that an attempt has started. */
const mark = `GRAVEKEEPER_ATTEMPT=${randomUUID()}`;
const running = new Map<Promise<unknown>, () => void>();

/** Begins to bring a cluster up, and resolves when it has said something of this. */
async function bringUpUntil(said: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Attempt> {
  const [name = '', value] = mark.split('=');
  const child = spawn(process.execPath, [program, 'up'], {
    env: { ...process.env, [name]: value, ...env },
  });
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signal);
  running.set(ended, () => child.kill('SIGTERM'));
  ended.then(() => running.delete(ended));
  let text = '';
  const found = () => said.find((one) => text.includes(one));
  await new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (more: string) => {
        text += more;
        if (found() !== undefined) resolve();
      });
    }
    child.on('close', () => resolve());
  });
  const first = found();
  assert.ok(first !== undefined, text);
  return { pid: child.pid ?? 0, said: first, kill: (signal) => child.kill(signal), ended };
}

/** Runs a command of the cluster's program to its end. */
function byHand(command: 'down' | 'status') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, command], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** What a cluster could leave on a machine. Others may use cgroups, processes and interfaces meanwhile. */
function traces() {
  return {
    folders: [place.state, '/var/lib/kubelet', '/var/lib/cni'].filter((path) => existsSync(path)),
    cgroups: ['', ...readdirSync(cgroups)]
      .flatMap((name) => foldersIn(join(cgroups, name)))
      .filter((path) => basename(path) === cgroup || (basename(path).startsWith('buildah') && isEmpty(path))),
    processes: readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isOfCluster(Number(pid))),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(place.state)),
    bridges: readdirSync('/sys/class/net').filter((name) => name === 'pods'),
    settings: kubeletSettings.map((name) => readFileSync(join('/proc/sys', name), 'utf8').trim()),
  };
}

/** What a kubelet sets: `setupKernelTunables` in pkg/kubelet/cm/container_manager_linux.go. */
const kubeletSettings = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
] as const;

const cgroups = '/sys/fs/cgroup';

function foldersIn(path: string): string[] {
  return statSync(path).isDirectory()
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => join(path, name))
    : [];
}

const isEmpty = (path: string): boolean =>
  orEmpty(() => readFileSync(join(path, 'cgroup.procs'), 'utf8')) === '';

/** Whether a process lives that was started for a cluster, in whatever cgroup or namespace it is. */
function isOfCluster(pid: number): boolean {
  const read = (file: string) => orEmpty(() => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
  return identify(pid) !== null && (read('cgroup').includes(cgroup) || read('environ').includes(mark));
}

/** Processes come and go. */
function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

const images = 'images from the Dockerfile';
const node = 'control plane and node';
const installing = 'installing Gravekeeper';
const tookDown = 'took down what a run has left that was killed';

describe('a cluster that is interrupted while it is brought up', () => {
  let clean: ReturnType<typeof traces>;
  before(() => {
    takeDownUnowned();
    clean = traces();
    assert.deepEqual(clean.processes, []);
  });
  afterEach(async () => {
    for (const [ended, end] of running) {
      end();
      await ended;
    }
    takeDownUnowned();
  });

  /** Leaves a cluster behind as a run does that is killed. */
  async function leaveKilled(when: string): Promise<void> {
    const killed = await bringUpUntil([when]);
    killed.kill('SIGKILL');
    assert.equal(await killed.ended, 'SIGKILL');
    assert.match(byHand('status').stdout, /a run that was killed has left it|there is no cluster/);
    assert.notDeepEqual(traces(), clean, 'what it had started runs on');
  }

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    for (const when of [images, node]) {
      it(`leaves nothing after ${signal} at: ${when}`, async () => {
        const attempt = await bringUpUntil([when]);
        attempt.kill(signal);
        assert.equal(await attempt.ended, code);
        assert.deepEqual(traces(), clean);
      });
    }
  }

  it('leaves nothing where it fails', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-interruption-'));
    try {
      // It finds a compiler, and that compiles nothing.
      writeFileSync(join(folder, 'gcc'), '#!/bin/sh\necho no compiler today >&2\nexit 1\n');
      chmodSync(join(folder, 'gcc'), 0o755);
      const { ended } = await bringUpUntil(['no compiler today'], { PATH: `${folder}:${process.env.PATH}` });
      assert.equal(await ended, 1);
      assert.deepEqual(traces(), clean);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is not taken for one that was left up after SIGKILL, and goes before the next', async () => {
    await leaveKilled(installing);
    assert.notDeepEqual(traces().settings, clean.settings, 'the kubelet has changed the machine');
    const next = await bringUpUntil([tookDown]);
    next.kill('SIGINT');
    assert.equal(await next.ended, 130);
    assert.deepEqual(traces(), clean);
  });

  for (const when of [images, node]) {
    it(`is taken down by hand after SIGKILL at: ${when}`, async () => {
      await leaveKilled(when);
      assert.deepEqual(byHand('down'), { status: 0, stdout: 'the cluster is down\n', stderr: '' });
      assert.deepEqual(traces(), clean);
    });
  }

  it('is replaced by one of two that begin at the same time', async () => {
    await leaveKilled(node);
    const attempts = await Promise.all([
      bringUpUntil([images, 'has a cluster here']),
      bringUpUntil([images, 'has a cluster here']),
    ]);
    const [winner, ...others] = attempts.filter(({ said }) => said === images);
    assert.ok(winner !== undefined && others.length === 0, 'one of them');
    assert.equal(await attempts.find((attempt) => attempt !== winner)?.ended, 1);
    assert.equal(owner()?.pid, winner.pid);
    assert.equal(traces().folders.includes(place.state), true);
    winner.kill('SIGTERM');
    assert.equal(await winner.ended, 143);
    assert.deepEqual(traces(), clean);
  });

  it('is not touched by another one meanwhile, nor by hand', async () => {
    const first = await bringUpUntil([images]);
    const second = await bringUpUntil([`process ${first.pid} has a cluster here`]);
    assert.equal(await second.ended, 1);
    const { status, stderr } = byHand('down');
    assert.deepEqual([status, stderr.includes(`kill ${first.pid}`)], [1, true], stderr);
    assert.equal(owner()?.pid, first.pid);
    first.kill('SIGTERM');
    assert.equal(await first.ended, 143);
    assert.deepEqual(traces(), clean);
  });

  it("is left alone at the end of a program if it is another's by then", async () => {
    const former = await bringUpUntil([images]);
    // As if this program had one here by now.
    writeState(place.owner, identify(process.pid));
    former.kill('SIGTERM');
    assert.equal(await former.ended, 143);
    assert.equal(owner()?.pid, process.pid);
    release();
    assert.deepEqual(byHand('down'), { status: 0, stdout: 'the cluster is down\n', stderr: '' });
    assert.deepEqual(traces(), clean);
  });
});

describe('a cluster that was brought up by hand', () => {
  it('outlives its program, is not replaced, and goes by hand with all that was changed', async () => {
    const clean = traces();
    const attempt = await bringUpUntil(['up: npm run cluster']);
    assert.equal(await attempt.ended, 0);
    assert.equal(byHand('status').status, 0);
    const second = await bringUpUntil(['there is a cluster already']);
    assert.equal(await second.ended, 1);
    assert.equal(byHand('status').status, 0);
    assert.deepEqual(byHand('down'), { status: 0, stdout: 'the cluster is down\n', stderr: '' });
    assert.deepEqual(traces(), clean);
    assert.equal(byHand('down').stdout, 'there was no cluster\n');
  });
});
