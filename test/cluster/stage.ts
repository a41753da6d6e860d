import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inCgroup } from './cgroups.ts';
import { apiServiceAddress, nodeAddress, place } from './place.ts';
import { identify, isAlive, type ProcessId } from './process-id.ts';
import { attempt, type Outcome, type RunOptions, run } from './run.ts';
import { readState, writeState } from './state.ts';
import { eventually } from './wait.ts';

/**
 * Folders whose paths the kubelet, containerd or CNI insist on. In the cluster's mount namespace there are others in
 * their place.
 */
const insisted = ['/var/lib/kubelet', '/var/lib/cni', '/var/log'];

/** What is large or is written to often, and need not outlive the cluster. */
const inMemory = [place.containerd, place.etcd];

/** Settings of the whole machine that a kubelet changes. */
const kernelSettings = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

/** What of the machine is changed, noted before it is. */
interface Machine {
  /** Folders that have to be made outside. */
  readonly made: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

const settingPath = (name: string): string => join('/proc/sys', name);

/**
 * Makes the cluster's namespaces. A process holds them that does nothing else: when all processes of the cluster are
 * gone, so are the namespaces, and every mount and interface with them.
 *
 * The loopback interface has the address of the node and that of the Service kubernetes.default, so that the API server
 * answers to both without kube-proxy. There is no route to anywhere else.
 */
export async function makeStage(): Promise<void> {
  const made = insisted.filter((path) => !existsSync(path));
  const settings = Object.fromEntries(
    kernelSettings
      .filter((name) => existsSync(settingPath(name)))
      .map((name) => [name, readFileSync(settingPath(name), 'utf8').trim()]),
  );
  const machine: Machine = { made, settings };
  writeState(place.machine, machine);
  for (const path of made) mkdirSync(path, { recursive: true });
  for (const path of [...insisted.map(substitute), ...inMemory]) mkdirSync(path, { recursive: true });
  const pid = start('stage', [
    ...['unshare', '--mount', '--net', '--propagation', 'private', 'sh', '-euc', stageScript()],
  ]);
  const holder = identify(pid);
  if (holder === null) throw new Error(`the namespaces could not be made:\n${lastLines('stage')}`);
  writeState(place.stage, holder);
  await eventually('the namespaces', () => {
    if (!isAlive(holder)) throw new Error(lastLines('stage'));
    return lastLines('stage').includes('ready');
  });
}

const substitute = (path: string): string => join(place.state, 'instead-of', path);

/** Mounts are shared among the mount namespaces below, as a kubelet expects, and with none above. */
function stageScript(): string {
  return `
mount --make-rshared /
for folder in /run ${inMemory.join(' ')}; do mount -t tmpfs -o mode=755 none "$folder"; done
${insisted.map((path) => `mount --bind ${substitute(path)} ${path}`).join('\n')}
ip link set lo up
ip address add ${nodeAddress}/32 dev lo
ip address add ${apiServiceAddress}/32 dev lo
echo ready
exec sleep infinity
`;
}

const readStage = (): ProcessId | null => readState(place.stage);

/** Whether there is a cluster, if only half of one. */
export function isUp(): boolean {
  const stage = readStage();
  return stage !== null && isAlive(stage);
}

/** Puts back what making the stage changed on the machine. */
export function forgetStage(): void {
  const { made, settings } = readState<Machine>(place.machine) ?? { made: [], settings: {} };
  for (const [name, value] of Object.entries(settings)) {
    if (readFileSync(settingPath(name), 'utf8').trim() !== value) writeFileSync(settingPath(name), value);
  }
  for (const path of made) {
    try {
      rmdirSync(path);
    } catch {
      // Somebody uses it by now.
    }
  }
}

/** Which of the cluster's namespaces a program is to be in. */
type Namespaces = 'network' | 'network and mounts';

/** A command that runs in the cluster's namespaces. */
export function inside(words: readonly string[], namespaces: Namespaces = 'network'): string[] {
  const stage = readStage();
  if (stage === null) throw new Error('there is no cluster: npm run cluster -- up');
  const mount = namespaces === 'network' ? [] : ['--mount'];
  return ['nsenter', '--target', String(stage.pid), '--net', ...mount, '--', ...words];
}

/** Runs a program in the network of the cluster, to its end. */
export function runInside(words: readonly string[], options: RunOptions = {}): string {
  return run(inside(words), options);
}

/** As `runInside`, and does not throw. */
export function attemptInside(words: readonly string[], options: RunOptions = {}): Outcome {
  return attempt(inside(words), options);
}

/**
 * Starts a program that outlives this one, in the cluster's cgroup, its output in a log of its name.
 *
 * @returns Its PID.
 */
export function start(name: string, words: readonly string[]): number {
  mkdirSync(place.logs, { recursive: true });
  const log = openSync(logOf(name), 'a');
  const [command = '', ...args] = [...inCgroup, ...words];
  const child = spawn(command, args, { detached: true, cwd: '/', stdio: ['ignore', log, log] });
  closeSync(log);
  child.unref();
  if (child.pid === undefined) throw new Error(`${words[0]} does not start`);
  writeFileSync(pidFile(name), String(child.pid));
  return child.pid;
}

/** Starts a program of the cluster, in all its namespaces. */
export function startInside(name: string, words: readonly string[]): number {
  return start(name, inside(words, 'network and mounts'));
}

const pidFile = (name: string): string => join(place.logs, `${name}.pid`);
export const logOf = (name: string): string => join(place.logs, `${name}.log`);

/** The PID of a program that was started under that name, or null if it does not run. */
export function pidOf(name: string): number | null {
  if (!existsSync(pidFile(name))) return null;
  return identify(Number(readFileSync(pidFile(name), 'utf8')))?.pid ?? null;
}

/** Ends a program that was started under that name, and waits until it is gone. */
export async function stop(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const pid = pidOf(name);
  if (pid === null) return;
  process.kill(pid, signal);
  await eventually(`${name} to end`, () => pidOf(name) === null);
}

/** The end of a log, to show why something failed. */
export function lastLines(name: string, count = 15): string {
  return existsSync(logOf(name))
    ? readFileSync(logOf(name), 'utf8').trim().split('\n').slice(-count).join('\n')
    : '';
}
