import { type Config, type ImageArgv, isExempt } from '../config/config.ts';
import type { Pod } from '../pod/pod.ts';
import type { Reason } from '../reasons.ts';
import { argvAnnotation, ignoreAnnotation, skipContainersAnnotation } from './annotations.ts';
import { annotationKeys, labelKeys, labelMeanings, probeModes, strategies } from './keys.ts';
import type { Note } from './note.ts';

/** How a remedy is chosen. */
export type Strategy = (typeof strategies)[number];

/** What holds for one pod: labels of its namespace and its own, annotations and configuration taken together. */
export interface Policy {
  /** The strategy, or null where nothing may be injected; then `skipped` says why. */
  readonly strategy: Strategy | null;
  /** Why nothing may be injected. */
  readonly skipped: Extract<
    Reason,
    'not-opted-in' | 'opted-out' | 'exempt-namespace' | 'pod-opt-in-forbidden'
  > | null;
  /** What happens to findings; null where the namespace has not opted in to probe checks. */
  readonly probes: (typeof probeModes)[number] | null;
  readonly dryRun: boolean;
  /** Containers that the pod's annotation spares. */
  readonly skipContainers: ReadonlySet<string>;
  /** ENTRYPOINT and CMD by container name, from the pod's annotation. */
  readonly argv: ReadonlyMap<string, ImageArgv>;
  /** Rules that the pod's annotation switches off, with the author's grounds. */
  readonly ignoredRules: ReadonlyMap<string, string>;
  /** Invalid labels and malformed annotations. */
  readonly notes: readonly Note[];
  readonly config: Config;
}

/** What decides the policy of a pod, besides the pod itself. */
export interface PolicyContext {
  /** Name of the namespace that the pod is or will be in. */
  readonly namespace: string;
  readonly namespaceLabels: ReadonlyMap<string, string>;
  readonly config: Config;
}

/**
 * Takes the labels of a namespace, the labels and annotations of a pod, and the configuration together.
 *
 * @param pod The pod, read. Its label gravekeeper.dev/inject stands for the namespace's, in both directions.
 * @param context Its namespace and the configuration.
 * @returns The policy. An invalid label has its most careful meaning and leaves a note; so does an annotation
 *   that cannot be read, which is ignored.
 */
export function policyOf(pod: Pod, context: PolicyContext): Policy {
  const { namespace, namespaceLabels, config } = context;
  const ofNamespace = injectLabel(namespaceLabels.get(labelKeys.inject));
  const ofPod = injectLabel(pod.labels.get(labelKeys.inject));
  const optsItselfIn = ofPod.strategy !== null && ofNamespace.strategy === null;
  const forbidden = optsItselfIn && !config.allowPodOptIn;
  const inject = ofPod.value === undefined || forbidden ? ofNamespace : ofPod;
  const exempt = isExempt(namespace, config);

  const skipped =
    exempt && (inject.strategy !== null || optsItselfIn)
      ? 'exempt-namespace'
      : forbidden
        ? 'pod-opt-in-forbidden'
        : inject.value === undefined
          ? 'not-opted-in'
          : inject.strategy === null
            ? 'opted-out'
            : null;
  const strategy = skipped === null ? inject.strategy : null;
  const probes = exempt
    ? null
    : probesOf(namespaceLabels.get(labelKeys.probes), ofNamespace.strategy, strategy, config);
  const dryRun = dryRunOf(namespaceLabels.get(labelKeys.dryRun), config);
  const optedIn = strategy !== null || probes !== null;
  const annotation = {
    skipContainers: skipContainersAnnotation(pod, pod.annotations.get(annotationKeys.skipContainers)),
    argv: argvAnnotation(pod, pod.annotations.get(annotationKeys.argv)),
    ignore: ignoreAnnotation(pod.annotations.get(annotationKeys.ignore)),
  };
  return {
    strategy,
    skipped,
    probes,
    dryRun,
    skipContainers: annotation.skipContainers.value,
    argv: annotation.argv.value,
    ignoredRules: annotation.ignore.value,
    notes: exempt
      ? []
      : [
          ...namespaceNotes(namespaceLabels),
          ...invalidLabel('inject', ofPod.value, 'the pod'),
          ...(optedIn
            ? [...annotation.skipContainers.notes, ...annotation.argv.notes, ...annotation.ignore.notes]
            : []),
        ],
    config,
  };
}

/**
 * The notes on a namespace's own labels: one for each label of Gravekeeper whose value it does not know.
 *
 * @param labels The namespace's labels.
 */
export function namespaceNotes(labels: ReadonlyMap<string, string>): readonly Note[] {
  return (['inject', 'probes', 'dryRun'] as const).flatMap((label) =>
    invalidLabel(label, labels.get(labelKeys[label]), 'the namespace'),
  );
}

function injectLabel(value: string | undefined): { value: string | undefined; strategy: Strategy | null } {
  return { value, strategy: strategies.find((strategy) => strategy === value) ?? null };
}

/**
 * What happens to findings. A pod's own label opts it in to warnings, but not out of what its namespace asks for:
 * else anyone could escape `deny` with a label.
 */
function probesOf(
  label: string | undefined,
  ofNamespace: Strategy | null,
  effective: Strategy | null,
  config: Config,
): Policy['probes'] {
  if (label !== undefined) return probeModes.find((mode) => mode === label) ?? 'warn';
  if (ofNamespace !== null) return config.defaults.probes;
  return effective === null ? null : 'warn';
}

function dryRunOf(label: string | undefined, config: Config): boolean {
  return label === undefined ? config.defaults.dryRun : label !== 'false';
}

function invalidLabel(
  label: keyof typeof labelKeys,
  value: string | undefined,
  where: string,
): readonly Note[] {
  const allowed = labelMeanings[label].values;
  if (value === undefined || allowed.includes(value)) return [];
  const detail = `${labelKeys[label]}=${JSON.stringify(value)} of ${where} is none of ${allowed.join(', ')}`;
  return [{ reason: 'invalid-label', container: null, detail }];
}
