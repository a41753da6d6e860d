import { Agent, type RequestOptions, request } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';

/** Any object of the API; narrower types are those of client-node. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly generateName?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** What the API server answered. */
export interface Answer<T> {
  readonly status: number;
  readonly body: T;
  /** The texts of the warnings, such as kubectl shows. */
  readonly warnings: readonly string[];
  readonly ms: number;
}

/** Where the objects of a kind are. */
const kinds: Readonly<Record<string, readonly [prefix: string, plural: string]>> = {
  Pod: ['/api/v1', 'pods'],
  Namespace: ['/api/v1', 'namespaces'],
  ConfigMap: ['/api/v1', 'configmaps'],
  Secret: ['/api/v1', 'secrets'],
  Service: ['/api/v1', 'services'],
  ServiceAccount: ['/api/v1', 'serviceaccounts'],
  ResourceQuota: ['/api/v1', 'resourcequotas'],
  LimitRange: ['/api/v1', 'limitranges'],
  PodTemplate: ['/api/v1', 'podtemplates'],
  ReplicationController: ['/api/v1', 'replicationcontrollers'],
  Deployment: ['/apis/apps/v1', 'deployments'],
  ReplicaSet: ['/apis/apps/v1', 'replicasets'],
  StatefulSet: ['/apis/apps/v1', 'statefulsets'],
  DaemonSet: ['/apis/apps/v1', 'daemonsets'],
  Job: ['/apis/batch/v1', 'jobs'],
  CronJob: ['/apis/batch/v1', 'cronjobs'],
  RuntimeClass: ['/apis/node.k8s.io/v1', 'runtimeclasses'],
  MutatingWebhookConfiguration: ['/apis/admissionregistration.k8s.io/v1', 'mutatingwebhookconfigurations'],
  ValidatingWebhookConfiguration: [
    '/apis/admissionregistration.k8s.io/v1',
    'validatingwebhookconfigurations',
  ],
};

const clusterWide = new Set([
  'Namespace',
  'RuntimeClass',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
]);

const agent = { maxSockets: 64, keepAlive: true };
let connection: Promise<RequestOptions & { server: URL }> | null = null;

async function connect(): Promise<RequestOptions & { server: URL }> {
  const config = new KubeConfig();
  config.loadFromDefault();
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, rejectUnauthorized, servername } = options;
  const tls = Object.fromEntries(
    Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  return {
    ...options,
    agent: new Agent({ ...agent, ...tls }),
    server: new URL(config.getCurrentCluster()?.server ?? ''),
  };
}

/**
 * Asks the API server of the kubeconfig in KUBECONFIG.
 *
 * @returns Whatever it answers, refusals too; a body that is no JSON as text.
 * @throws if it does not answer.
 */
export async function ask<T = KubeObject>(
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer<T>> {
  connection ??= connect();
  const { server, headers: own, ...options } = await connection;
  const text = body === undefined ? '' : JSON.stringify(body);
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(path, server),
      {
        ...options,
        method,
        headers: {
          ...(own as Record<string, string>),
          ...(text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {}),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            body: parse(Buffer.concat(chunks).toString()),
            warnings: warningsOf(response.rawHeaders),
            ms: performance.now() - begin,
          });
        });
      },
    );
    call.on('error', reject);
    call.end(text);
  });
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text);
  } catch {
    return text as T;
  }
}

/** The texts of headers `Warning: 299 - "text"`. */
function warningsOf(rawHeaders: readonly string[]): string[] {
  return rawHeaders.flatMap((name, index) => {
    if (index % 2 === 1 || name.toLowerCase() !== 'warning') return [];
    return [...(rawHeaders[index + 1] ?? '').matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
      text.replace(/\\(.)/g, '$1'),
    );
  });
}

/** Where the objects of a kind are in a namespace. */
export function folderOf(kind: string, namespace = 'default'): string {
  const [prefix, plural] = kinds[kind] ?? [];
  if (prefix === undefined) throw new Error(`nobody has said where ${kind} is in the API`);
  return clusterWide.has(kind) ? `${prefix}/${plural}` : `${prefix}/namespaces/${namespace}/${plural}`;
}

const pathOf = (kind: string, name: string, namespace?: string): string =>
  `${folderOf(kind, namespace)}/${name}`;

function check<T>(answer: Answer<T>, what: string): Answer<T> {
  if (answer.status >= 200 && answer.status < 300) return answer;
  const { message } = answer.body as { message?: string };
  throw new Error(`${what}: ${answer.status} ${message ?? JSON.stringify(answer.body)}`);
}

/** Asks for an object to be created, and answers whatever comes of it. */
export function tryCreate<T extends KubeObject>(object: T, query = ''): Promise<Answer<T>> {
  const { kind = '', metadata } = object;
  return ask('POST', `${folderOf(kind, metadata?.namespace)}${query}`, object);
}

/** Creates an object; throws if it is refused. */
export async function create<T extends KubeObject>(object: T, query = ''): Promise<Answer<T>> {
  const { kind, metadata } = object;
  return check(await tryCreate(object, query), `create ${kind} ${metadata?.namespace}/${metadata?.name}`);
}

/** Reads an object; throws if it is not there. */
export async function get<T = KubeObject>(kind: string, name: string, namespace?: string): Promise<T> {
  const path = pathOf(kind, name, namespace);
  return check(await ask<T>('GET', path), path).body;
}

/** Lists the objects of a kind in a namespace. */
export async function list<T = KubeObject>(
  kind: string,
  namespace?: string,
  selector = '',
): Promise<readonly T[]> {
  const path = `${folderOf(kind, namespace)}?labelSelector=${encodeURIComponent(selector)}`;
  return check(await ask<{ items: T[] }>('GET', path), path).body.items;
}

/** Asks for a merge patch, and answers whatever comes of it. */
export function tryPatch<T = KubeObject>(
  kind: string,
  name: string,
  namespace: string | undefined,
  patch: object,
  query = '',
): Promise<Answer<T>> {
  const headers = { 'content-type': 'application/merge-patch+json' };
  return ask('PATCH', `${pathOf(kind, name, namespace)}${query}`, patch, headers);
}

/** Applies a merge patch; throws if it is refused. */
export async function patch<T = KubeObject>(
  kind: string,
  name: string,
  namespace: string | undefined,
  change: object,
): Promise<Answer<T>> {
  return check(await tryPatch<T>(kind, name, namespace, change), `patch ${kind} ${namespace}/${name}`);
}

/** Deletes an object, if it is there. */
export async function remove(kind: string, name: string, namespace?: string, query = ''): Promise<void> {
  const path = pathOf(kind, name, namespace);
  const answer = await ask('DELETE', `${path}${query}`);
  if (answer.status !== 404) check(answer, `delete ${path}`);
}
