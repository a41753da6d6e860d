/** One line of `/proc/PID/cgroup`. */
export interface CgroupLine {
  /** Number of the hierarchy; 0 for that of cgroup v2. */
  readonly hierarchy: number;
  /** The controllers of a v1 hierarchy; none for v2. */
  readonly controllers: readonly string[];
  /** Below the root of the reader's cgroup namespace, or above it with `..`. */
  readonly path: string;
  /** The cgroup has been removed; only zombies can still be in it. */
  readonly deleted: boolean;
}

/** What the path of a cgroup tells of a pod. */
export interface PodCgroup {
  /** UID of the pod with `-`; of a static pod the 32 hexadecimal digits of its configuration's hash. */
  readonly podUid: string | null;
  /** 64 hexadecimal digits; null for a process of the pod that is in none of its containers. */
  readonly containerId: string | null;
  readonly qos: 'guaranteed' | 'burstable' | 'besteffort' | null;
}

/**
 * Reads `/proc/PID/cgroup`: lines `ID:CONTROLLERS:PATH`, of which the path may hold colons.
 *
 * @returns Its lines, in their order; what is none is left out.
 */
export function parseCgroup(text: string): CgroupLine[] {
  return [...text.matchAll(/^(\d{1,9}):([^:\n]*):(\/.*?)( \(deleted\))?$/gm)].map(
    ([, hierarchy, controllers = '', path = '', deleted]) => ({
      hierarchy: Number(hierarchy),
      controllers: controllers === '' ? [] : controllers.split(','),
      path,
      deleted: deleted !== undefined,
    }),
  );
}

/** A UID as the API server gives it, or the hash of a static pod, wherever its cgroup stands. */
const knownUid =
  /^(.*-)?pod([0-9a-f]{8}([-_])[0-9a-f]{4}\3[0-9a-f]{4}\3[0-9a-f]{4}\3[0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;

/** Any other UID, which the manifest of a static pod may hold: as cgroupfs writes it, and systemd. */
const anyUid = [/^()pod(.+)$/, /^((?:.*-)?kubepods-(?:burstable-|besteffort-)?)pod(.+)\.slice$/] as const;

const hex64 = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/;

interface PodPart {
  /** Which part of the path it is. */
  readonly index: number;
  readonly uid: string;
  /** What stands before it in its own part, `kubepods-burstable-` under systemd. */
  readonly prefix: string;
}

/**
 * Finds the pod and the container that a cgroup belongs to, under the cgroupfs and the systemd driver of containerd,
 * CRI-O and Docker, also nested (kind, dind) and relative to a reader in another cgroup namespace.
 *
 * The first pod of the path counts, and the first container below it: a container may make cgroups of any name,
 * but only below its own.
 *
 * @returns Null where the path tells of neither a pod nor a container.
 */
export function podCgroupOf(path: string): PodCgroup | null {
  // With the drivers of the kubelet and the runtime at odds, runc takes `SLICE:PREFIX:ID` for one name.
  const parts = path.split(/[/:]/);
  const pod = podPart(parts);
  if (pod === null) {
    const containerId = loneContainer(parts);
    return containerId === null ? null : { podUid: null, containerId, qos: null };
  }
  const container = parts.slice(pod.index + 1).find((part) => hex64.test(part));
  return {
    podUid: pod.uid.replaceAll('_', '-'),
    containerId: container === undefined ? null : idOf(container),
    qos: qosOf([...parts.slice(0, pod.index), pod.prefix]),
  };
}

function podPart(parts: readonly string[]): PodPart | null {
  for (const [index, part] of parts.entries()) {
    const isBelowKubepods = parts.slice(0, index + 1).some(isKubepods);
    const match =
      knownUid.exec(part) ?? (isBelowKubepods ? (anyUid[0].exec(part) ?? anyUid[1].exec(part)) : null);
    if (match) return { index, uid: match[2] ?? '', prefix: match[1] ?? '' };
  }
  return null;
}

function isKubepods(part: string): boolean {
  return /(?:^|-)kubepods(?:$|[-.])/.test(part);
}

/**
 * A container whose pod does not stand in the path: one of the reader's own pod, or of no pod. A service below it,
 * such as the runtime of a nested node, is none of its processes.
 */
function loneContainer(parts: readonly string[]): string | null {
  const index = parts.findLastIndex((part) => hex64.test(part));
  const isService = parts.slice(index + 1).some((part) => part.endsWith('.service'));
  return index < 0 || isService ? null : idOf(parts[index] ?? '');
}

/** The ID in a name such as `cri-containerd-ID.scope`; the monitor beside a container of CRI-O is not in it. */
function idOf(part: string): string | null {
  return part.startsWith('crio-conmon-') ? null : (hex64.exec(part)?.[0] ?? null);
}

function qosOf(partsAbove: readonly string[]): PodCgroup['qos'] {
  for (const qos of ['besteffort', 'burstable'] as const) {
    if (partsAbove.some((part) => part.split(/[-.]/).includes(qos))) return qos;
  }
  return partsAbove.some(isKubepods) ? 'guaranteed' : null;
}
