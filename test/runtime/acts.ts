import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Containerd, eventually } from './containerd.ts';
import { type Pod, zombiesOf } from './pods.ts';
import { descendants, readProc, readProcesses } from './proc.ts';

const probe = ['/app', 'orphans-and-end', '1'];

/** Runs an exec probe; answers whether it ended within its time. */
async function runProbe(
  runtime: Containerd,
  pod: Pod,
  cmd: readonly string[],
  timeout = 10,
): Promise<boolean> {
  const request = { containerId: pod.containers[0]?.id, cmd, timeout };
  try {
    const { exitCode = 0 } = await runtime.call('RuntimeService', 'ExecSync', request);
    if (exitCode !== 0) throw new Error(`${cmd.join(' ')} exited with ${exitCode}`);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes('timeout 1s exceeded')) return false;
    throw error;
  }
}

/** Runs five exec probes, each of which leaves an orphan. */
export async function fiveProbes(pod: Pod, runtime: Containerd): Promise<void> {
  for (let run = 0; run < 5; run += 1) await runProbe(runtime, pod, probe);
}

/** Lets probes be killed when their time is up until two have left a child, which dies then too. */
export async function twoTimeouts(pod: Pod, runtime: Containerd): Promise<void> {
  const root = `/proc/${pod.containers[0]?.pid}/root`;
  const left = () => readdirSync(root).filter((name) => name.startsWith('hung.')).length;
  // A busy machine may not have started the child when the time is up.
  for (let run = 0; run < 5 && left() < 2; run += 1) {
    if (await runProbe(runtime, pod, ['/app', 'hang'], 1)) throw new Error('the probe did not hang');
  }
  if (left() < 2) throw new Error('this machine is too busy to start a probe within a second');
  await eventually(() => !hasLeftOver(pod), 'the children of the probes to die');
}

function hasLeftOver({ shimPid }: Pod): boolean {
  const tree = descendants([shimPid], readProcesses());
  return tree.some(({ comm, zombie }) => comm === 'left-over' && !zombie);
}

/** Stops the shim, which would reap, and lets the app make orphans then. */
export async function orphansUnderStoppedShim(pod: Pod): Promise<void> {
  process.kill(pod.shimPid, 'SIGSTOP');
  for (const { pid } of pod.containers) process.kill(pid, 'SIGUSR1');
}

/** Lets the shim stop while it starts a probe, so that it does not wait for the program that it has started. */
export async function hungShim(pod: Pod, runtime: Containerd): Promise<void> {
  runtime.hangAtExec(pod.containers[0]?.id ?? '');
  runProbe(runtime, pod, probe).catch(() => {
    // It lasts until everything is taken down.
  });
}

/** Removes the container that has left orphans to pause, and its cgroup with it. */
export async function removeLeaver(pod: Pod, runtime: Containerd): Promise<void> {
  const containerId = pod.containers[1]?.id;
  const state = async () =>
    (await runtime.call('RuntimeService', 'ContainerStatus', { containerId })).status?.state;
  await eventually(async () => (await state()) === 'CONTAINER_EXITED', 'the container to end');
  await runtime.call('RuntimeService', 'RemoveContainer', { containerId });
  const isGone = (line: string): boolean => !line.includes(containerId ?? '?') || line.endsWith(' (deleted)');
  const lines = zombiesOf(pod).flatMap(({ pid }) => readProc(pid, 'cgroup').trim().split('\n'));
  if (!lines.every(isGone)) throw new Error(`a cgroup of the container is left: ${lines.join(', ')}`);
}

const longMs = 100;

/** Waits until a pod has so many zombies that are there for long, as far as /proc tells without the scanner. */
export async function awaitZombies(pod: Pod, count: number): Promise<void> {
  await eventually(async () => {
    const before = new Set(zombiesOf(pod).map(({ pid }) => pid));
    await delay(longMs);
    return zombiesOf(pod).filter(({ pid }) => before.has(pid)).length === count;
  }, `${count} zombies in pod ${pod.spec.name}`);
}
