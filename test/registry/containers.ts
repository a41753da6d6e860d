import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathOf } from './obstacles.ts';

/** What a runtime is told of a container. */
export interface ProcessFields {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: number;
}

/** A container of runc. */
export interface Container {
  /** Resolves when its output holds a text. */
  said(text: string): Promise<void>;
  output(): string;
  signal(name: string): void;
  /** Runs a shell script in it, and returns what that writes. */
  exec(script: string): string;
  readonly exited: Promise<number | null>;
  remove(): void;
}

/**
 * Runs a program with runc in the images' root, as a container runtime does: PID 1 of a namespace of its own, without
 * capabilities. The real tini lies where the copier would have put it.
 */
export function runContainer(
  folder: string,
  root: string,
  { argv, env, cwd, user }: ProcessFields,
): Container {
  const bundle = mkdtempSync(join(folder, 'bundle-'));
  const state = join(folder, 'runc');
  mkdirSync(state, { recursive: true });
  const none = { bounding: [], effective: [], permitted: [] };
  const mount = (destination: string, type: string, source: string, options: readonly string[]) => ({
    destination,
    type,
    source,
    options,
  });
  const spec = {
    ociVersion: '1.0.2',
    process: {
      user: { uid: user, gid: user },
      args: argv,
      env,
      cwd,
      capabilities: none,
      noNewPrivileges: true,
    },
    root: { path: root, readonly: true },
    mounts: [
      mount('/proc', 'proc', 'proc', []),
      mount('/dev', 'tmpfs', 'tmpfs', ['nosuid', 'mode=755', 'size=64k']),
      mount('/gravekeeper/tini', 'bind', pathOf('tini-static'), ['bind', 'ro']),
    ],
    linux: { namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })) },
  };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec));
  const id = `gravekeeper-registry-${process.pid}-${bundle.slice(-6)}`;
  const child: ChildProcess = spawn('runc', ['--root', state, 'run', '--bundle', bundle, id], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const look of waiting) look();
    });
  }
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return {
    output: () => output,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!output.includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
        exited.then(() => reject(new Error(`it ended without a word of "${text}": ${output}`)), reject);
      }),
    signal: (name) => void spawnSync('runc', ['--root', state, 'kill', id, name]),
    exec(script) {
      const { stdout, stderr, status } = spawnSync(
        'runc',
        ['--root', state, 'exec', id, '/bin/sh', '-c', script],
        { encoding: 'utf8' },
      );
      if (status !== 0) throw new Error(`exec ended with ${status}: ${stderr}`);
      return stdout.trim();
    },
    exited,
    remove: () => void spawnSync('runc', ['--root', state, 'delete', '--force', id]),
  };
}
