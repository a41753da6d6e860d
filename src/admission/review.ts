import * as z from 'zod';
import { guardOf } from '../pod/guard.ts';
import { isJsonObject, type JsonObject } from '../pod/json.ts';
import { pointer } from '../pod/pointer.ts';
import type { GroupKind } from '../pod/templates.ts';
import type { Operation } from '../remedies/remedy.ts';
import { harmless } from './text.ts';

/** What the API server says of the object and of the one who asked, as far as this program needs it. */
export interface AdmissionRequest {
  /** Opaque: whatever the caller chose. */
  readonly uid: string;
  readonly kind: GroupKind;
  /** `CREATE`, `UPDATE`, `DELETE` or `CONNECT`. */
  readonly operation: string;
  readonly subResource: string;
  /** Namespace of the object; its own name for a Namespace, empty for what is in none. */
  readonly namespace: string;
  /** Empty while the API server has yet to make one up from `generateName`. */
  readonly name: string;
  /** Groups of the user; empty where they could not be read, so that nobody is trusted by mistake. */
  readonly groups: readonly string[];
  /** Whether nothing of it will be stored: `kubectl --dry-run=server`. */
  readonly dryRun: boolean;
  /** The object, untouched; null on DELETE. */
  readonly object: unknown;
  /** The object before; null on CREATE. */
  readonly oldObject: unknown;
  /** JSON Pointers into the review of fields without which it cannot be judged, and that could not be read. */
  readonly unreadable: readonly string[];
}

/** Why a body is no review that could be answered; the text is for whoever sent it. */
interface ReviewProblem {
  readonly problem: string;
}

const needed = {
  kind: z.object({ group: z.string().nullish(), kind: z.string() }),
  operation: z.string(),
  namespace: z.string().nullish(),
  subResource: z.string().nullish(),
};
const informative = {
  name: z.string().nullish(),
  dryRun: z.boolean().nullish(),
  userInfo: z.object({ groups: z.array(z.string()).nullish() }).nullish(),
};
const neededSchema = z.object(needed);
const informativeSchema = z.object({
  name: informative.name.catch(null),
  dryRun: informative.dryRun.catch(null),
  userInfo: informative.userInfo.catch(null),
});
const isWellTyped = guardOf(z.object({ ...needed, ...informative }));

/**
 * Reads the body of a request to the webhook.
 *
 * @param body Parsed JSON of any shape.
 * @returns The request of an AdmissionReview; or a problem, where there is no uid to answer to. A request that has
 *   one is always returned, what could not be read of it listed in `unreadable`.
 */
export function readReview(body: unknown): AdmissionRequest | ReviewProblem {
  const found = requestIn(body);
  if ('problem' in found) return found;
  const { request, uid } = found;
  const { object = null, oldObject = null } = request;
  if (isWellTyped(request)) {
    return { uid, ...neededOf(request), ...informativeOf(request), object, oldObject, unreadable: [] };
  }
  const outcome = neededSchema.safeParse(request);
  const unreadable = outcome.error?.issues.map((issue) => pointer('/request', ...issue.path.map(String)));
  return {
    uid,
    ...neededOf(outcome.data ?? { kind: { kind: '' }, operation: '' }),
    ...informativeOf(informativeSchema.parse(request)),
    object,
    oldObject,
    unreadable: unreadable ?? [],
  };
}

function neededOf({ kind, operation, namespace, subResource }: z.infer<typeof neededSchema>) {
  return {
    kind: { group: kind.group ?? '', kind: kind.kind },
    operation,
    namespace: namespace ?? '',
    subResource: subResource ?? '',
  };
}

function informativeOf({ name, dryRun, userInfo }: z.infer<typeof informativeSchema>) {
  return { name: name ?? '', groups: userInfo?.groups ?? [], dryRun: dryRun === true };
}

/** The request of a review that can be answered, since it has a uid. */
function requestIn(body: unknown): { readonly request: JsonObject; readonly uid: string } | ReviewProblem {
  const expected = 'expected an AdmissionReview of admission.k8s.io/v1';
  if (!isJsonObject(body)) return { problem: `the body is ${typeOf(body)}; ${expected}, a JSON object` };
  const { kind, apiVersion, request } = body;
  if (kind !== 'AdmissionReview') return { problem: `kind is ${shown(kind)}; ${expected}` };
  if (apiVersion !== 'admission.k8s.io/v1')
    return { problem: `apiVersion is ${shown(apiVersion)}; ${expected}` };
  if (!isJsonObject(request))
    return { problem: `request is ${typeOf(request)}; expected the object that the API server asks about` };
  const { uid } = request;
  if (typeof uid !== 'string' || uid === '')
    return { problem: `request.uid is ${shown(uid)}; expected a string that is not empty, to answer to` };
  return { request, uid };
}

function typeOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(harmless(value.slice(0, 60))) : typeOf(value);
}

/** Whether what a request says of mirror pods may be believed: only the kubelets make them. */
export function maySpeakForNodes({ groups }: AdmissionRequest): boolean {
  return groups.includes('system:nodes');
}

/** What is answered to a review, but for the uid. */
export interface Answer {
  /** Why the object is refused; null where it is admitted. */
  readonly refusal: string | null;
  readonly warnings: readonly string[];
  /** By key, as `auditAnnotations` of this folder makes them. */
  readonly auditAnnotations: Readonly<Record<string, string>>;
  /** The change to the object; empty for none. */
  readonly patch: readonly Operation[];
}

/**
 * Writes the AdmissionReview that answers a request.
 *
 * @param uid The request's uid.
 * @param answer What was decided.
 */
export function reviewResponse(uid: string, answer: Answer): object {
  const { refusal, warnings, auditAnnotations, patch } = answer;
  const isPatched = patch.length > 0;
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    // What is undefined is left out of the JSON.
    response: {
      uid,
      allowed: refusal === null,
      status: refusal === null ? undefined : { code: 403, reason: 'Forbidden', message: refusal },
      patchType: isPatched ? 'JSONPatch' : undefined,
      patch: isPatched ? Buffer.from(JSON.stringify(patch)).toString('base64') : undefined,
      warnings: warnings.length === 0 ? undefined : warnings,
      auditAnnotations: Object.keys(auditAnnotations).length === 0 ? undefined : auditAnnotations,
    },
  };
}

/**
 * Why a review's namespace cannot be one (RFC 1123 label), or null. Only names that can be are asked of the API server.
 *
 * @param name `request.namespace`; empty where it is missing.
 */
export function namespaceProblem(name: string): string | null {
  if (name === '') return '/request/namespace is missing';
  const isName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name);
  return isName ? null : '/request/namespace is not the name of a namespace';
}
