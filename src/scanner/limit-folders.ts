import { readdirSync } from 'node:fs';
import { podCgroupOf } from '../proc/cgroup.ts';
import { readText } from '../proc/read-text.ts';

/** A pod of a node that runs in a container: `system.slice/docker-ID.scope/kubelet.slice/…/…/…-podUID.slice`. */
const deepest = 6;

/** Far more than a node has; a tree that has more is not walked to its end. */
const MOST_FOLDERS = 4096;

/** How long a walk that found nothing holds good, so that pods without a cgroup do not cost a walk each. */
const walkAgainAfterMilliseconds = 30_000;

/** Where the cgroups of pods are. */
export interface PodFolders {
  /** Folders that hold all pods of a node, those nearest to the root only: mostly one. */
  readonly kubepods: readonly string[];
  /** Folder by the pod's UID. */
  readonly pods: ReadonlyMap<string, string>;
}

/**
 * The folder in which a controller's cgroups stand: the root itself or its `unified` folder under cgroup v2, one that
 * is named after the controller under v1.
 *
 * @returns Null where there is none.
 */
export function hierarchyOf(root: string, controller: string): string | null {
  const unified = [root, `${root}/unified`].find((folder) =>
    (readText(`${folder}/cgroup.controllers`) ?? '').trim().split(' ').includes(controller),
  );
  return unified ?? (foldersIn(root).includes(controller) ? `${root}/${controller}` : null);
}

/** The pods below one hierarchy's folder, as far as they are known; they are looked for again when one is missing. */
export class PodFolderIndex {
  readonly #root: string;
  readonly #now: () => number;
  readonly #mostFolders: number;
  #folders: PodFolders = { kubepods: [], pods: new Map() };
  #walkedAt = Number.NEGATIVE_INFINITY;

  /**
   * @param now A clock in milliseconds that only goes forward.
   * @param mostFolders How many folders a walk lists before it gives up.
   */
  constructor(root: string, now: () => number, mostFolders = MOST_FOLDERS) {
    this.#root = root;
    this.#now = now;
    this.#mostFolders = mostFolders;
  }

  /**
   * Takes something from the folders. Where that yields null, the folder is not known or is gone, so it is tried once
   * more after another walk, unless the last one is less than half a minute old.
   */
  take<T>(from: (folders: PodFolders) => T | null): T | null {
    return from(this.#folders) ?? (this.#walkAgain() ? from(this.#folders) : null);
  }

  #walkAgain(): boolean {
    const now = this.#now();
    if (now - this.#walkedAt < walkAgainAfterMilliseconds) return false;
    this.#walkedAt = now;
    this.#folders = findPodFolders(this.#root, this.#mostFolders);
    return true;
  }
}

/** Finds the folder of a container in that of its pod; null where there is none. */
export function containerFolder(podFolder: string, containerId: string): string | null {
  const name = foldersIn(podFolder).find((folder) => podCgroupOf(`/${folder}`)?.containerId === containerId);
  return name === undefined ? null : `${podFolder}/${name}`;
}

/** Walks the folders level by level, but not into pods: below its own cgroup a container may make what it likes. */
function findPodFolders(root: string, mostFolders: number): PodFolders {
  const pods = new Map<string, string>();
  let kubepods: string[] = [];
  let level = [''];
  let foldersLeft = mostFolders;
  for (let depth = 1; depth <= deepest && foldersLeft > 0; depth += 1) {
    const listed = level.slice(0, foldersLeft);
    foldersLeft -= listed.length;
    const paths = listed.flatMap((parent) =>
      foldersIn(`${root}${parent}`).map((name) => `${parent}/${name}`),
    );
    level = [];
    for (const path of paths) {
      const pod = podCgroupOf(path);
      if (pod?.podUid == null) level.push(path);
      else if (pod.containerId === null && !pods.has(pod.podUid)) pods.set(pod.podUid, `${root}${path}`);
    }
    if (kubepods.length === 0) kubepods = level.filter(isKubepods).map((path) => `${root}${path}`);
  }
  return { kubepods, pods };
}

/** `kubepods`, or under systemd `kubepods.slice` or `kubelet-kubepods.slice`; not the folders of QoS classes in it. */
function isKubepods(path: string): boolean {
  return /(?:^|[/-])kubepods(?:\.slice)?$/.test(path);
}

/** Names of the folders in a folder, without symbolic links; none where it is gone or may not be listed. */
function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}
