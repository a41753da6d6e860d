import { answered } from '../../audit/answered.ts';
import type { AnswersOf, AuditContext } from '../../audit/judged.ts';
import type { Audit } from '../../audit/run.ts';
import type { Config } from '../../config/config.ts';
import { InputError } from '../../input-error.ts';
import { type ApiServer, describeError } from '../../kube/api-server.ts';
import { getJson } from '../../kube/get-json.ts';
import { listEach } from '../../kube/list-each.ts';
import { openApiServer } from '../../kube/open-api-server.ts';
import { patient } from '../../kube/patient.ts';
import { isJsonObject, type JsonObject, objectAt } from '../../pod/json.ts';
import { type WorkloadKind, workloadKinds } from '../../pod/templates.ts';
import { labelKeys } from '../../policy/keys.ts';
import type { Assumed } from './options.ts';

/** What a cluster is asked for. */
export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly selector?: string;
  readonly assume?: Assumed;
}

/** What an audit of a cluster is made with. */
export interface ClusterAuditTools {
  /** Makes the audit, given what objects are judged by. */
  readonly toAudit: (context: AuditContext) => Audit;
  /** Finds out what objects leave to their images; left out, nobody is asked. */
  readonly answersOf?: AnswersOf | undefined;
  /** Hears how many objects were read. */
  readonly onProgress?: (objects: number) => void;
}

const pageSize = '500';

/**
 * Opens the cluster that is to be audited.
 *
 * @throws {InputError} if there is none, or its kubeconfig cannot be used.
 */
export async function openCluster({ kubeconfig }: ClusterOptions): Promise<ApiServer> {
  const api = await openApiServer(kubeconfig);
  if (api === null) {
    throw new InputError('there is no cluster to ask: name its kubeconfig with --kubeconfig or KUBECONFIG');
  }
  return patient(api);
}

/**
 * Audits the pods and workloads of a cluster, page by page. What may not be listed is a problem, and the rest goes on.
 *
 * @param api The API server; its user needs the right to list namespaces, pods and workloads.
 * @param config The configuration of the cluster.
 * @param tools What makes the audit.
 * @throws {InputError} if namespaces cannot be read: nothing can be judged then.
 */
export async function auditCluster(
  api: ApiServer,
  options: ClusterOptions,
  config: Config,
  { toAudit, answersOf, onProgress = () => {} }: ClusterAuditTools,
): Promise<Audit> {
  const namespaces = await readNamespaces(api, options);
  const context: AuditContext = {
    config,
    labelsOf: (name) => namespaces.get(name)?.labels ?? null,
    assumed: options.assume ?? new Map(),
    defaultNamespace: '',
    podsRun: true,
    whyNotInjected: ({ value, namespace }) => likelyCause(value, namespaces.get(namespace)),
  };
  const audit = toAudit(context);
  let page: { readonly value: JsonObject }[] = [];
  const afterPage = async () => {
    const waiting = page;
    page = [];
    for await (const { entry, answers } of answered(waiting, context, answersOf)) audit.add(entry, answers);
  };
  let objects = 0;
  for (const kind of workloadKinds) {
    const path = collectionPath(kind, options.namespace);
    const query = { limit: pageSize, ...(options.selector ? { labelSelector: options.selector } : {}) };
    try {
      const take = (item: JsonObject) => {
        if (isDone(item) || isRetired(item)) return;
        const value = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...item };
        // Nobody has to wait for an answer, so the page need not be held.
        if (answersOf) page.push({ value });
        else audit.add({ value });
        objects += 1;
        onProgress(objects);
      };
      await listEach(api, path, query, take, { afterPage });
    } catch (error) {
      audit.add({ file: 'cluster', line: null, message: describeError(error) });
    }
    // Of a list that broke off.
    await afterPage();
  }
  return audit;
}

interface NamespaceFacts {
  readonly labels: ReadonlyMap<string, string>;
  /** When the label `inject` was last written, in milliseconds since 1970; null where nobody recorded it. */
  readonly labelledAt: number | null;
}

async function readNamespaces(
  api: ApiServer,
  { namespace }: ClusterOptions,
): Promise<ReadonlyMap<string, NamespaceFacts>> {
  const found = new Map<string, NamespaceFacts>();
  const add = (object: JsonObject) => {
    const { name } = objectAt(object, 'metadata');
    if (typeof name === 'string') found.set(name, factsOf(object));
  };
  const path = '/api/v1/namespaces';
  try {
    if (namespace === undefined) await listEach(api, path, { limit: pageSize }, add);
    else {
      const object = await getJson(api, `${path}/${encodeURIComponent(namespace)}`);
      if (isJsonObject(object)) add(object);
    }
  } catch (error) {
    throw new InputError(`the labels of namespaces cannot be read: ${describeError(error)}`);
  }
  return found;
}

function factsOf(namespace: JsonObject): NamespaceFacts {
  const metadata = objectAt(namespace, 'metadata');
  const labels = Object.entries(objectAt(metadata, 'labels')).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[key, value]] : [],
  );
  const fields: readonly unknown[] = Array.isArray(metadata.managedFields) ? metadata.managedFields : [];
  const times = fields.filter(isJsonObject).flatMap((entry) => {
    const written = objectAt(objectAt(objectAt(entry, 'fieldsV1'), 'f:metadata'), 'f:labels');
    return Object.hasOwn(written, `f:${labelKeys.inject}`) ? [timeOf(entry.time)] : [];
  });
  const known = times.filter((time) => time !== null);
  return { labels: new Map(labels), labelledAt: known.length > 0 ? Math.max(...known) : null };
}

function likelyCause(pod: JsonObject, namespace: NamespaceFacts | undefined): string {
  const created = timeOf(objectAt(pod, 'metadata').creationTimestamp);
  if (created !== null && namespace?.labelledAt && created <= namespace.labelledAt) {
    return 'created before the namespace was labelled; the next rollout brings it';
  }
  return 'the webhook was not there when it was created, did not answer in time, or does not serve its namespace';
}

function timeOf(value: unknown): number | null {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

/** A pod that has ended, and can collect nothing any more. */
function isDone(item: JsonObject): boolean {
  const { phase } = objectAt(item, 'status');
  return phase === 'Succeeded' || phase === 'Failed';
}

/** An old revision that a controller keeps without pods. */
function isRetired(item: JsonObject): boolean {
  const owned = Array.isArray(objectAt(item, 'metadata').ownerReferences);
  return owned && objectAt(item, 'spec').replicas === 0;
}

function apiVersionOf({ group }: WorkloadKind): string {
  return group === '' ? 'v1' : `${group}/v1`;
}

function collectionPath(kind: WorkloadKind, namespace: string | undefined): string {
  const root = kind.group === '' ? '/api/v1' : `/apis/${kind.group}/v1`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${kind.kind.toLowerCase()}s`;
}
