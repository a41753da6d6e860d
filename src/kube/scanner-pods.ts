import { isJsonObject, type JsonObject, objectAt, objectsIn } from '../pod/json.ts';
import { type ApiServer, describeError, describeRefusal, isDone } from './api-server.ts';
import { listEach } from './list-each.ts';

/** What the scanner of a node answered. */
export interface NodeScan {
  /** The node's name. */
  readonly node: string;
  /** A JSON object; null where there is a problem. */
  readonly report: JsonObject | null;
  /** Why there is no report, in words; null where there is one. */
  readonly problem: string | null;
}

/** How the scanners are asked. */
export interface GatherOptions {
  /** Where their pods are. */
  readonly namespace: string;
  readonly signal?: AbortSignal;
  /** How many are asked at a time. */
  readonly concurrency?: number;
  /** How long each may take, in milliseconds. */
  readonly timeoutMs?: number;
  /** Told how many nodes of how many are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

const selector = 'app.kubernetes.io/name=gravekeeper,app.kubernetes.io/component=scanner';
const port = 9090;
const pageSize = '500';
/** A report is some kilobytes; those of many nodes are held at once. */
const mostBytes = 8 * 1024 * 1024;
/** Without the spec and the status, of which a node has a lot. */
const namesOnly = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

/**
 * Asks the scanner of every node for its last report, through the API server's proxy to pods.
 *
 * @param api The API server; its user needs the rights to list nodes, and in the namespace to list pods and to get
 *   pods/proxy.
 * @returns Every node of the cluster, by name.
 * @throws {ApiError} if nodes or pods cannot be listed; an error in words if the API server does not answer.
 */
export async function gatherScans(
  api: ApiServer,
  { namespace, signal, concurrency = 20, timeoutMs = 10_000, onProgress }: GatherOptions,
): Promise<readonly NodeScan[]> {
  const options = signal ? { signal } : {};
  const podsPath = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const nodes = new Set<string>();
  const addNode = (node: JsonObject) => void nodes.add(nameOf(node));
  await listEach(api, '/api/v1/nodes', { limit: pageSize }, addNode, { ...options, accept: namesOnly });
  const pods = new Map<string, JsonObject>();
  const addPod = (pod: JsonObject) => {
    const node = objectAt(pod, 'spec').nodeName;
    const before = typeof node === 'string' ? pods.get(node) : undefined;
    // Where there are several on a node, one that can be asked.
    if (typeof node === 'string' && (before === undefined || hindrance(before) !== null)) pods.set(node, pod);
  };
  await listEach(api, podsPath, { labelSelector: selector, limit: pageSize }, addPod, options);

  const ask = async (pod: JsonObject): Promise<JsonObject | string> => {
    const path = `${podsPath}/${encodeURIComponent(nameOf(pod))}:${port}/proxy/scan`;
    try {
      const answer = await api.request('GET', path, undefined, {
        ...options,
        timeoutMs,
        maxBytes: mostBytes,
      });
      if (!isDone(answer)) return `its scanner cannot be asked: ${describeRefusal(answer)}`;
      return isJsonObject(answer.body) ? answer.body : 'its scanner answers something that is no report';
    } catch (error) {
      signal?.throwIfAborted();
      return `its scanner cannot be asked: ${describeError(error)}`;
    }
  };
  let done = 0;
  return inParallel([...nodes].sort(), concurrency, async (node) => {
    const pod = pods.get(node);
    const outcome = pod === undefined ? 'no scanner runs there' : (hindrance(pod) ?? (await ask(pod)));
    done += 1;
    onProgress?.(done, nodes.size);
    return typeof outcome === 'string'
      ? { node, report: null, problem: outcome }
      : { node, report: outcome, problem: null };
  });
}

/** Why a pod cannot be asked, in words; null where it can. */
function hindrance(pod: JsonObject): string | null {
  const its = `its scanner ${nameOf(pod)}`;
  if (objectAt(pod, 'metadata').deletionTimestamp) return `${its} is being deleted`;
  const status = objectAt(pod, 'status');
  const reasons = [status, ...objectsIn(status.containerStatuses).map(waitingState)].flatMap(({ reason }) =>
    typeof reason === 'string' ? [`: ${reason}`] : [],
  );
  const phase = typeof status.phase === 'string' ? status.phase : 'Unknown';
  if (phase !== 'Running') return `${its} is ${phase}${reasons[0] ?? ''}`;
  const ready = objectsIn(status.conditions).find(({ type }) => type === 'Ready');
  return ready?.status === 'True' ? null : `${its} is not ready${reasons[0] ?? ''}`;
}

function waitingState(status: JsonObject): JsonObject {
  return objectAt(objectAt(status, 'state'), 'waiting');
}

function nameOf(object: JsonObject): string {
  const { name } = objectAt(object, 'metadata');
  return typeof name === 'string' ? name : '';
}

/** Does work on items, so many at a time, and returns what came of it in their order. */
async function inParallel<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const worker = async () => {
    for (const [index, item] of rest) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return results;
}
