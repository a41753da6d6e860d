import type { ProbeKind } from '../pod/pod.ts';

/**
 * Why a zombie is there:
 * - `orphan`: its own parent died first, and PID 1 of its namespace, which adopted it, does not wait;
 * - `unreaped-child`: its parent lives and never waits;
 * - `runtime`: its parent is a container runtime, outside every pod.
 */
export const zombieKinds = ['orphan', 'unreaped-child', 'runtime'] as const;
export type ZombieKind = (typeof zombieKinds)[number];

/** Who can end it: an init in the container, the program's authors, or those who run the container runtime. */
export type FixableBy = 'init' | 'app' | 'runtime';

/** What is used up first. `memory` is that of one container, `pod` the `pids.max` of one pod. */
export const limitScopes = ['pid_max', 'threads-max', 'pod', 'kubepods', 'memory'] as const;
export type LimitScope = (typeof limitScopes)[number];

/** How the pod of a zombie was found, the best evidence first. */
export type Evidence = 'own-cgroup' | 'parent-cgroup' | 'ancestor-cgroup' | 'pid-namespace';

/** A process in the process tree. */
export interface TreeProcess {
  readonly pid: number;
  /** At most 15 bytes, as the process calls itself: any characters. */
  readonly comm: string;
}

/** The living process that ought to wait for the zombies of a group. */
export interface Parent extends TreeProcess {
  /** Its words with blanks between, secrets masked, cut at 1,024 characters; null where it cannot be read. */
  readonly cmdline: string | null;
  /** Whether it is PID 1 of its PID namespace; null where that cannot be read. */
  readonly isPid1: boolean | null;
  /** From the root of the process tree down to its own parent. */
  readonly ancestors: readonly TreeProcess[];
}

/** An exec probe whose period the growth of a group keeps step with. */
export interface ProbeInStep {
  readonly container: string;
  readonly kind: ProbeKind;
  readonly command: readonly string[];
  readonly periodSeconds: number;
  /** Zombies that each run leaves. */
  readonly zombiesPerRun: number;
}

/** Zombies of one container, one parent and one kind. Whatever is unknown is null. */
export interface ZombieGroup {
  readonly count: number;
  readonly kind: ZombieKind;
  /** False where another kind would look the same. */
  readonly certain: boolean;
  /** Seconds since the oldest of them started; the kernel does not record when a process died. */
  readonly oldestSeconds: number | null;
  /** Growth; null until there are samples enough. */
  readonly newPerHour: number | null;
  /** Null where it vanished or is not visible from here. */
  readonly parent: Parent | null;
  readonly container: string | null;
  /** 64 hexadecimal digits. */
  readonly containerId: string | null;
  readonly pod: string | null;
  readonly podUid: string | null;
  readonly namespace: string | null;
  /** Kind and name of the controller, `Deployment/shop`; of a bare pod, `Pod/NAME`. */
  readonly owner: string | null;
  /** The pod's. */
  readonly labels: Readonly<Record<string, string>> | null;
  readonly fixableBy: FixableBy;
  /** One or two sentences for whoever can fix it. */
  readonly advice: string;
  readonly evidence: Evidence | null;
  readonly probe: ProbeInStep | null;
  /** Names of some of the zombies, the most frequent first; at most five. */
  readonly comms: readonly string[];
  /** Some of their PIDs, the oldest first; at most five. */
  readonly pids: readonly number[];
}

/** How much of one limit on processes is used. */
export interface LimitUse {
  readonly scope: LimitScope;
  /** Of scope `pod` and `memory`. */
  readonly podUid: string | null;
  readonly namespace: string | null;
  readonly pod: string | null;
  /** Of scope `memory`. */
  readonly containerId: string | null;
  readonly container: string | null;
  /** Processes and threads, zombies included. */
  readonly used: number;
  /** The most there can be; for scope `memory`, as many as its free memory has room for. */
  readonly limit: number;
  /** Growth by zombies alone; null until there are samples enough. */
  readonly newPerHour: number | null;
  /** Null where nothing grows, or not known yet. */
  readonly secondsToExhaustion: number | null;
}

/** The node's processes, by the limit that binds first; that of the node where no exhaustion is in sight. */
export interface PidUse {
  readonly used: number | null;
  readonly limit: number | null;
  readonly limitedBy: LimitScope | null;
  readonly secondsToExhaustion: number | null;
  /** Processes and threads that are there and could not be looked at. */
  readonly unreadable: number;
}

/** Whether what was injected into a pod works. */
export interface RemedyCheck {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly owner: string;
  readonly remedy: 'tini' | 'share-pid';
  /** Null where it cannot be told. */
  readonly works: boolean | null;
  readonly message: string;
}

/** What one look at a node found; the JSON of `scan -o json`. Fields may be added, not renamed. */
export interface ScanReport {
  readonly schemaVersion: 1;
  readonly node: string | null;
  /** RFC 3339. */
  readonly time: string;
  readonly pids: PidUse;
  readonly zombies: number;
  /** The largest first. */
  readonly groups: readonly ZombieGroup[];
  /** Every limit that could be read and whose use is known, the one that binds first at the top. */
  readonly limits: readonly LimitUse[];
  readonly remedies: readonly RemedyCheck[];
  /** What a reader should know of this look: what could not be read, and why. */
  readonly notes: readonly string[];
}
