import type { ImagesConfig } from '../config/images.ts';
import { failuresOfRegistry, LookupFailure } from './failure.ts';
import type { Identity } from './identity.ts';
import { createLimiter } from './limiter.ts';
import type { Location } from './location.ts';
import { createLru } from './lru.ts';
import type { LookupMetrics } from './metrics.ts';
import type { ImageReference } from './reference.ts';
import type { FoundImage, RegistryClient } from './registry.ts';

/** An image, and whether a registry had to be asked for it just now. */
export interface SourcedImage {
  readonly image: FoundImage;
  readonly cached: boolean;
}

/** Images by who asks for them, from memory or from their registries. */
export interface ImageSource {
  /**
   * Whoever asks while the same is being fetched for the same identity waits for that.
   *
   * @throws {LookupFailure}
   */
  find(wanted: WantedImage, who: Identity): Promise<SourcedImage>;
}

/** An image that is looked for. */
export interface WantedImage {
  readonly reference: ImageReference;
  readonly location: Location;
  readonly architecture: string;
}

/** What an image source is made of. */
interface SourceParts {
  readonly client: RegistryClient;
  readonly config: ImagesConfig;
  readonly metrics: LookupMetrics;
  readonly patience: Patience;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** How long a look-up may take and how many may wait for their turn, which depends on who waits for them. */
export interface Patience {
  /** The longest that one look-up takes, once it is its turn. */
  readonly fetchMs: number;
  readonly waitingPerHost: number;
  readonly waitingInAll: number;
}

/** A registry that fails this often in a row is left alone for a while. */
const strikes = 3;
const atOnce = { perKey: 8, inAll: 48 };

/**
 * Makes a source of images that remembers: what a digest stands for, for good; what a tag stands for and what failed,
 * for a while. Everything is remembered under the identity that it was fetched with, never under the image alone: what
 * one tenant may read is not told to another.
 */
export function createImageSource({ client, config, metrics, patience, now }: SourceParts): ImageSource {
  const { tagSeconds, failureSeconds, maxBytes } = config.cache;
  const images = createLru<FoundImage>(maxBytes / 2, now);
  const tags = createLru<string>(maxBytes / 8, now);
  const freshTags = createLru<true>(maxBytes / 8, now);
  const failures = createLru<LookupFailure>(maxBytes / 8, now);
  const failuresInARow = createLru<number>(maxBytes / 8, now);
  const flights = new Map<string, Promise<FoundImage>>();
  const { fetchMs, waitingPerHost, waitingInAll } = patience;
  const limiter = createLimiter({ ...atOnce, waitingPerKey: waitingPerHost, waitingInAll });

  const remembered = (
    { location, architecture, reference }: WantedImage,
    who: Identity,
  ): FoundImage | undefined => {
    const name = nameOf(location, who);
    const tagKey = `${name}:${reference.tag}`;
    const digest = reference.digest ?? (freshTags.get(tagKey) && tags.get(tagKey));
    return digest === undefined ? undefined : images.get(`${name}@${digest} ${architecture}`);
  };
  const rememberedFailure = (
    key: string,
    { location }: WantedImage,
    who: Identity,
  ): LookupFailure | undefined => {
    const { host } = location.origin;
    return failures.get(key) ?? failures.get(`${who.key} ${host}`) ?? failures.get(host);
  };

  const fetchImage = async (wanted: WantedImage, who: Identity): Promise<FoundImage> => {
    const { location, reference, architecture } = wanted;
    const name = nameOf(location, who);
    const signal = AbortSignal.timeout(fetchMs);
    const imageKey = (digest: string) => `${name}@${digest} ${architecture}`;
    const fetchVersion = async (version: string): Promise<FoundImage> => {
      const found = await client.imageOf(location, version, architecture, who, signal);
      const key = imageKey(found.digest);
      images.set(key, found, Number.POSITIVE_INFINITY, weightOf(key) + weightOf(JSON.stringify(found)));
      return found;
    };
    if (reference.digest !== null) return await fetchVersion(reference.digest);
    const tag = reference.tag ?? 'latest';
    const tagKey = `${name}:${tag}`;
    const last = tags.get(tagKey);
    // Where the tag was known once, it is cheaper to ask first whether it has moved.
    const digest = last && (await client.digestOf(location, tag, who, signal));
    const image = (digest && images.get(imageKey(digest))) || (await fetchVersion(digest || tag));
    tags.set(tagKey, image.digest, Number.POSITIVE_INFINITY, weightOf(tagKey));
    freshTags.set(tagKey, true, tagSeconds, weightOf(tagKey));
    return image;
  };

  const remember = (error: unknown, key: string, { location }: WantedImage, who: Identity): void => {
    if (!(error instanceof LookupFailure) || error.failure === 'busy') return;
    const { host } = location.origin;
    if (error.failure === 'rate-limited') {
      const of = `${who.key} ${host}`;
      const seconds = error.retryAfterMs === null ? failureSeconds : error.retryAfterMs / 1000;
      failures.set(of, error, seconds, weightOf(of));
      return;
    }
    failures.set(key, error, failureSeconds, weightOf(key));
    if (!failuresOfRegistry.has(error.failure)) return;
    const count = (failuresInARow.get(host) ?? 0) + 1;
    failuresInARow.set(host, count, failureSeconds, weightOf(host));
    if (count >= strikes) failures.set(host, error, failureSeconds, weightOf(host));
  };

  const fly = async (key: string, wanted: WantedImage, who: Identity): Promise<FoundImage> => {
    const { host } = wanted.location.origin;
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    try {
      const image = await limiter.run(host, () => fetchImage(wanted, who));
      failuresInARow.delete(host);
      metrics.fetched('success', seconds());
      return image;
    } catch (error) {
      remember(error, key, wanted, who);
      metrics.fetched(error instanceof LookupFailure ? error.failure : 'bad-answer', seconds());
      throw error;
    } finally {
      flights.delete(key);
    }
  };

  return {
    async find(wanted, who) {
      const image = remembered(wanted, who);
      if (image) return { image, cached: true };
      const { reference, location, architecture } = wanted;
      const version = reference.digest ?? `:${reference.tag}`;
      const key = `${nameOf(location, who)} ${version} ${architecture}`;
      const failure = rememberedFailure(key, wanted, who);
      if (failure) throw failure;
      const flying = flights.get(key) ?? fly(key, wanted, who);
      flights.set(key, flying);
      return { image: await flying, cached: false };
    },
  };
}

/** A repository as one identity sees it. */
function nameOf({ registry, repository }: Location, who: Identity): string {
  return `${who.key} ${registry}/${repository}`;
}

/** Bytes that a text takes in memory, with what is around it, about. */
function weightOf(text: string): number {
  return 200 + text.length;
}
