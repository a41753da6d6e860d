import { hostname } from 'node:os';
import { openProcRoot, type ProcRoot } from '../../proc/root.ts';
import { type Limits, openLimits } from '../../scanner/limits.ts';
import type { ScanOptions } from '../scan.ts';

/** What is looked at, and under what name. */
export interface ScannedNode {
  readonly proc: ProcRoot;
  readonly limits: Limits;
  readonly node: string;
}

/**
 * Opens what the options name.
 *
 * @throws {InputError} if there is no proc root.
 */
export function openNode({ proc: path, cgroup, node }: ScanOptions): ScannedNode {
  const proc = openProcRoot(path);
  // The cgroups of this machine say nothing of the processes of another one.
  const cgroupRoot = cgroup ?? (path === '/proc' ? '/sys/fs/cgroup' : null);
  return { proc, limits: openLimits(proc, cgroupRoot), node: node ?? (process.env.NODE_NAME || hostname()) };
}
