import type { AnswersOf } from '../../audit/judged.ts';
import type { ImagesConfig } from '../../config/images.ts';
import { InputError } from '../../input-error.ts';
import type { ApiServer } from '../../kube/api-server.ts';
import { credentialsOf } from '../option-files.ts';
import type { Progress } from './progress.ts';

/** Whether and how registries are asked. */
export interface LookupOptions {
  readonly resolveImages?: true;
  readonly dockerConfig?: string;
  /** Only of a cluster. */
  readonly pullSecrets?: true;
}

/** Where it is asked, and how it is told. */
interface Surroundings {
  /** What is allowed. */
  readonly images: ImagesConfig;
  readonly progress: Progress;
  /** The cluster that is audited; null where files are. */
  readonly api: ApiServer | null;
}

/**
 * Does something that may ask registries, and tells on standard error what they could not say.
 *
 * @param options Whether and how they are asked.
 * @param run What is done; it gets nothing to ask with where nobody is to be asked.
 * @throws {InputError} if options contradict one another, or a file cannot be read.
 */
export async function withImages<Outcome>(
  options: LookupOptions,
  { images, progress, api }: Surroundings,
  run: (answersOf: AnswersOf | undefined) => Promise<Outcome>,
): Promise<Outcome> {
  checkOptions(options, api);
  try {
    if (!options.resolveImages) return await run(undefined);
    // Loaded only where it is wanted: it takes memory and time at the start.
    const { openRunAnswers } = await import('./image-answers.ts');
    const answers = openRunAnswers(images, {
      credentials: credentialsOf(options.dockerConfig),
      cluster: options.pullSecrets ? api : null,
      progress,
    });
    try {
      const outcome = await run(answers.answersOf);
      for (const line of answers.problems()) process.stderr.write(`${line}\n`);
      return outcome;
    } finally {
      answers.close();
    }
  } finally {
    progress.clear();
  }
}

function checkOptions(
  { resolveImages, pullSecrets, dockerConfig }: LookupOptions,
  api: ApiServer | null,
): void {
  const needing = pullSecrets ? '--pull-secrets' : dockerConfig === undefined ? null : '--docker-config';
  if (needing && !resolveImages) throw new InputError(`${needing} is of use only with --resolve-images`);
  if (pullSecrets && !api) {
    throw new InputError(
      '--pull-secrets are read from a cluster: audit one with --cluster, or use --docker-config',
    );
  }
}
