import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:https';
import { isJsonObject, type JsonObject } from '../../pod/json.ts';

/** What the demo asks the webhook. */
export interface Question {
  readonly webhook: 'mutate' | 'validate';
  readonly operation: 'CREATE' | 'UPDATE';
  readonly namespace: string;
  /** The object, with `apiVersion` and `kind`. */
  readonly object: JsonObject;
}

/** What the webhook answered, decoded. */
export interface Answer {
  readonly allowed: boolean;
  readonly patch: readonly JsonObject[];
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** A connection to a webhook, as the API server keeps one. */
export interface Client {
  ask(question: Question): Promise<Answer>;
  close(): void;
}

/**
 * Connects to a webhook on this machine over HTTPS and keep-alive.
 *
 * @param port Its port on 127.0.0.1.
 * @param ca The CA that its certificate is checked against, PEM.
 */
export function connect(port: number, ca: string): Client {
  const agent = new Agent({ ca, keepAlive: true, maxSockets: 1 });
  return {
    ask: async (question) => answerOf(await post(port, agent, question.webhook, reviewOf(question))),
    close: () => agent.destroy(),
  };
}

/** Writes an AdmissionReview (admission.k8s.io/v1) as the API server sends it. */
function reviewOf({ operation, namespace, object }: Question): JsonObject {
  const [group, version] = splitApiVersion(String(object.apiVersion));
  const kind = String(object.kind);
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  const groupVersionKind = { group, version, kind };
  const resource = { group, version, resource: `${kind.toLowerCase()}s` };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: randomUUID(),
      kind: groupVersionKind,
      resource,
      requestKind: groupVersionKind,
      requestResource: resource,
      ...(metadata.name === undefined ? {} : { name: metadata.name }),
      namespace,
      operation,
      userInfo: { username: 'demo', groups: ['system:authenticated'] },
      object,
      oldObject: null,
      dryRun: false,
      options: {
        apiVersion: 'meta.k8s.io/v1',
        kind: `${operation[0]}${operation.slice(1).toLowerCase()}Options`,
      },
    },
  };
}

function splitApiVersion(apiVersion: string): [string, string] {
  const [first = '', second] = apiVersion.split('/');
  return second === undefined ? ['', first] : [first, second];
}

function post(port: number, agent: Agent, webhook: string, review: JsonObject): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port,
        path: `/${webhook}`,
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`the webhook answered ${response.statusCode}: ${text}`));
        });
      },
    );
    call.on('error', reject);
    call.end(JSON.stringify(review));
  });
}

function answerOf(review: unknown): Answer {
  const response = isJsonObject(review) && isJsonObject(review.response) ? review.response : null;
  if (!response) throw new Error('the webhook answered with no AdmissionReview');
  const patch: unknown =
    typeof response.patch === 'string' ? JSON.parse(Buffer.from(response.patch, 'base64').toString()) : [];
  const warnings: readonly unknown[] = Array.isArray(response.warnings) ? response.warnings : [];
  return {
    allowed: response.allowed === true,
    patch: Array.isArray(patch) ? patch.filter(isJsonObject) : [],
    warnings: warnings.map(String),
    auditAnnotations: Object.fromEntries(
      Object.entries(isJsonObject(response.auditAnnotations) ? response.auditAnnotations : {}).map(
        ([key, value]) => [key, String(value)],
      ),
    ),
  };
}
