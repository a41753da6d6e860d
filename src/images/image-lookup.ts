import type { ImagesConfig } from '../config/images.ts';
import type { Pod } from '../pod/pod.ts';
import type { ImageAnswer } from '../remedies/image-answer.ts';
import { type FailureCause, failuresOfCredential, LookupFailure } from './failure.ts';
import { createGuardedGet, type GuardedGet } from './guarded-get.ts';
import { anonymous, type Identity, identityOf } from './identity.ts';
import { createImageSource, type Patience, type SourcedImage } from './image-source.ts';
import { locate } from './location.ts';
import { createLru } from './lru.ts';
import { type LookupMetrics, noMetrics } from './metrics.ts';
import { architectureOf } from './pod-images.ts';
import type { SecretsOf } from './pod-secrets.ts';
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
   * Looks up all images of a pod at once, for at most the deadline.
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
  /** Finds what a pod's images are pulled with. Left out, nobody's credentials are used. */
  readonly secretsOf?: SecretsOf;
  readonly metrics?: LookupMetrics;
  /** Hears why an image is not known; of each cause only now and then. */
  readonly failed?: (image: string, cause: FailureCause) => void;
  /** How anything is fetched; left out, by the guards of the configuration. */
  readonly guarded?: GuardedGet;
}

/** A look-up goes on after the pod's deadline, so that the next pod finds it done. */
const ofPods: Patience = { fetchMs: 5_000, waitingPerHost: 64, waitingInAll: 512 };
/** Nobody waits for a single object of many, and how many are looked at together is the caller's affair. */
const ofRuns: Patience = {
  fetchMs: 15_000,
  waitingPerHost: Number.POSITIVE_INFINITY,
  waitingInAll: Number.POSITIVE_INFINITY,
};
/** Longer than any run. */
const runSeconds = 24 * 3600;
const toldSeconds = 600;
const mostTold = 2_000;
/** More credentials for one image than anybody rotates; each may cost a question to its registry. */
const mostCredentials = 8;

/**
 * Makes a look-up for pods that wait, with caches of its own.
 *
 * @param config What is allowed, and for how long things count.
 * @param tools Secrets, metrics and who hears of failures.
 */
export function createImageLookup(config: ImagesConfig, tools: LookupTools = {}): ImageLookup {
  return imageLookup(config, tools, ofPods, config.deadlineSeconds * 1000);
}

/**
 * Makes a look-up for a run over many objects: there is no deadline, and what was found out of an image, or that it failed,
 * holds for the whole run, so that all objects are judged alike.
 *
 * @param config What is allowed.
 * @param tools Secrets, metrics and who hears of failures.
 */
export function createRunLookup(config: ImagesConfig, tools: LookupTools = {}): ImageLookup {
  const cache = { ...config.cache, tagSeconds: runSeconds, failureSeconds: runSeconds };
  return imageLookup({ ...config, cache }, tools, ofRuns, Number.POSITIVE_INFINITY);
}

function imageLookup(
  config: ImagesConfig,
  tools: LookupTools,
  patience: Patience,
  deadlineMs: number,
): ImageLookup {
  const {
    secretsOf = async () => [],
    metrics = noMetrics,
    failed,
    guarded = createGuardedGet(config),
  } = tools;
  const client = createRegistryClient(guarded, config);
  const source = createImageSource({ client, config, metrics, patience });
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
      const secrets = secretsOf(pod, namespace);
      const architecture = architectureOf(pod);
      let late = false;
      const work = questions.map(async (question) => {
        try {
          const { image, cached } = await find(question.image, await secrets, architecture);
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
      await inTime(Promise.all(work), deadlineMs);
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

/** Waits for work, but not longer than that; Infinity for as long as it takes. */
async function inTime(work: Promise<unknown>, ms: number): Promise<void> {
  if (ms === Number.POSITIVE_INFINITY) return void (await work);
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(() => over.resolve(), ms);
  try {
    await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
