import { type AnswersOf, noAnswers, questionsOf } from '../../audit/judged.ts';
import type { ImagesConfig } from '../../config/images.ts';
import { type FailureCause, failureText } from '../../images/failure.ts';
import { createRunLookup } from '../../images/image-lookup.ts';
import { createLimiter } from '../../images/limiter.ts';
import type { SecretsOf } from '../../images/pod-secrets.ts';
import type { PullSecret } from '../../images/pull-secrets.ts';
import { type ApiServer, describeError } from '../../kube/api-server.ts';
import { escapeText } from '../../terminal.ts';
import { clusterSecrets } from '../cluster-secrets.ts';
import type { Progress } from './progress.ts';

/** What a run over many objects finds out of images. */
export interface RunAnswers {
  readonly answersOf: AnswersOf;
  /** What could not be found out, and why; a line each, safe to show. */
  problems(): readonly string[];
  close(): void;
}

/** Objects that are looked at together; registries have limits of their own. */
const objectsAtOnce = 64;
const mostImagesShown = 10;
const longestImageShown = 200;

/** What asking takes besides what is allowed. */
interface RunAnswersParts {
  /** What the user gave. */
  readonly credentials: readonly PullSecret[];
  /** Where the pull secrets of pods are read; null for nowhere. */
  readonly cluster: ApiServer | null;
  /** Where it is said how far it has come. */
  readonly progress: Progress;
}

/**
 * Opens what asks registries for a run over many objects.
 *
 * @param images What is allowed.
 */
export function openRunAnswers(
  images: ImagesConfig,
  { credentials, cluster, progress }: RunAnswersParts,
): RunAnswers {
  const asked = new Set<string>();
  const failed = new Map<FailureCause, Set<string>>();
  const unread: string[] = [];
  let fetches = 0;
  const lookup = createRunLookup(images, {
    secretsOf: secretsFrom(credentials, cluster, (error) => unread.push(describeError(error))),
    failed: (image, cause) => failed.set(cause, (failed.get(cause) ?? new Set()).add(image)),
    metrics: {
      lookedUp() {},
      fetched() {
        fetches += 1;
        progress.show('images', `look-ups of images: ${fetches}`);
      },
    },
  });
  const limiter = createLimiter({
    perKey: objectsAtOnce,
    inAll: objectsAtOnce,
    waitingPerKey: Number.POSITIVE_INFINITY,
    waitingInAll: Number.POSITIVE_INFINITY,
  });
  return {
    async answersOf(value, context) {
      const about = questionsOf(value, context);
      if (!about) return noAnswers;
      for (const { image } of about.questions) asked.add(image);
      return await limiter.run('', () => lookup.answer(about.questions, about));
    },
    problems: () => [
      ...(asked.size === 0 ? [nothingAsked] : []),
      ...failureLines(asked.size, failed),
      ...(unread.length === 0 ? [] : [unreadLine(unread)]),
    ],
    close: () => lookup.close(),
  };
}

const nothingAsked =
  'no image was looked up: of the pods that opted in, none leaves to its image what it starts';
/** Finds what to ask with: what pods name in the cluster, and what the user gave. */
function secretsFrom(
  given: readonly PullSecret[],
  cluster: ApiServer | null,
  unread: (error: unknown) => void,
): SecretsOf {
  if (!cluster) return async () => given;
  const ofPods = clusterSecrets(cluster, Number.POSITIVE_INFINITY, (_, error) => unread(error));
  return async (pod, namespace) => [...(await ofPods(pod, namespace)), ...given];
}

function failureLines(
  asked: number,
  failed: ReadonlyMap<FailureCause, ReadonlySet<string>>,
): readonly string[] {
  if (failed.size === 0) return [];
  const byCause = [...failed].sort(
    ([one, its], [other, others]) => others.size - its.size || (one < other ? -1 : 1),
  );
  const count = new Set([...failed.values()].flatMap((images) => [...images])).size;
  return [
    `${count} of ${asked} ${asked === 1 ? 'image' : 'images'} could not be looked up; what they start stays unknown:`,
    ...byCause.flatMap(([cause, images]) => [
      `  ${cause}: ${failureText(cause)}`,
      ...[...images]
        .sort()
        .slice(0, mostImagesShown)
        .map((image) => `    ${shown(image)}`),
      ...(images.size > mostImagesShown ? [`    and ${images.size - mostImagesShown} more`] : []),
    ]),
  ];
}

function unreadLine(unread: readonly string[]): string {
  const what =
    unread.length === 1
      ? '1 pull secret or service account'
      : `${unread.length} pull secrets or service accounts`;
  return `${what} could not be read, and images were looked up without: ${escapeText(unread[0] ?? '')}`;
}

function shown(image: string): string {
  const text = escapeText(image.slice(0, longestImageShown));
  return image.length > longestImageShown ? `${text}…` : text;
}
