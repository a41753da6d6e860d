import { isJsonObject } from '../pod/json.ts';
import type { Decision } from './decision.ts';
import type { Webhook } from './metrics.ts';
import type { Entry } from './namespace-labels.ts';
import type { AdmissionRequest } from './review.ts';
import { cut, harmless } from './text.ts';

/** The most characters of a stranger's string in a line of the log. */
const longestField = 253;

/** What the log says of one review, besides level, time and message. */
interface ReviewLine {
  readonly uid: string;
  readonly webhook: Webhook;
  readonly entry: Entry | null;
  readonly operation: string;
  /** `Deployment.apps`, `Pod`. */
  readonly kind: string;
  readonly namespace: string;
  /** Absent while the API server has yet to make one up. */
  readonly name?: string;
  readonly generateName?: string;
  /** The controller, as `ReplicaSet/web-6d5f`. */
  readonly owner?: string;
  readonly outcome: Decision['outcome'];
  /** Absent where no remedy was part of the decision; null for none. */
  readonly remedy?: string | null;
  readonly reason?: string;
  readonly findings: number;
  readonly dryRun: boolean;
  readonly durationMs: number;
}

/**
 * Makes the log's line on a review.
 *
 * @param request What was asked.
 * @param decision What was decided.
 * @param call Which webhook was called, by which entry, and how long it took in seconds.
 */
export function reviewLine(
  request: AdmissionRequest,
  decision: Decision,
  call: { readonly webhook: Webhook; readonly entry: Entry | null; readonly seconds: number },
): ReviewLine {
  const { kind } = request;
  return {
    uid: shown(request.uid),
    webhook: call.webhook,
    entry: call.entry,
    operation: shown(request.operation),
    kind: shown(kind.group ? `${kind.kind}.${kind.group}` : kind.kind),
    namespace: shown(request.namespace),
    ...names(request),
    outcome: decision.outcome,
    ...(decision.remedy ? { remedy: decision.remedy.kind, reason: decision.remedy.reason } : {}),
    findings: decision.findings.length,
    dryRun: decision.dryRun,
    durationMs: Math.round(call.seconds * 1e6) / 1e3,
  };
}

/** Pods of controllers have no name yet: what they will be called after, and whose they are, stands in for it. */
function names({ name, object }: AdmissionRequest): Pick<ReviewLine, 'name' | 'generateName' | 'owner'> {
  const metadata = isJsonObject(object) && isJsonObject(object.metadata) ? object.metadata : {};
  const { generateName, ownerReferences } = metadata;
  const owner = Array.isArray(ownerReferences)
    ? ownerReferences.filter(isJsonObject).find(({ controller }) => controller === true)
    : undefined;
  const { kind, name: ownerName } = owner ?? {};
  return {
    ...(name ? { name: shown(name) } : {}),
    ...(!name && typeof generateName === 'string' ? { generateName: shown(generateName) } : {}),
    ...(typeof kind === 'string' && typeof ownerName === 'string'
      ? { owner: shown(`${kind}/${ownerName}`) }
      : {}),
  };
}

function shown(text: string): string {
  return cut(harmless(text), longestField);
}
