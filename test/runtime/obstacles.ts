import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { mainFile, unprivileged } from './scan.ts';
import { machineHasV1 } from './views.ts';

export const staticTini = '/usr/bin/tini-static';

/** Programs that are needed, by the Debian package that has them. */
const programs = {
  containerd: ['containerd', 'ctr', 'containerd-shim-runc-v2'],
  runc: ['runc'],
  gcc: ['gcc'],
  'util-linux': ['unshare', 'nsenter', 'setpriv'],
};

/** Why nothing can run here and what to do about it, or null. */
export function obstacle(): string | null {
  if (process.platform !== 'linux') return `Linux is needed, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'root is needed: run it with sudo';
  const missing = Object.entries(programs).flatMap(([name, files]) => (files.every(isThere) ? [] : [name]));
  if (!existsSync(staticTini)) missing.push('tini');
  if (missing.length > 0) return `${missing.join(', ')} missing: apt-get install ${missing.join(' ')}`;
  if (!isThere('go')) return 'Go 1.26 or later is missing: https://go.dev/dl/';
  if (spawnSync('unshare', ['--mount', 'true']).status !== 0) {
    return 'no mount namespace can be made: in a container, run it with --privileged';
  }
  if (!isWritable(machineHasV1 ? '/sys/fs/cgroup/pids' : '/sys/fs/cgroup')) {
    return 'no cgroup can be made in /sys/fs/cgroup: in a container, run it with --privileged --cgroupns=host';
  }
  const [command = '', ...words] = [...unprivileged, 'test', '-r', mainFile];
  if (spawnSync(command, words).status !== 0) {
    return `user 65532 may not read ${mainFile}: put the checkout where everyone may`;
  }
  return null;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isThere(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]).status === 0;
}
