import { type KubeConfig, ListWatch } from '@kubernetes/client-node';
import { isJsonObject } from '../pod/json.ts';
import { ApiError, type ApiServer, describeError } from './api-server.ts';
import { getJson } from './get-json.ts';
import { GuardedWatch, type LabelledObject, labelledObject } from './guarded-watch.ts';
import { kubeconfigApiServer } from './kubeconfig-api-server.ts';
import type { Labels, Namespaces } from './namespaces.ts';
import { type Clock, createPace, systemClock } from './pace.ts';

/** Why the watch was started again: it failed, nobody answered, or its time was up. */
export type RestartCause = 'error' | 'stalled' | 'relist';

/** Hears of what happens. Its functions must not throw. */
export interface InformerEvents {
  /** Namespaces were listed; `count` are known. */
  listed(count: number): void;
  /** The watch starts again; `detail` is an error in words, null for a relist. */
  restarting(cause: RestartCause, detail: string | null): void;
}

const namespacesPath = '/api/v1/namespaces';
const relistMs = 5 * 60_000;
const listTimeoutMs = 30_000;
/** Below the three seconds that the API server itself waits for the webhook. */
const refreshTimeoutMs = 2000;
/** Names come from whoever calls; more reads than this at a time are refused. */
const mostRefreshes = 32;

/**
 * Follows the labels of all namespaces of a cluster. An informer of client-node does the work, a session at a time: it
 * lists once, and watches until something goes wrong or five minutes are over. Then the next session begins, at a
 * pace that never hurries the API server. What is known stays known in between.
 *
 * @param config The cluster.
 * @param events Hears of lists and restarts.
 * @param clock Time.
 */
export function followNamespaces(
  config: KubeConfig,
  events: InformerEvents,
  clock: Clock = systemClock,
): Namespaces {
  const api = kubeconfigApiServer(config);
  const stopping = new AbortController();
  const cache = new LabelCache();
  const refreshes = new Map<string, Promise<Labels | null>>();
  const pace = createPace(clock, stopping.signal);

  const follow = async () => {
    while (!stopping.signal.aborted) {
      await pace();
      if (stopping.signal.aborted) return;
      const end = await runSession({ config, api }, cache, {
        pace,
        clock,
        stopping: stopping.signal,
        events,
      });
      if (end) events.restarting(end.cause, end.detail);
    }
  };
  const following = follow();

  const read = async (name: string): Promise<Labels | null> => {
    const unchanged = cache.watchForChange(name);
    const labels = await readLabels(api, name, stopping.signal).finally(() => cache.unwatch(name));
    // What the watch said meanwhile may be newer; and if it is older, the newer is on its way.
    if (unchanged()) cache.set(name, labels);
    return labels;
  };
  return {
    labelsOf: (name) => cache.get(name),
    synced: () => cache.complete,
    refresh(name) {
      const running = refreshes.get(name);
      if (running) return running;
      if (refreshes.size >= mostRefreshes) {
        return Promise.reject(new Error('too many namespaces are being read already'));
      }
      const refresh = read(name).finally(() => refreshes.delete(name));
      refreshes.set(name, refresh);
      return refresh;
    },
    async stop() {
      stopping.abort();
      await following;
    },
  };
}

/** Labels by namespace and nothing else of them: thousands fit anywhere. */
class LabelCache {
  complete = false;
  readonly #labels = new Map<string, Labels>();
  /** Namespaces that are being read, and whether they were set since. */
  readonly #reading = new Map<string, { changed: boolean }>();

  get(name: string): Labels | null {
    return this.#labels.get(name) ?? null;
  }

  get size(): number {
    return this.#labels.size;
  }

  /** Null for a namespace that is gone. */
  set(name: string, labels: Labels | null): void {
    if (labels) this.#labels.set(name, labels);
    else this.#labels.delete(name);
    const reading = this.#reading.get(name);
    if (reading) reading.changed = true;
  }

  replace(objects: readonly LabelledObject[]): void {
    const gone = new Set(this.#labels.keys());
    for (const object of objects) {
      gone.delete(object.metadata.name);
      this.set(object.metadata.name, labelsOf(object));
    }
    for (const name of gone) this.set(name, null);
    this.complete = true;
  }

  /** Begins to note whether a namespace is set; the function it returns says whether it was not. */
  watchForChange(name: string): () => boolean {
    const reading = { changed: false };
    this.#reading.set(name, reading);
    return () => !reading.changed;
  }

  unwatch(name: string): void {
    this.#reading.delete(name);
  }
}

interface SessionTools {
  readonly pace: () => Promise<void>;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
  readonly events: InformerEvents;
}

interface SessionEnd {
  readonly cause: RestartCause;
  readonly detail: string | null;
}

/** One list and the watch after it. Returns why it ended; null where it was stopped. */
async function runSession(
  { config, api }: { readonly config: KubeConfig; readonly api: ApiServer },
  cache: LabelCache,
  { pace, clock, stopping, events }: SessionTools,
): Promise<SessionEnd | null> {
  const over = new AbortController();
  const ended = Promise.withResolvers<SessionEnd | null>();
  const fail = (error: unknown) => {
    const stalled = error instanceof Error && error.name === 'TimeoutError';
    ended.resolve({ cause: stalled ? 'stalled' : 'error', detail: describeError(error) });
  };
  const stop = () => ended.resolve(null);
  stopping.addEventListener('abort', stop, { once: true });

  const list = async () => {
    const page = await listNamespaces(api, over.signal);
    if (!over.signal.aborted) {
      cache.replace(page.items);
      events.listed(cache.size);
    }
    return page;
  };
  const watch = new GuardedWatch(config, { over: over.signal, pace, onBroken: fail });
  const informer = new ListWatch<LabelledObject>(namespacesPath, watch, list, false, undefined, undefined, {
    // The guarded watch paces connections itself; this delay begins anew with every event.
    delayFn: async () => {},
  });
  const set = (object: LabelledObject) => cache.set(object.metadata.name, labelsOf(object));
  informer.on('add', set);
  informer.on('update', set);
  informer.on('delete', ({ metadata }) => cache.set(metadata.name, null));
  informer.on('error', fail);

  informer.start().catch(fail);
  void clock
    .sleep(relistMs * (0.9 + clock.random() / 5), over.signal)
    .then(() => ended.resolve({ cause: 'relist', detail: null }));
  const end = await ended.promise;
  over.abort();
  stopping.removeEventListener('abort', stop);
  await informer.stop();
  return end;
}

async function listNamespaces(
  api: ApiServer,
  signal: AbortSignal,
): Promise<{ items: LabelledObject[]; metadata: { resourceVersion: string } }> {
  const list = await getJson(api, namespacesPath, { signal, timeoutMs: listTimeoutMs });
  const { items, metadata } = isJsonObject(list) ? list : {};
  const version = isJsonObject(metadata) ? metadata.resourceVersion : undefined;
  if (!Array.isArray(items) || typeof version !== 'string') {
    throw new ApiError(200, `${namespacesPath} is not answered with a list`);
  }
  return {
    items: items.flatMap((item: unknown) => labelledObject(item) ?? []),
    metadata: { resourceVersion: version },
  };
}

async function readLabels(api: ApiServer, name: string, signal: AbortSignal): Promise<Labels | null> {
  try {
    const object = labelledObject(
      await getJson(api, `${namespacesPath}/${encodeURIComponent(name)}`, {
        signal,
        timeoutMs: refreshTimeoutMs,
      }),
    );
    if (object === null) throw new ApiError(200, `${namespacesPath}/${name} is not answered with an object`);
    return labelsOf(object);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw new Error(`the namespace ${name} cannot be read: ${describeError(error)}`);
  }
}

function labelsOf({ metadata }: LabelledObject): Labels {
  return new Map(Object.entries(metadata.labels ?? {}));
}
