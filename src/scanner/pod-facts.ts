import { isJsonObject, type JsonObject, objectAt, objectsIn } from '../pod/json.ts';
import { ownerOf } from '../pod/owner.ts';
import { type ExecProbe, type Pod, readPod } from '../pod/pod.ts';
import { annotationKeys } from '../policy/keys.ts';

/** A container of a pod as the API server reports it. */
export interface ContainerFacts {
  readonly name: string;
  /** 64 hexadecimal digits of its present instance, without the runtime's `containerd://`; null before it runs. */
  readonly id: string | null;
  /** The ids of instances before that, whose zombies may have outlived them; left out where there are none. */
  readonly formerIds?: readonly string[];
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
  /**
   * Of a static pod, the hash of its configuration, 32 hexadecimal digits: the kubelet's own UID of it, in cgroups as in
   * Events. Left out for every other pod.
   */
  readonly staticHash?: string;
}

/** The pods of this node, by what /proc tells of them. */
export interface PodDirectory {
  /** @param uid As in a cgroup's path: a UID with `-`, or for a static pod the hash of its configuration. */
  byUid(uid: string): PodFacts | null;
  byContainerId(id: string): { readonly pod: PodFacts; readonly container: ContainerFacts } | null;
  all(): Iterable<PodFacts>;
}

/**
 * Takes of a pod what the scanner needs. It never throws: a field of the wrong type reads as absent.
 *
 * @param raw A Pod as the API server has it.
 * @returns Null where it has no UID, namespace or name.
 */
export function podFacts(raw: JsonObject): PodFacts | null {
  const { uid, namespace, name } = objectAt(raw, 'metadata');
  if (!isFilled(uid) || !isFilled(namespace) || !isFilled(name)) return null;
  const pod = readPod(raw);
  const nodeName = objectAt(raw, 'spec').nodeName;
  const hash = staticHashOf(pod);
  const containers = containersOf(pod, raw);
  return {
    uid,
    namespace,
    name,
    owner: ownerOrStatic(pod, name, hash !== null, typeof nodeName === 'string' ? nodeName : ''),
    labels: Object.fromEntries(pod.labels),
    hostPid: pod.spec.hostPID === true,
    shareProcessNamespace: pod.spec.shareProcessNamespace === true,
    runtimeClassName: pod.spec.runtimeClassName || null,
    containers,
    injected: injectedInto(pod, containers),
    ...(hash === null ? {} : { staticHash: hash }),
  };
}

/**
 * Makes pods findable. What two pods claim, a container id or the hash of a static pod, finds neither: the annotations
 * of a pod are whatever its author wrote, and a zombie must not be put down to a pod that merely says so.
 *
 * @param pods The pods of one node.
 */
export function directoryOf(pods: Iterable<PodFacts>): PodDirectory {
  const all = [...pods];
  const uids = indexOf(
    all.flatMap((pod) => [pod.uid, ...(pod.staticHash ? [pod.staticHash] : [])].map((uid) => [uid, pod])),
    (pod) => pod.uid,
  );
  const ids = indexOf(
    all.flatMap((pod) =>
      pod.containers.flatMap((container) =>
        [container.id, ...(container.formerIds ?? [])].flatMap((id): [string, ContainerOfPod][] =>
          id === null ? [] : [[id, { pod, container }]],
        ),
      ),
    ),
    ({ pod, container }) => `${pod.uid} ${container.name}`,
  );
  return {
    byUid: (uid) => uids.get(uid) ?? null,
    byContainerId: (id) => ids.get(id) ?? null,
    all: () => all,
  };
}

interface ContainerOfPod {
  readonly pod: PodFacts;
  readonly container: ContainerFacts;
}

/** What stands under two keys of which only one can be right is null. */
function indexOf<T>(
  entries: Iterable<readonly [string, T]>,
  identity: (value: T) => string,
): Map<string, T | null> {
  const index = new Map<string, T | null>();
  for (const [key, value] of entries) {
    const before = index.get(key);
    const same = before === undefined || (before !== null && identity(before) === identity(value));
    index.set(key, same ? value : null);
  }
  return index;
}

/**
 * Who is responsible for a pod. A static pod has no controller that one could look up: the kubelet reports it as owned
 * by its Node, and its specification is a file there. It is called `StaticPod/NAME`, without the node's name that the
 * kubelet appends, so that the same one on several nodes is one owner.
 */
function ownerOrStatic(pod: Pod, name: string, isStatic: boolean, nodeName: string): string {
  if (!isStatic) return ownerOf(pod, name);
  const suffix = `-${nodeName.toLowerCase()}`;
  return `StaticPod/${suffix !== '-' && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}`;
}

/**
 * The kubelet writes the hash into both annotations of the mirror pod, and its Node as the owner
 * (`pkg/kubelet/pod/mirror_client.go`); anyone can write one of them.
 */
function staticHashOf({ annotations, controller }: Pod): string | null {
  const hash = annotations.get('kubernetes.io/config.hash');
  const mirrored = annotations.get('kubernetes.io/config.mirror');
  const ownedByNode = controller?.group === '' && controller.kind === 'Node';
  return hash !== undefined && hash === mirrored && ownedByNode && /^[0-9a-f]{32}$/.test(hash) ? hash : null;
}

const statusLists = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;

/** The containers of the spec, then those that only the status or the list of ephemeral ones knows. */
function containersOf(pod: Pod, raw: JsonObject): readonly ContainerFacts[] {
  const status = objectAt(raw, 'status');
  const ids = new Map<string, string[]>();
  for (const entry of statusLists.flatMap((list) => objectsIn(status[list]))) {
    if (isFilled(entry.name)) ids.set(entry.name, [...(ids.get(entry.name) ?? []), ...idsOf(entry)]);
  }
  const probesByName = new Map<string, readonly ExecProbe[]>(
    pod.containers.map(({ name, probes }) => [name, probes]),
  );
  for (const { name } of objectsIn(objectAt(raw, 'spec').ephemeralContainers)) {
    if (isFilled(name) && !probesByName.has(name)) probesByName.set(name, []);
  }
  for (const name of ids.keys()) if (!probesByName.has(name)) probesByName.set(name, []);
  return [...probesByName].map(([name, probes]) => {
    const [id = null, ...formerIds] = new Set(ids.get(name));
    return { name, id, ...(formerIds.length > 0 ? { formerIds } : {}), probes };
  });
}

/** The ids of a container's instances, the present one first. */
function idsOf(status: JsonObject): string[] {
  const terminated = ['state', 'lastState'].map((state) => objectAt(objectAt(status, state), 'terminated'));
  return [status, ...terminated].flatMap(({ containerID }) => {
    const id = typeof containerID === 'string' ? /:\/\/([0-9a-f]{64})$/.exec(containerID)?.[1] : undefined;
    return id === undefined ? [] : [id];
  });
}

function injectedInto(pod: Pod, containers: readonly ContainerFacts[]): PodFacts['injected'] {
  const status = parsedObject(pod.annotations.get(annotationKeys.status) ?? '');
  const { remedy, containers: listed } = status;
  if ((remedy !== 'tini' && remedy !== 'share-pid') || !Array.isArray(listed)) return null;
  const names: ReadonlySet<unknown> = new Set(listed);
  return { remedy, containers: containers.map(({ name }) => name).filter((name) => names.has(name)) };
}

function parsedObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
