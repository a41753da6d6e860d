import { isJsonObject } from '../pod/json.ts';
import { readPod } from '../pod/pod.ts';
import { auditAnnotations } from './audit-annotations.ts';
import { type Decision, decide, ignored, unjudgeable } from './decision.ts';
import { type JudgingTools, judgePod } from './judging.ts';
import type { Entry } from './namespace-labels.ts';
import { type AdmissionRequest, maySpeakForNodes, namespaceProblem } from './review.ts';
import { noteWarnings, remedyWarnings } from './verdict-warnings.ts';
import { formatWarnings } from './warnings.ts';

/**
 * Decides on a call of `/mutate`: how a pod is changed when it is created. Anything else that arrives is admitted
 * unjudged, since what keeps a pod from zombies cannot be changed once it exists.
 *
 * @param request The request.
 * @param entry The entry that called.
 * @param tools What judging takes.
 */
export async function mutate(
  request: AdmissionRequest,
  entry: Entry | null,
  tools: JudgingTools,
): Promise<Decision> {
  const { kind, operation, subResource, namespace, object } = request;
  if (kind.kind !== 'Pod' || kind.group !== '' || operation !== 'CREATE' || subResource !== '')
    return ignored;
  const problem = namespaceProblem(namespace);
  if (problem) return unjudgeable(problem);
  if (!isJsonObject(object)) return unjudgeable('/request/object is not an object');

  const pod = readPod(object, { trustMirrorAnnotation: maySpeakForNodes(request) });
  const { policy, verdict } = await judgePod(pod, { namespace, entry }, () => 'nothing', tools);
  const { remedy, patch } = verdict;
  const { dryRun } = policy;
  return decide({
    patch: dryRun ? [] : patch,
    warnings: formatWarnings([
      ...remedyWarnings(remedy, dryRun),
      // The author of a pod that nobody asked to inject hears of labels from /validate.
      ...(policy.skipped === 'not-opted-in' ? [] : noteWarnings([...policy.notes, ...remedy.notes])),
    ]),
    auditAnnotations: auditAnnotations({ remedy, findings: [], refused: [], dryRun }),
    remedy,
    dryRun,
  });
}
