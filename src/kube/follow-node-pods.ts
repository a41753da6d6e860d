import type { JsonObject } from '../pod/json.ts';
import { ApiError, type ApiServer, describeError } from './api-server.ts';
import { listNodePods } from './node-pods.ts';
import { backoffMs, type Clock, systemClock } from './pace.ts';

/** What the one who follows is told; its functions must not throw. */
export interface NodePodsEvents<T> {
  /** Takes what is needed of a pod; null for one that is to be left out. */
  read(pod: JsonObject): T | null;
  /** All pods of the node; they replace those before. */
  onListed(pods: readonly T[]): void;
  /** They could not be listed, and why, in words; those before are still the best that is known. */
  onFailure(message: string): void;
  readonly clock?: Clock;
}

/** What lists the pods of a node again and again. */
export interface NodePods {
  /**
   * Lists again soon, because a pod or a container was seen on the node that the last list did not have. It may be
   * called as often as it is seen: nothing is listed twice within 10 s, and for the same one no more than twice between
   * two regular lists, since what the API server does not know of by then it will not know.
   *
   * @param id The UID of the pod, or the id of the container.
   */
  refresh(id: string): void;
  /** Ends the request under way, and what would start another one. */
  stop(): Promise<void>;
}

const relistMs = 5 * 60_000;
const leastMs = 10_000;
const longestBackoffMs = 2 * 60_000;
const longestRetryAfterMs = 10 * 60_000;
const mostAttempts = 2;
/** A node has some hundreds of pods; beyond that somebody makes names up. */
const mostUnknown = 1000;

/**
 * Lists the pods of a node: at once, every five minutes or so, and when a pod is seen that is not known. After a
 * failure it waits longer and longer, up to two minutes, or as long as the API server asks for. One request at a time.
 *
 * A list now and then costs the API server less than a watch of every node, and nothing can be missed.
 *
 * @param api The API server.
 * @param nodeName The name of the Node object.
 * @param events Reads pods, and hears of lists and failures.
 */
export function followNodePods<T>(
  api: ApiServer,
  nodeName: string,
  { read, onListed, onFailure, clock = systemClock }: NodePodsEvents<T>,
): NodePods {
  const stopping = new AbortController();
  const attempts = new Map<string, number>();
  let wanted = false;
  let pause = new AbortController();

  /** Why it failed; null where it did not. */
  const list = async (): Promise<unknown> => {
    try {
      onListed(await listNodePods(api, nodeName, read, stopping.signal));
      return null;
    } catch (error) {
      return error;
    }
  };
  const follow = async () => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const startedAt = clock.now();
      wanted = false;
      const failure = await list();
      if (stopping.signal.aborted) return;
      if (failure !== null) {
        failures += 1;
        onFailure(`the pods of node ${nodeName} cannot be listed: ${describeError(failure)}`);
        await clock.sleep(waitAfter(failure, failures, clock), stopping.signal);
        continue;
      }
      failures = 0;
      if (!wanted) {
        pause = new AbortController();
        await clock.sleep(relistMs * (0.9 + clock.random() / 5), pause.signal);
      }
      if (wanted) await clock.sleep(Math.max(0, startedAt + leastMs - clock.now()), stopping.signal);
      else attempts.clear();
    }
  };
  const following = follow();

  return {
    refresh(id) {
      const before = attempts.get(id) ?? 0;
      if (before >= mostAttempts || (before === 0 && attempts.size >= mostUnknown) || wanted) return;
      attempts.set(id, before + 1);
      wanted = true;
      pause.abort();
    },
    async stop() {
      stopping.abort(new Error('stopped'));
      pause.abort();
      await following;
    },
  };
}

function waitAfter(failure: unknown, failures: number, clock: Clock): number {
  const asked = failure instanceof ApiError ? (failure.retryAfterMs ?? 0) : 0;
  return Math.max(backoffMs(failures, longestBackoffMs, clock), Math.min(asked, longestRetryAfterMs));
}
