// npm run test:interruption — interrupts the bringing up of a cluster in several ways, and sees what is left of it.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cannotRun, isLeftUp } from './guard.ts';
import { down } from './lifecycle.ts';
import { obstacle } from './obstacles.ts';
import { cgroup, place } from './place.ts';
import { owner } from './state.ts';
import { eventually } from './wait.ts';

const missing = obstacle();
if (missing !== null || isLeftUp() || owner() !== null) {
  process.stderr.write(`test:interruption CANNOT RUN: ${missing ?? 'there is a cluster'}\n`);
  process.exit(cannotRun);
}

const program = join(import.meta.dirname, 'cluster.ts');

/** A cluster that is being brought up. */
interface Attempt {
  readonly pid: number;
  /** Sends a signal to that one process. */
  kill(signal: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Begins to bring a cluster up, and resolves when it has said something. */
async function bringUpUntil(said: string, env: NodeJS.ProcessEnv = {}): Promise<Attempt> {
  const child = spawn(process.execPath, [program, 'up'], { env: { ...process.env, ...env } });
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signal);
  let text = '';
  await new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (more: string) => {
        text += more;
        if (text.includes(said)) resolve();
      });
    }
    child.on('close', () => resolve());
  });
  assert.ok(text.includes(said), text);
  return { pid: child.pid ?? 0, kill: (signal) => child.kill(signal), ended };
}

/** What a cluster could leave on a machine. */
function traces() {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const networkOf = (pid: string) => orEmpty(() => readlinkSync(`/proc/${pid}/ns/net`));
  return {
    folders: [place.state, '/var/lib/kubelet', '/var/lib/cni'].filter((path) => existsSync(path)),
    cgroups: ['', ...readdirSync(cgroups)]
      .flatMap((name) => foldersIn(join(cgroups, name)))
      .filter((path) => basename(path) === cgroup || basename(path).startsWith('buildah')),
    processes: processes.filter((pid) =>
      orEmpty(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8')).includes(cgroup),
    ),
    networks: [...new Set(processes.map(networkOf))].filter(Boolean).sort(),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(place.state)),
    interfaces: readdirSync('/sys/class/net').sort(),
    settings: ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops'].map((name) =>
      readFileSync(join('/proc/sys', name), 'utf8'),
    ),
  };
}

const cgroups = '/sys/fs/cgroup';

function foldersIn(path: string): string[] {
  return statSync(path).isDirectory()
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => join(path, name))
    : [];
}

/** Processes come and go. */
function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

describe('a cluster that is interrupted while it is brought up', () => {
  let clean: ReturnType<typeof traces>;
  before(async () => {
    down();
    // Init may have yet to reap what an earlier cluster has left.
    clean = await eventually('the end of an earlier cluster', () => {
      const left = traces();
      return left.processes.length === 0 && left;
    });
  });
  after(() => down());

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    for (const when of ['images from the Dockerfile', 'control plane and node'] as const) {
      it(`leaves nothing after ${signal} at: ${when}`, async () => {
        const attempt = await bringUpUntil(when);
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
      const { ended } = await bringUpUntil('no compiler today', { PATH: `${folder}:${process.env.PATH}` });
      assert.equal(await ended, 1);
      assert.deepEqual(traces(), clean);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is not taken for one that was left up after SIGKILL, and goes before the next', async () => {
    const killed = await bringUpUntil('installing Gravekeeper');
    killed.kill('SIGKILL');
    assert.equal(await killed.ended, 'SIGKILL');
    assert.ok(traces().processes.length > 5, 'what it had started runs on');
    const { stdout } = spawnSync(process.execPath, [program, 'status'], { encoding: 'utf8' });
    assert.match(stdout, /a run that was killed has left it/);
    const next = await bringUpUntil('took down what a run has left that was killed');
    next.kill('SIGINT');
    assert.equal(await next.ended, 130);
    assert.deepEqual(traces(), clean);
  });

  it('is not touched by another one meanwhile', async () => {
    const first = await bringUpUntil('images from the Dockerfile');
    const second = await bringUpUntil(`process ${first.pid} has a cluster here`);
    assert.equal(await second.ended, 1);
    assert.equal(owner()?.pid, first.pid);
    first.kill('SIGTERM');
    assert.equal(await first.ended, 143);
    assert.deepEqual(traces(), clean);
  });
});
