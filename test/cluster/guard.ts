import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inCgroup, makeCgroups } from './cgroups.ts';
import { down } from './lifecycle.ts';
import { exclusively } from './lock.ts';
import { obstacle } from './obstacles.ts';
import { place } from './place.ts';
import { isUp } from './stage.ts';
import { claim, isClaimed, isOurs, owner, release } from './state.ts';

/** Exit code where it cannot run at all, as opposed to having failed. */
export const cannotRun = 77;

export const daemons = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'containerd',
  'kubelet',
] as const;

const signals = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** Says something to the person who runs this. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Whether there is a cluster that was left up on purpose. */
export const isLeftUp = (): boolean => isUp() && !isClaimed();

/**
 * Brings a cluster up from nothing. It goes down when this program ends, however that is, unless it is told to `leaveUp`;
 * only SIGKILL prevents it, and what that leaves goes before the next one.
 *
 * @returns The exit code: 0, 1 if it failed, `cannotRun`.
 */
export async function bringUp(): Promise<number> {
  const why = obstacle();
  if (why !== null) {
    say(`the cluster CANNOT RUN here: ${why}`);
    return cannotRun;
  }
  if (!becomeOwner()) return 1;
  makeCgroups();
  mkdirSync(place.temporary);
  const program = [process.execPath, join(import.meta.dirname, 'bring-up.ts')];
  return runToEnd([...inCgroup, ...withOwnMounts, ...program], {
    TMPDIR: place.temporary,
    // Else it runs its steps in cgroups elsewhere.
    BUILDAH_ISOLATION: 'chroot',
  });
}

/**
 * Makes this program the one that takes the cluster down, when it ends, however that is but by SIGKILL; before that it
 * takes down what a run has left that was killed. Says so, and why it cannot be.
 *
 * @returns Whether it is.
 */
export function becomeOwner(): boolean {
  return exclusively(() => {
    const user = owner();
    if (user !== null) say(`process ${user.pid} has a cluster here`);
    else if (isLeftUp()) say('there is a cluster already: npm run cluster -- down');
    if (user !== null || isLeftUp()) return false;
    const wasLeft = down();
    claim();
    takeDownAtExit();
    if (wasLeft) say('took down what a run has left that was killed');
    return true;
  });
}

/**
 * Takes down what cluster there is, unless a program that lives will do so.
 *
 * @returns Whether there was anything.
 * @throws where it is that program's.
 */
export function takeDownUnowned(): boolean {
  return exclusively(() => {
    const user = owner();
    if (user === null) return down();
    throw new Error(`process ${user.pid} takes the cluster down when it ends: kill ${user.pid}`);
  });
}

/** What is killed while it builds images leaves its mounts: they go with its namespace. */
const withOwnMounts = ['unshare', '--mount', '--propagation', 'private'] as const;

let takesDown = false;

function takeDownAtExit(): void {
  takesDown = true;
  process.on('exit', () => {
    if (takesDown) exclusively(() => isOurs() && down());
  });
  for (const [signal, number] of Object.entries(signals)) {
    process.on(signal, () => {
      if (takesDown) say(`${signal}: taking the cluster down`);
      process.exit(128 + number);
    });
  }
}

/** Leaves the cluster up when this program ends. */
export function leaveUp(): void {
  takesDown = false;
  release();
}

/**
 * Runs a program to its end, its output shown, and passes signals on to it.
 *
 * @returns Its exit code; 1 where it has none.
 */
export async function runToEnd(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const [command = '', ...args] = words;
  const stdio = ['ignore', 'inherit', 'inherit'] as const;
  const child = spawn(command, args, { stdio: [...stdio], env: { ...process.env, ...env } });
  for (const signal of Object.keys(signals)) process.on(signal, () => child.kill(signal as NodeJS.Signals));
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}
