import type { ExecProbe } from '../pod/pod.ts';

/** A container of a pod as the API server reports it. */
export interface ContainerFacts {
  readonly name: string;
  /** 64 hexadecimal digits of its present instance, without the runtime's `containerd://`; null before it runs. */
  readonly id: string | null;
  readonly probes: readonly ExecProbe[];
}

/** What the scanner needs to know of a pod. */
export interface PodFacts {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Kind and name of the controller, `Deployment/shop`; of a bare pod, `Pod/NAME`. */
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostPid: boolean;
  readonly shareProcessNamespace: boolean;
  readonly runtimeClassName: string | null;
  readonly containers: readonly ContainerFacts[];
  /** What this program injected into it; null for nothing. `containers` are those that got tini. */
  readonly injected: { readonly remedy: 'tini' | 'share-pid'; readonly containers: readonly string[] } | null;
}

/** The pods of this node, by what /proc tells of them. */
export interface PodDirectory {
  /** @param uid As in a cgroup's path: a UID with `-`, or for a static pod the hash of its configuration. */
  byUid(uid: string): PodFacts | null;
  byContainerId(id: string): { readonly pod: PodFacts; readonly container: ContainerFacts } | null;
  all(): Iterable<PodFacts>;
}
