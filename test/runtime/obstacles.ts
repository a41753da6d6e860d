import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readProcesses } from './proc.ts';
import { mainFile, unprivileged } from './scan.ts';

export const staticTini = '/usr/bin/tini-static';

/** Programs that are needed, by the Debian package that has them. */
const programs = {
  containerd: ['containerd', 'ctr', 'containerd-shim-runc-v2'],
  runc: ['runc'],
  gcc: ['gcc'],
  golang: ['go'],
  'util-linux': ['unshare', 'nsenter', 'setpriv'],
};

/** Why nothing can run here and what to do about it, or null. */
export function obstacle(): string | null {
  if (process.platform !== 'linux') return `Linux is needed, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'root is needed: run it with sudo';
  const missing = Object.entries(programs).flatMap(([name, files]) => (files.every(isThere) ? [] : [name]));
  if (!existsSync(staticTini)) missing.push('tini');
  if (missing.length > 0) return `${missing.join(', ')} missing: apt-get install ${missing.join(' ')}`;
  if (readProcesses().some(({ comm }) => comm === 'kubelet')) {
    return 'a kubelet runs here, which would end pods that it does not know: run it on another machine';
  }
  const [command = '', ...words] = [...unprivileged, 'test', '-r', mainFile];
  if (spawnSync(command, words).status !== 0) {
    return `user 65532 may not read ${mainFile}: put the checkout where everyone may`;
  }
  return null;
}

function isThere(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]).status === 0;
}
