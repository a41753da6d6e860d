import { readPod } from '../pod/pod.ts';
import { labelKeys } from '../policy/keys.ts';
import { namespaceNotes } from '../policy/policy.ts';
import { type Decision, decide, ignored, unjudgeable } from './decision.ts';
import type { JudgingTools } from './judging.ts';
import { relabelPreview } from './relabel-preview.ts';
import { type AdmissionRequest, namespaceProblem } from './review.ts';
import { noteWarnings } from './verdict-warnings.ts';
import { formatWarnings } from './warnings.ts';

/**
 * Decides on a Namespace: it is always admitted. Where a label of Gravekeeper changes, its author hears of values that
 * are not known, before the first pod meets them, and what the change means for the pods that are there.
 *
 * @param request The request, its object a Namespace.
 * @param tools What judging its pods takes.
 */
export async function validateNamespace(request: AdmissionRequest, tools: JudgingTools): Promise<Decision> {
  const { operation, namespace, object, oldObject } = request;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return ignored;
  const { labels, lost } = labelsOf(object);
  if (lost) return unjudgeable('the labels of the namespace could not be read');
  const before = labelsOf(oldObject).labels;
  if (Object.values(labelKeys).every((key) => labels.get(key) === before.get(key))) return ignored;
  const mayHavePods = operation === 'UPDATE' && namespaceProblem(namespace) === null;
  return decide({
    warnings: formatWarnings([
      ...noteWarnings(namespaceNotes(labels)),
      ...(mayHavePods ? await relabelPreview(namespace, labels, before, tools) : []),
    ]),
  });
}

/** The metadata of a Namespace is read as that of any object: by the reader of pods. */
function labelsOf(object: unknown): { labels: ReadonlyMap<string, string>; lost: boolean } {
  const { labels, lost } = readPod(object);
  return {
    labels,
    lost: lost.some((at) => at === '' || at === '/metadata' || at.startsWith('/metadata/labels')),
  };
}
