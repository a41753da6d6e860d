import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Image } from './images.ts';

/** How to run an image, beyond what a pod under Pod Security "restricted" prescribes. */
export interface RunOptions {
  /** Taken for the image's own arguments. */
  readonly args: readonly string[];
  /** Bind mounts: where in the container, from which folder, with which further options. */
  readonly mounts?: Readonly<Record<string, { readonly from: string; readonly options: readonly string[] }>>;
  /** Instead of the image's own. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly memoryMiB?: number;
}

/** A container that has been started. */
export interface Container {
  readonly process: ChildProcess;
  /** What it has written to stdout so far. */
  stdout(): string;
  stderr(): string;
  /** Sends a signal to its first process. */
  signal(name: string): void;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
  /** Kills and forgets it, if it is still there. */
  remove(): void;
}

const pseudoFileSystems = [
  { destination: '/proc', type: 'proc', source: 'proc' },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
];

/**
 * Runs an image with runc as a restricted pod would: its own user and entrypoint, a root file system that is
 * read-only, no capability, no new privileges. The network is that of the machine.
 *
 * @param image The image.
 * @param folder Where the bundle may be written.
 * @param options Arguments, mounts and limits.
 */
export function runContainer({ config, rootfs }: Image, folder: string, options: RunOptions): Container {
  const bundle = mkdtempSync(join(folder, 'bundle-'));
  const [uid = 0, gid = 0] = (config.User ?? '0:0').split(':').map(Number);
  const memory = options.memoryMiB ? { memory: { limit: options.memoryMiB * 1024 * 1024 } } : {};
  const none = { bounding: [], effective: [], permitted: [] };
  writeFileSync(
    join(bundle, 'config.json'),
    JSON.stringify({
      ociVersion: '1.0.2',
      process: {
        user: options.user ?? { uid, gid },
        args: [...(config.Entrypoint ?? []), ...options.args],
        env: config.Env ?? [],
        cwd: '/',
        capabilities: none,
        noNewPrivileges: true,
      },
      root: { path: rootfs, readonly: true },
      mounts: [
        ...pseudoFileSystems,
        ...Object.entries(options.mounts ?? {}).map(([destination, { from, options: more }]) => ({
          destination,
          type: 'bind',
          source: from,
          options: ['bind', ...more],
        })),
      ],
      linux: {
        namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })),
        resources: memory,
      },
    }),
  );
  const id = `gravekeeper-${process.pid}-${bundle.slice(-6)}`;
  const state = join(folder, 'runc');
  mkdirSync(state, { recursive: true });
  const child = spawn('runc', ['--root', state, 'run', '--bundle', bundle, id], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written.stderr += text;
  });
  return {
    process: child,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    signal: (name) => {
      spawnSync('runc', ['--root', state, 'kill', id, name]);
    },
    exited: new Promise((resolve, reject) => {
      child.on('error', reject).on('close', resolve);
    }),
    remove: () => {
      spawnSync('runc', ['--root', state, 'delete', '--force', id]);
    },
  };
}
