import { type KubeConfig, type KubernetesObject, Watch } from '@kubernetes/client-node';

type WatchArguments = Parameters<Watch['watch']>;

/** What a guarded watch asks of the one who uses it. */
export interface WatchGuard {
  /** Aborted when the watch is over: nothing of it is passed on any more, and it does not connect again. */
  readonly over: AbortSignal;
  /** Awaited before each connection but the first. */
  readonly pace: () => Promise<void>;
  /** Hears of what an informer cannot go on after. */
  readonly onBroken: (error: unknown) => void;
}

/** What an informer gets to see of an object: enough to know it by, and its labels. */
export interface LabelledObject extends KubernetesObject {
  metadata: { name: string; resourceVersion?: string; labels?: Record<string, string> };
}

/**
 * A watch that an informer of client-node can live on. The library's own (2.0.1) crashes the process on an event
 * without metadata and on credentials that cannot be read, since the informer's callbacks are asynchronous and nobody
 * waits for them; it goes on connecting after `stop`, does not ask for bookmarks, and keeps whole objects.
 */
export class GuardedWatch extends Watch {
  readonly #guard: WatchGuard;
  #connections = 0;
  #request: AbortController | null = null;

  constructor(config: KubeConfig, guard: WatchGuard) {
    super(config);
    this.#guard = guard;
    guard.over.addEventListener('abort', () => this.#request?.abort(), { once: true });
  }

  override async watch(...[path, query, onEvent, onDone]: WatchArguments): Promise<AbortController> {
    const { over, pace } = this.#guard;
    this.#connections += 1;
    if (this.#connections > 1) await pace();
    if (over.aborted) return new AbortController();
    this.#request = await super.watch(
      path,
      { ...query, allowWatchBookmarks: true },
      (phase, object) => this.#pass(() => onEvent(phase, phase === 'ERROR' ? object : known(object, phase))),
      (error) => this.#pass(() => onDone(error)),
    );
    if (over.aborted) this.#request.abort();
    return this.#request;
  }

  /** Calls the informer, unless all is over, and waits for it, which the library does not. */
  #pass(call: () => unknown): void {
    const { over, onBroken } = this.#guard;
    if (over.aborted) return;
    const settled = async () => {
      await call();
    };
    settled().catch(onBroken);
  }
}

/** An event without a version would make the informer forget where it is, and list again. */
function known(object: unknown, phase: string): LabelledObject {
  const labelled = labelledObject(object);
  if (labelled?.metadata.resourceVersion === undefined) {
    throw new Error(`the API server sent an event ${phase} without an object or its version`);
  }
  return labelled;
}

/**
 * Takes of an object what an informer needs.
 *
 * @param value An object of the API server, or anything that came in its place.
 * @returns Null where it has no metadata.
 */
export function labelledObject(value: unknown): LabelledObject | null {
  const metadata = memberOf(value, 'metadata');
  if (typeof metadata !== 'object' || metadata === null) return null;
  const [name, resourceVersion, labels] = ['name', 'resourceVersion', 'labels'].map((key) =>
    memberOf(metadata, key),
  );
  return {
    metadata: {
      name: typeof name === 'string' ? name : '',
      ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
      labels: Object.fromEntries(
        Object.entries(labels ?? {}).flatMap(([key, label]) =>
          typeof label === 'string' ? [[key, label]] : [],
        ),
      ),
    },
  };
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
