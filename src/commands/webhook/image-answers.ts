import type { JudgingTools } from '../../admission/judging.ts';
import type { Log } from '../../admission/log.ts';
import type { Metrics } from '../../admission/metrics.ts';
import type { Config } from '../../config/config.ts';
import type { ImagesConfig } from '../../config/images.ts';
import { createImageLookup, type ImageLookup, type LookupTools } from '../../images/image-lookup.ts';
import { createLookupMetrics } from '../../images/metrics.ts';
import type { SecretsOf } from '../../images/pod-secrets.ts';
import { InputError } from '../../input-error.ts';
import { openApiServer } from '../../kube/open-api-server.ts';
import { clusterSecrets } from '../cluster-secrets.ts';
import type { LiveFile } from './live-file.ts';

/** Answers what the specification of a pod does not tell, by asking registries. */
export interface ImageAnswers {
  readonly answer: JudgingTools['answer'];
  close(): void;
}

/** Whom to ask, and who hears of it. */
interface ImageAnswersParts {
  readonly config: LiveFile<Config>;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The cluster to read pull secrets from; left out, none are read. */
  readonly secretsFrom?: { readonly kubeconfig: string | undefined };
}

/** How long a Secret or a service account counts: a change is noticed so soon. */
const secretSeconds = 30;

/**
 * Opens the look-up of images, with caches that last until what the configuration says of it changes.
 *
 * @throws {InputError} if there is no cluster to read pull secrets from.
 */
export async function openImageAnswers(parts: ImageAnswersParts): Promise<ImageAnswers> {
  const { config, log } = parts;
  const tools: LookupTools = {
    metrics: createLookupMetrics(parts.metrics.registry),
    failed: (image, cause) => log.info({ image, cause }, 'an image could not be looked up'),
    ...(parts.secretsFrom ? { secretsOf: await openSecrets(parts.secretsFrom.kubeconfig, log) } : {}),
  };
  const start = (images: ImagesConfig) => ({
    images,
    text: JSON.stringify(images),
    lookup: createImageLookup(images, tools),
  });
  let current = start(config.current.images);
  const lookup = (): ImageLookup => {
    const { images } = config.current;
    if (images !== current.images && JSON.stringify(images) !== current.text) {
      current.lookup.close();
      current = start(images);
    }
    return current.lookup;
  };
  return {
    answer: (questions, about) => lookup().answer(questions, about),
    close: () => current.lookup.close(),
  };
}

async function openSecrets(kubeconfig: string | undefined, log: Log): Promise<SecretsOf> {
  const api = await openApiServer(kubeconfig);
  if (!api) {
    throw new InputError(
      '--pull-secrets needs a cluster to read them from: this is no pod with a service account, and neither --kubeconfig nor KUBECONFIG is given',
    );
  }
  return clusterSecrets(api, secretSeconds, (unread, error) =>
    log.warn({ ...unread, err: error }, 'a pull secret could not be read'),
  );
}
