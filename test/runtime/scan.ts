import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ScanReport } from '../../src/scanner/report.ts';
import type { Containerd } from './containerd.ts';
import type { Pod, PodSpec } from './pods.ts';

const checkout = join(import.meta.dirname, '../..');
export const mainFile = join(checkout, 'src/main.js');
export const node = 'test-node';

const user = 65_532;

/** Takes away root and every capability. */
export const unprivileged = [
  'setpriv',
  ...[`--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--no-new-privs'],
  ...['--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all'],
];

/** Runs a program as the scanner runs, and answers what it wrote to stdout; throws if it fails or complains. */
export type Runner = (argv: readonly string[]) => Promise<string>;

/** On the node itself, in the mount namespace of the runtime, so that cgroups look as they do to it. */
export function runnerOnNode(runtime: Containerd): Runner {
  const enter = ['nsenter', `--mount=/proc/${runtime.containerd.pid}/ns/mnt`];
  return async (argv) => {
    const [command = '', ...words] = [...enter, ...unprivileged, ...argv];
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
    const exited = new Promise<number | null>((resolve, reject) =>
      child.on('error', reject).on('close', resolve),
    );
    const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
    if (status !== 0 || stderr !== '') throw new Error(`${argv.join(' ')} exited with ${status}: ${stderr}`);
    return stdout;
  };
}

const nodeInPod = '/node';
const host = '/host';

/** A pod like those of a DaemonSet, with the /proc and the cgroups of the node mounted read-only. */
export const scannerPod: PodSpec = {
  name: 'scanner',
  qos: 'besteffort',
  pids: 'CONTAINER',
  pause: 'reaping',
  containers: [
    {
      name: 'app',
      command: ['/app', 'sleep'],
      restrictedUser: user,
      mounts: [
        // Node and the libraries that it needs.
        ...['/usr', '/lib', '/lib64'].filter(existsSync).map((path) => ({ from: path, at: path })),
        { from: process.execPath, at: nodeInPod },
        { from: checkout, at: checkout },
        { from: '/proc', at: `${host}/proc` },
        { from: '/sys/fs/cgroup', at: `${host}/cgroup` },
      ],
    },
  ],
};

/** In the pod of the scanner. */
export function runnerInPod(runtime: Containerd, pod: Pod): Runner {
  return async (cmd) => {
    const request = { containerId: pod.containers[0]?.id, cmd, timeout: 60 };
    const {
      exitCode = 0,
      stdout = '',
      stderr = '',
    } = await runtime.call('RuntimeService', 'ExecSync', request);
    const decode = (base64: string): string => Buffer.from(base64, 'base64').toString();
    if (exitCode !== 0 || stderr !== '') {
      throw new Error(`${cmd.join(' ')} exited with ${exitCode}: ${decode(stderr)}`);
    }
    return decode(stdout);
  };
}

const words = [mainFile, 'scan', '--once', '--output', 'json', '--node', node];

/** Scans from the node. */
export async function scanOnNode(run: Runner, ...more: readonly string[]): Promise<ScanReport> {
  return JSON.parse(await run([process.execPath, ...words, ...more]));
}

/** Scans from a pod. */
export async function scanInPod(run: Runner): Promise<ScanReport> {
  const mounts = ['--proc', `${host}/proc`, '--cgroup', `${host}/cgroup`];
  return JSON.parse(await run([nodeInPod, ...words, ...mounts]));
}
