import type { ImagesConfig } from '../config/images.ts';
import type { Pod } from '../pod/pod.ts';
import type { ImageAnswer } from '../remedies/image-answer.ts';
import { type FailureCause, failuresOfCredential, LookupFailure } from './failure.ts';
import { createGuardedGet, type GuardedGet } from './guarded-get.ts';
import { anonymous, type Identity, identityOf } from './identity.ts';
import { createImageSource, type SourcedImage } from './image-source.ts';
import { locate } from './location.ts';
import { createLru } from './lru.ts';
import { type LookupMetrics, noMetrics } from './metrics.ts';
import { architectureOf, pullSecretNames } from './pod-images.ts';
import { credentialsFor, type PullSecret } from './pull-secrets.ts';
import { parseReference } from './reference.ts';
import { createRegistryClient } from './registry.ts';

/** A container whose image's ENTRYPOINT, CMD and USER are wanted. */
interface Question {
  readonly container: string;
  readonly image: string;
}

/** Looks images up. */
export interface ImageLookup {
  /**
   * Looks up all images of a pod at once, for at most the deadline of the configuration.
   *
   * @param questions Its containers whose images matter.
   * @param about The pod, and the namespace that its pull secrets are in.
   * @returns What was found out in time, by container. It never rejects: what is not found out is left out.
   */
  answer(
    questions: readonly Question[],
    about: { readonly pod: Pod; readonly namespace: string },
  ): Promise<ReadonlyMap<string, ImageAnswer>>;
  /**
   * Looks up one image, with each credential that matches and then without.
   *
   * @param image The reference as a pod holds it.
   * @param architecture Null for that of the configuration.
   * @throws {LookupFailure} of the first that was tried.
   */
  find(image: string, secrets: readonly PullSecret[], architecture: string | null): Promise<SourcedImage>;
  /** Closes connections that are kept. */
  close(): void;
}

/** What looking up takes besides the configuration. */
export interface LookupTools {
  /** Reads a Secret; null where there is none, or it may not be read. Left out, nobody's credentials are used. */
  readonly readSecret?: (namespace: string, name: string) => Promise<PullSecret | null>;
  readonly metrics?: LookupMetrics;
  /** Hears why an image is not known; of each cause only now and then. */
  readonly failed?: (image: string, cause: FailureCause) => void;
  /** How anything is fetched; left out, by the guards of the configuration. */
  readonly guarded?: GuardedGet;
}

/** How long a Secret counts, in seconds: one that was changed is noticed so soon. */
const secretSeconds = 30;
const mostSecretBytes = 8 * 1024 * 1024;
const toldSeconds = 600;
const mostTold = 2_000;
/** More credentials for one image than anybody rotates; each may cost a question to its registry. */
const mostCredentials = 8;

/**
 * Makes a look-up with caches of its own.
 *
 * @param config What is allowed, and for how long things count.
 * @param tools Secrets, metrics and who hears of failures.
 */
export function createImageLookup(config: ImagesConfig, tools: LookupTools = {}): ImageLookup {
  const { metrics = noMetrics, failed, guarded = createGuardedGet(config) } = tools;
  const source = createImageSource({ client: createRegistryClient(guarded, config), config, metrics });
  const secretOf = rememberingSecrets(tools.readSecret);
  const told = createLru<true>(mostTold);
  const tell = (image: string, cause: FailureCause) => {
    const key = `${cause} ${image}`;
    if (!failed || told.get(key)) return;
    told.set(key, true, toldSeconds, 1);
    failed(image, cause);
  };

  const find: ImageLookup['find'] = async (image, secrets, architecture) => {
    const reference = parseReference(image);
    if (!reference) throw new LookupFailure('invalid-reference');
    const location = locate(reference, config);
    const wanted = { reference, location, architecture: architecture ?? config.architecture };
    const credentials = credentialsFor(secrets, `${location.registry}/${location.repository}`);
    let first: unknown;
    for (const who of identitiesOf(credentials.slice(0, mostCredentials).map(identityOf))) {
      try {
        return await source.find(wanted, who);
      } catch (error) {
        first ??= error;
        if (!(error instanceof LookupFailure) || !failuresOfCredential.has(error.failure)) break;
      }
    }
    throw first;
  };

  return {
    find,
    async answer(questions, { pod, namespace }) {
      const found = new Map<string, ImageAnswer>();
      const open = new Set(questions);
      const secrets = Promise.all(pullSecretNames(pod).map((name) => secretOf(namespace, name)));
      const architecture = architectureOf(pod);
      let late = false;
      const work = questions.map(async (question) => {
        try {
          const readable = (await secrets).filter((secret) => secret !== null);
          const { image, cached } = await find(question.image, readable, architecture);
          if (late) return;
          found.set(question.container, {
            entrypoint: image.details.entrypoint?.slice(),
            cmd: image.details.cmd?.slice(),
            user: image.details.user,
          });
          metrics.lookedUp(cached ? 'cached' : 'fetched');
        } catch (error) {
          const cause = error instanceof LookupFailure ? error.failure : 'bad-answer';
          if (!late) metrics.lookedUp(cause);
          tell(question.image, cause);
        } finally {
          open.delete(question);
        }
      });
      await inTime(Promise.all(work), config.deadlineSeconds * 1000);
      late = true;
      for (const _ of open) metrics.lookedUp('late');
      return found;
    },
    close: () => guarded.close(),
  };
}

/** Each identity once, and nobody in particular last. */
function identitiesOf(identities: readonly Identity[]): readonly Identity[] {
  return [...new Map([...identities, anonymous].map((identity) => [identity.key, identity])).values()];
}

/** Reads each Secret once in a while, whoever asks. */
function rememberingSecrets(
  read: LookupTools['readSecret'],
): (namespace: string, name: string) => Promise<PullSecret | null> {
  if (!read) return async () => null;
  const known = createLru<PullSecret | 'none'>(mostSecretBytes);
  const reading = new Map<string, Promise<PullSecret | null>>();
  return async (namespace, name) => {
    const key = `${namespace}/${name}`;
    const secret = known.get(key);
    if (secret) return secret === 'none' ? null : secret;
    const asked =
      reading.get(key) ??
      read(namespace, name)
        .catch(() => null)
        .then((found) => {
          reading.delete(key);
          known.set(key, found ?? 'none', secretSeconds, 200 + key.length + sizeOf(found));
          return found;
        });
    reading.set(key, asked);
    return await asked;
  };
}

function sizeOf(secret: PullSecret | null): number {
  return [...(secret?.data.values() ?? [])].reduce((sum, value) => sum + value.length, 0);
}

/** Waits for work, but not longer than that. */
async function inTime(work: Promise<unknown>, ms: number): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(() => over.resolve(), ms);
  try {
    await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
