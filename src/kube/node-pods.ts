import { type JsonObject, objectAt } from '../pod/json.ts';
import { ApiError, type ApiServer, describeRefusal, isDone, type WatchListener } from './api-server.ts';
import { listEach } from './list-each.ts';

const podsPath = '/api/v1/pods';
const listTimeoutMs = 30_000;
/** How much longer than it was asked to a server may take to end a watch; then the connection is dead. */
const watchGraceMs = 15_000;

/** The pods of a node as they were at one moment. */
export interface PodList<T> {
  readonly pods: readonly T[];
  /** From which a watch can go on; null where the server gives none. */
  readonly version: string | null;
}

/**
 * Lists the pods of a node.
 *
 * Any version will do (`resourceVersion=0`): then the API server answers from its own memory, where pods are indexed by
 * node (`spec.nodeName` in kubernetes/pkg/registry/core/pod/strategy.go), and does not read every pod of the cluster
 * from etcd, as it must for an exact answer. That matters when each node of a large cluster asks. Such a list comes in
 * one page whatever limit is set.
 *
 * @param api The API server; its user needs the right to list pods in all namespaces.
 * @param nodeName The name of the Node object.
 * @param read Takes what is needed of a pod, while the list arrives; null for a pod that is to be left out.
 * @param signal Ends the request.
 * @throws {ApiError} if the status is not 2xx or the answer no list; an error in words if there is no answer in 30 s.
 */
export async function listNodePods<T>(
  api: ApiServer,
  nodeName: string,
  read: (pod: JsonObject) => T | null,
  signal?: AbortSignal,
): Promise<PodList<T>> {
  const pods: T[] = [];
  const version = await listEach(
    api,
    podsPath,
    { fieldSelector: selectorOf(nodeName), resourceVersion: '0' },
    (raw) => {
      const pod = read(raw);
      if (pod !== null) pods.push(pod);
    },
    { timeoutMs: listTimeoutMs, ...(signal ? { signal } : {}) },
  );
  return { pods, version };
}

/** What a watch of pods is asked for. */
export interface PodWatch {
  /** What changed after this version is told. */
  readonly version: string;
  /** Seconds after which the server is to end it. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/**
 * Watches the pods of a node until the server ends it. With bookmarks among the events the version stays young, so that
 * the next watch can go on from there.
 *
 * @param api The API server; its user needs the right to watch pods in all namespaces.
 * @param nodeName The name of the Node object.
 * @param watch What is asked for.
 * @param listener Hears of the events.
 * @throws {ApiError} if the status is not 2xx, or the server sends an event ERROR: of status 410 where the version is
 *   too old; an error in words if the connection breaks.
 */
export async function watchNodePods(
  api: ApiServer,
  nodeName: string,
  { version, seconds, signal }: PodWatch,
  { opened, event }: WatchListener,
): Promise<void> {
  const query = new URLSearchParams({
    fieldSelector: selectorOf(nodeName),
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: String(seconds),
  });
  const path = `${podsPath}?${query}`;
  const answer = await api.request('GET', path, undefined, {
    timeoutMs: seconds * 1000 + watchGraceMs,
    signal,
    watch: {
      opened,
      event(sent) {
        if (sent.type === 'ERROR') throw errorIn(sent, path);
        event(sent);
      },
    },
  });
  if (!isDone(answer)) {
    throw new ApiError(answer.status, describeRefusal(answer, path), answer.retryAfterMs);
  }
}

function selectorOf(nodeName: string): string {
  return `spec.nodeName=${nodeName.replaceAll(/[\\,=]/g, '\\$&')}`;
}

/** An event ERROR holds a Status. */
function errorIn(event: JsonObject, path: string): ApiError {
  const status = objectAt(event, 'object');
  const code = typeof status.code === 'number' ? status.code : 500;
  return new ApiError(code, describeRefusal({ status: code, body: status, text: '' }, path));
}
