import { type JsonObject, objectAt } from '../pod/json.ts';
import { ApiError, type ApiServer, describeError } from './api-server.ts';
import { listNodePods, watchNodePods } from './node-pods.ts';
import { backoffMs, type Clock, systemClock } from './pace.ts';

/** What the one who follows is told; its functions must not throw. */
export interface NodePodsEvents<T> {
  /** Takes what is needed of a pod; null for one that is to be left out. */
  read(pod: JsonObject): T | null;
  /** The pods of the node changed; these are all of them, also when they are looked at later. */
  onPods(pods: Iterable<T>): void;
  /** The API server lists the pods, or tells of what changes from now on. */
  onAnswer(): void;
  /** It does not, and why, in words; what is known is still the best that is known. */
  onFailure(message: string): void;
  readonly clock?: Clock;
}

/** What follows the pods of a node. */
export interface NodePods {
  /** Ends the request under way, and what would start another one. */
  stop(): Promise<void>;
}

/** A watch is asked for so long, or somewhat less or more. A connection that died without a word is noticed by then. */
const watchSeconds = 5 * 60;
/** A watch that lasted this long was a success. */
const healthyMs = 20_000;
const longestBackoffMs = 2 * 60_000;
const longestRetryAfterMs = 10 * 60_000;

/**
 * Follows the pods of a node: lists them once, and then watches what changes. A watch that ends, or breaks off, is taken
 * up where it was; only where the API server itself refuses that, they are listed again. After a failure it waits longer
 * and longer, up to two minutes, or as long as the API server asks for. One request at a time.
 *
 * @param api The API server.
 * @param nodeName The name of the Node object.
 * @param events Reads pods, and hears of changes and failures.
 */
export function followNodePods<T>(
  api: ApiServer,
  nodeName: string,
  { read, onPods, onAnswer, onFailure, clock = systemClock }: NodePodsEvents<T>,
): NodePods {
  const stopping = new AbortController();
  const { signal } = stopping;
  let pods = new Map<string, T>();
  /** What was told up to this version is known; null where nothing is. */
  let version: string | null = null;
  let openedAt: number | null = null;

  const list = async () => {
    const listed = await listNodePods(api, nodeName, (raw) => entryOf(raw, read), signal);
    pods = new Map(listed.pods);
    onPods(pods.values());
    onAnswer();
    if (listed.version === null) throw new ApiError(200, 'the list of pods has no version to watch from');
    version = listed.version;
    return version;
  };
  const take = ({ type, object }: { readonly type: unknown; readonly object: JsonObject }) => {
    const { resourceVersion } = objectAt(object, 'metadata');
    if (typeof resourceVersion === 'string') version = resourceVersion;
    if (type === 'BOOKMARK') return;
    const [uid, pod] = entryOf(object, read) ?? [uidOf(object), null];
    if (pod === null || type === 'DELETED') pods.delete(uid);
    else pods.set(uid, pod);
    onPods(pods.values());
  };
  const watch = async (from: string) => {
    const seconds = Math.round(watchSeconds * (0.9 + clock.random() / 5));
    await watchNodePods(
      api,
      nodeName,
      { version: from, seconds, signal },
      {
        opened() {
          openedAt = clock.now();
          onAnswer();
        },
        event: (event) => take({ type: event.type, object: objectAt(event, 'object') }),
      },
    );
  };
  /** Why a list or a watch ended too early; null where the server ended the watch when it was to. */
  const session = async (): Promise<unknown> => {
    openedAt = null;
    try {
      await watch(version ?? (await list()));
      return null;
    } catch (error) {
      return error;
    }
  };
  const follow = async () => {
    let failures = 0;
    for (;;) {
      const failure = await session();
      if (signal.aborted) return;
      const lasted = openedAt !== null && clock.now() - openedAt >= healthyMs;
      if (lasted) failures = 0;
      if (failure === null && lasted) continue;
      failures += 1;
      // A version gets too old while the API server is away, or very busy: that is no failure.
      if (failure !== null && (version === null || !isExpired(failure))) {
        onFailure(`the pods of node ${nodeName} cannot be listed: ${describeError(failure)}`);
      }
      if (failure instanceof ApiError) version = null;
      await clock.sleep(waitAfter(failure, failures, clock), signal);
      if (signal.aborted) return;
    }
  };
  const following = follow();
  return {
    async stop() {
      stopping.abort(new Error('stopped'));
      await following;
    },
  };
}

function entryOf<T>(raw: JsonObject, read: (pod: JsonObject) => T | null): readonly [string, T] | null {
  const pod = read(raw);
  return pod === null ? null : [uidOf(raw), pod];
}

function uidOf(raw: JsonObject): string {
  const { uid } = objectAt(raw, 'metadata');
  return typeof uid === 'string' ? uid : '';
}

function isExpired(failure: unknown): boolean {
  return failure instanceof ApiError && failure.status === 410;
}

function waitAfter(failure: unknown, failures: number, clock: Clock): number {
  const asked = failure instanceof ApiError ? (failure.retryAfterMs ?? 0) : 0;
  return Math.max(backoffMs(failures, longestBackoffMs, clock), Math.min(asked, longestRetryAfterMs));
}
