import { readPod } from '../pod/pod.ts';
import { labelKeys } from '../policy/keys.ts';
import { namespaceNotes } from '../policy/policy.ts';
import { type Decision, decide, ignored, unjudgeable } from './decision.ts';
import type { AdmissionRequest } from './review.ts';
import { noteWarnings } from './verdict-warnings.ts';
import { formatWarnings } from './warnings.ts';

/**
 * Decides on a Namespace: it is always admitted. Where a label of Gravekeeper changes, its author hears of values that
 * are not known, before the first pod meets them.
 *
 * @param request The request, its object a Namespace.
 */
export function validateNamespace({ operation, object, oldObject }: AdmissionRequest): Decision {
  if (operation !== 'CREATE' && operation !== 'UPDATE') return ignored;
  const { labels, lost } = labelsOf(object);
  if (lost) return unjudgeable('the labels of the namespace could not be read');
  const before = labelsOf(oldObject).labels;
  const changed = Object.values(labelKeys).some((key) => labels.get(key) !== before.get(key));
  return changed ? decide({ warnings: formatWarnings(noteWarnings(namespaceNotes(labels))) }) : ignored;
}

/** The metadata of a Namespace is read as that of any object: by the reader of pods. */
function labelsOf(object: unknown): { labels: ReadonlyMap<string, string>; lost: boolean } {
  const { labels, lost } = readPod(object);
  return {
    labels,
    lost: lost.some((at) => at === '' || at === '/metadata' || at.startsWith('/metadata/labels')),
  };
}
