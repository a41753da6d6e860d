import { existsSync } from 'node:fs';

/** How a machine shows the cgroups of its pods. */
export interface View {
  readonly name: string;
  /**
   * Which hierarchies the runtime sees and puts its containers into: in a hybrid set-up those of v1, and that of v2
   * beside them. A dead process is known by that of v2 only.
   */
  readonly cgroups: 'v1' | 'hybrid' | 'v2';
  /** The cgroup driver whose paths are seen: `…/pod<uid>/<id>`, or `….slice/cri-containerd-<id>.scope`. */
  readonly driver: 'cgroupfs' | 'systemd';
}

export const views: readonly View[] = [
  { name: 'cgroup v1', cgroups: 'v1', driver: 'cgroupfs' },
  { name: "cgroup v1, systemd's paths", cgroups: 'v1', driver: 'systemd' },
  { name: 'cgroup v1 and v2 (hybrid)', cgroups: 'hybrid', driver: 'cgroupfs' },
  { name: 'cgroup v2', cgroups: 'v2', driver: 'cgroupfs' },
  { name: "cgroup v2, systemd's paths", cgroups: 'v2', driver: 'systemd' },
];

/** Whether the v1 hierarchies are there, alone or (hybrid) beside the one of v2. */
export const machineHasV1 = existsSync('/sys/fs/cgroup/pids');

const hybridMount = '/sys/fs/cgroup/unified';
const machineIsHybrid = machineHasV1 && existsSync(hybridMount);

/** Where the hierarchy of v2 is mounted; null where it is not. */
export const v2Mount = machineIsHybrid ? hybridMount : machineHasV1 ? null : '/sys/fs/cgroup';

/** Why a view cannot be had on this machine, or null. */
export function whyNot({ cgroups }: View): string | null {
  if (cgroups !== 'v2' && !machineHasV1) return 'this machine has no cgroup v1';
  if (cgroups !== 'v1' && v2Mount === null) return 'this machine has not mounted cgroup v2';
  return null;
}

/** Shell commands that show cgroups as the view has them, in a mount namespace that may be changed. */
export function mountCommands({ cgroups }: View): string {
  if (!machineIsHybrid || cgroups === 'hybrid') return 'true';
  return cgroups === 'v1'
    ? `umount ${hybridMount}`
    : 'umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup';
}

/** Whether controllers that v1 has taken have to be left out of what runc is told to set. */
export const needsStripping = ({ cgroups }: View): boolean => cgroups === 'v2' && machineHasV1;
