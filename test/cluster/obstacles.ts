import { accessSync, constants } from 'node:fs';
import { obstacle as imageObstacle } from '../image/images.ts';
import { missingPlugins } from './node.ts';
import { attempt } from './run.ts';
import { areToolsBuilt } from './tools.ts';

/** Programs that are needed, by the Debian package that has them. */
const programs = {
  runc: ['runc'],
  iproute2: ['ip'],
  'util-linux': ['unshare', 'nsenter', 'mount', 'flock'],
  gcc: ['gcc'],
  'busybox-static': ['/bin/busybox'],
};

/** Why no cluster can be brought up here and what to do about it, or null. */
export function obstacle(): string | null {
  if (process.platform !== 'linux') return `Linux is needed, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'root is needed: run it with sudo';
  const missing = Object.entries(programs).flatMap(([name, files]) => (files.every(isThere) ? [] : [name]));
  if (missingPlugins().length > 0) missing.push('containernetworking-plugins');
  if (missing.length > 0) return `${missing.join(', ')} missing: apt-get install ${missing.join(' ')}`;
  if (!areToolsBuilt() && !isThere('go')) {
    return 'Go is missing, from which Kubernetes and containerd are built once: https://go.dev/dl';
  }
  if (!isWritable('/sys/fs/cgroup')) return 'cgroups cannot be made: /sys/fs/cgroup is read-only';
  return imageObstacle();
}

function isThere(program: string): boolean {
  return attempt(['sh', '-c', 'command -v "$1"', 'sh', program]).status === 0;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
