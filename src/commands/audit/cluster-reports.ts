import {
  isOurReport,
  type NamespaceReport,
  namespaceReports,
  type ReportsApi,
  reportLabels,
  reportName,
  reportsApis,
  saysTheSame,
} from '../../audit/formats/openreports.ts';
import { counted } from '../../audit/formats/wording.ts';
import type { AuditReport } from '../../audit/report.ts';
import { InputError } from '../../input-error.ts';
import {
  type Answer,
  ApiError,
  type ApiServer,
  describeError,
  describeRefusal,
  isDone,
} from '../../kube/api-server.ts';
import { getJson } from '../../kube/get-json.ts';
import { listEach } from '../../kube/list-each.ts';
import { applyObject, deleteObject, type ObjectVersion } from '../../kube/write-object.ts';
import { isJsonObject, objectAt, objectsIn } from '../../pod/json.ts';
import type { Assumed } from './options.ts';

/** What `audit` was asked for, as far as it decides about reports. */
export interface ReportOptions {
  readonly cluster?: true;
  readonly namespace?: string;
  readonly selector?: string;
  readonly assume?: Assumed;
}

/** The reports in a cluster. */
export interface ClusterReports {
  /**
   * Makes sure that the cluster knows such reports.
   *
   * @throws {InputError} if it does not, with what there is to install.
   */
  requireApi(api: ApiServer): Promise<void>;
  /**
   * Brings the reports up to date, one for each namespace: those that say something else than before are written, those
   * of namespaces without objects are deleted, and nobody else's is touched. A report whose name somebody else has taken
   * is skipped. What fails is told, and the rest goes on.
   *
   * @param api The API server; its user needs the rights to list, create, patch and delete such reports.
   * @param report Of the whole cluster, or of the one namespace of the options.
   * @param now Milliseconds since 1970.
   */
  publish(api: ApiServer, report: AuditReport, now: number): Promise<Published>;
}

/** What became of the reports. */
export interface Published {
  /** For a person: a line for each report that was skipped or failed, with its namespace and why, and one that counts. */
  readonly summary: string;
  /** Whether each report is as it should be, or somebody else's. */
  readonly isDone: boolean;
}

/** Where the CRDs are to be had. */
const sources: Readonly<Record<ReportsApi, string>> = {
  openreports: 'https://github.com/openreports/reports-api',
  wgpolicyk8s: 'https://github.com/kubernetes-sigs/wg-policy-prototypes',
};

/** Of the largest reports that etcd takes, half of what an answer may have. */
const pageSize = '20';

/**
 * Opens the reports of one of the two APIs.
 *
 * @throws {InputError} where the options would make reports that say what does not hold.
 */
export function clusterReports(
  which: ReportsApi,
  { cluster, namespace, selector, assume }: ReportOptions,
): ClusterReports {
  if (!cluster) {
    throw new InputError(
      '--report writes into a cluster, so it needs --cluster; -o openreports prints reports on files',
    );
  }
  if (selector !== undefined) {
    throw new InputError(
      '--report cannot go with --selector: a report on some objects would replace that on all of their namespace',
    );
  }
  if (assume !== undefined) {
    throw new InputError(
      '--report cannot go with --assume: reports are about the labels that namespaces have',
    );
  }
  return {
    requireApi: (api) => requireApi(api, which),
    publish: (api, report, now) => publish(api, report, which, namespace, now),
  };
}

async function requireApi(api: ApiServer, which: ReportsApi): Promise<void> {
  const { apiVersion, kind } = reportsApis[which];
  if (await knows(api, which)) return;
  const other = which === 'openreports' ? 'wgpolicyk8s' : 'openreports';
  const alternative = (await knows(api, other)) ? `, or take --report ${other}, which is there` : '';
  throw new InputError(
    `the cluster has no ${kind} of ${apiVersion}: install its CustomResourceDefinition from ${sources[which]}${alternative}`,
  );
}

async function knows(api: ApiServer, which: ReportsApi): Promise<boolean> {
  const { apiVersion, plural } = reportsApis[which];
  try {
    const found = await getJson(api, `/apis/${apiVersion}`);
    return isJsonObject(found) && objectsIn(found.resources).some(({ name }) => name === plural);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw new InputError(
      `whether the cluster knows ${apiVersion} could not be found out: ${describeError(error)}`,
    );
  }
}

/** A report of ours in the cluster. */
interface Live extends ObjectVersion {
  /** Whether it already says what the new one would. */
  readonly isSame: boolean;
}

async function publish(
  api: ApiServer,
  report: AuditReport,
  which: ReportsApi,
  namespace: string | undefined,
  now: number,
): Promise<Published> {
  const isIncomplete = report.problems.length > 0;
  const reports = new Map(
    namespaceReports(report, which, now, isIncomplete).map((each) => [each.metadata.namespace, each]),
  );
  const counts = { written: 0, unchanged: 0, deleted: 0 };
  const skipped: string[] = [];
  const failed: string[] = [];
  const published = () => ({
    summary: summaryOf(counts, skipped, failed, isIncomplete),
    isDone: failed.length === 0,
  });
  let live: ReadonlyMap<string, Live> = new Map();
  try {
    live = await liveReports(api, which, namespace, reports);
  } catch (error) {
    failed.push(`reports cannot be listed, so none was written: ${describeError(error)}`);
    return published();
  }
  const attempt = async (name: string, what: 'written' | 'deleted', answering: Promise<Answer>) => {
    const told = (why: string) => void failed.push(`the report on ${name} was not ${what}: ${why}`);
    try {
      const answer = await answering;
      if (isDone(answer)) counts[what] += 1;
      else if (isForeign(answer)) {
        skipped.push(
          `the report on ${name} is skipped, since somebody else's has its name: ${describeRefusal(answer)}`,
        );
      } else if (!isGone(answer)) told(describeRefusal(answer));
    } catch (error) {
      told(describeError(error));
    }
  };
  for (const [name, wanted] of reports) {
    const before = live.get(name);
    if (before?.isSame) counts.unchanged += 1;
    // Without a report of ours, whatever else has its name is not taken over: the API server refuses with a conflict.
    else await attempt(name, 'written', applyObject(api, pathOf(which, name), wanted, before !== undefined));
  }
  const stale = isIncomplete ? [] : [...live].filter(([name]) => !reports.has(name));
  for (const [name, seen] of stale) {
    await attempt(name, 'deleted', deleteObject(api, pathOf(which, name), seen));
  }
  return published();
}

/** The reports of ours that are there, by namespace. Of each only what is needed is kept: there may be many megabytes. */
async function liveReports(
  api: ApiServer,
  which: ReportsApi,
  namespace: string | undefined,
  reports: ReadonlyMap<string, NamespaceReport>,
): Promise<ReadonlyMap<string, Live>> {
  const found = new Map<string, Live>();
  const labelSelector = Object.entries(reportLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  // Anybody may set the label, on any number of reports; of one name there is one in a namespace.
  const query = { labelSelector, fieldSelector: `metadata.name=${reportName}`, limit: pageSize };
  await listEach(api, folderOf(which, namespace), query, (item) => {
    const { namespace: its, uid, resourceVersion } = objectAt(item, 'metadata');
    if (typeof its !== 'string' || typeof uid !== 'string' || typeof resourceVersion !== 'string') return;
    if (!isOurReport(item)) return;
    const wanted = reports.get(its);
    found.set(its, { uid, resourceVersion, isSame: wanted !== undefined && saysTheSame(item, wanted) });
  });
  return found;
}

/** Whether the namespace is gone or about to go, or what was to be deleted is gone. Unknown kinds are a 404 as well. */
function isGone({ status, body }: Answer): boolean {
  const { kind, causes } = objectAt(isJsonObject(body) ? body : {}, 'details');
  if (status === 404) return typeof kind === 'string';
  return status === 403 && objectsIn(causes).some(({ reason }) => reason === 'NamespaceTerminating');
}

/**
 * Whether fields of another manager are in the way of an apply without force: `NewApplyConflict` in Kubernetes'
 * apimachinery. Other conflicts are a 409 as well.
 */
function isForeign({ status, body }: Answer): boolean {
  const { causes } = objectAt(isJsonObject(body) ? body : {}, 'details');
  return status === 409 && objectsIn(causes).some(({ reason }) => reason === 'FieldManagerConflict');
}

function summaryOf(
  { written, unchanged, deleted }: Readonly<Record<'written' | 'unchanged' | 'deleted', number>>,
  skipped: readonly string[],
  failed: readonly string[],
  isIncomplete: boolean,
): string {
  const kept = isIncomplete ? '; none is deleted while not all could be read' : '';
  const others = [
    ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
  ];
  const counts = [`${counted(written, 'report')} written`, `${unchanged} unchanged`, `${deleted} deleted`];
  return [...skipped, ...failed, `${[...counts, ...others].join(', ')}${kept}`].join('\n');
}

function folderOf(which: ReportsApi, namespace: string | undefined): string {
  const { apiVersion, plural } = reportsApis[which];
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/apis/${apiVersion}${scope}/${plural}`;
}

function pathOf(which: ReportsApi, namespace: string): string {
  return `${folderOf(which, namespace)}/${reportName}`;
}
