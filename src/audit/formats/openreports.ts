import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import type { Severity } from '../../config/config.ts';
import { type JsonObject, objectAt, objectsIn } from '../../pod/json.ts';
import type { AuditedFinding, AuditedObject, AuditReport } from '../report.ts';
import { counted, missingText, remedyText } from './wording.ts';

/** The two APIs that policy engines report with; they differ in names, and in where they name a report's source. */
export const reportsApis = {
  openreports: { apiVersion: 'openreports.io/v1alpha1', kind: 'Report', plural: 'reports' },
  wgpolicyk8s: { apiVersion: 'wgpolicyk8s.io/v1alpha2', kind: 'PolicyReport', plural: 'policyreports' },
} as const;

export type ReportsApi = keyof typeof reportsApis;

/** Found on every report of ours, and on nothing else. */
export const reportLabels = { 'app.kubernetes.io/managed-by': 'gravekeeper' } as const;
/** Of every report: there is one in a namespace. */
export const reportName = 'gravekeeper';
const source = 'gravekeeper';

const severities: Readonly<Record<Severity, string>> = { error: 'high', warning: 'medium', info: 'info' };
const mostResults = 1000;
/** etcd takes an object of 1.5 MiB; the rest is for what the API server adds. */
const mostBytes = 1_000_000;

type Outcome = 'pass' | 'fail' | 'warn' | 'error' | 'skip';

/** A report on one namespace. */
export interface NamespaceReport {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** Only in openreports.io; of PolicyReports the results say it. */
  readonly source?: string;
  /** Counts of all results, also of those that are left out, and of the objects that pass. */
  readonly summary: Readonly<Record<Outcome, number>>;
  readonly results: readonly ReportResult[];
}

interface ReportResult {
  readonly source: string;
  readonly policy: string;
  readonly result: Outcome;
  readonly message: string;
  readonly [field: string]: unknown;
}

/**
 * An audit as Reports of openreports.io, or as PolicyReports of wgpolicyk8s.io: one for each namespace that is not
 * exempt. Errors fail; what is less severe, and pods that lack what they should have got, warn; what the baseline
 * accepts is skipped, and so are objects whose probes nobody looks at; an object without findings passes. Pods and
 * revisions that their owner replaces have results in its name. Results have an order of their own, so that a report
 * changes only with what it says. What there is no room for is counted in the last result.
 * https://github.com/openreports/reports-api
 *
 * @param now Milliseconds since 1970.
 * @param isIncomplete Whether objects may be missing, since not all of the cluster could be read; each report says so.
 */
export function namespaceReports(
  report: AuditReport,
  api: ReportsApi,
  now: number,
  isIncomplete = false,
): readonly NamespaceReport[] {
  const { apiVersion, kind } = reportsApis[api];
  const timestamp = { seconds: Math.floor(now / 1000), nanos: 0 };
  const byNamespace = Map.groupBy(
    report.objects.filter(({ exempt }) => !exempt),
    ({ namespace }) => namespace,
  );
  return [...byNamespace]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([namespace, objects]) => {
      const resources = [...Map.groupBy(objects, (object) => JSON.stringify(resourceOf(object))).values()];
      const found = resources.map(resultsOnResource);
      const results = [...(isIncomplete ? [incomplete] : []), ...worstFirst(found.flat())];
      const count = (outcome: Outcome) => results.filter(({ result }) => result === outcome).length;
      const clean = resources.filter((_, index) => found[index]?.length === 0);
      const unchecked = clean.filter((of) => of.every(({ policy }) => policy.probes === 'ignore')).length;
      return {
        apiVersion,
        kind,
        metadata: { name: reportName, namespace, labels: reportLabels },
        ...(api === 'openreports' ? { source } : {}),
        summary: {
          pass: clean.length - unchecked,
          fail: count('fail'),
          warn: count('warn'),
          error: count('error'),
          skip: count('skip') + unchecked,
        },
        results: thatFit(results).map((result) => ({ ...result, timestamp })),
      };
    });
}

/** The reports as YAML documents, for `kubectl apply`. */
export function auditReports(report: AuditReport, api: ReportsApi, now: number): string {
  return namespaceReports(report, api, now)
    .map((each) => `---\n${stringify(each, { lineWidth: 0 })}`)
    .join('');
}

/**
 * Whether a report in the cluster is of this program: it has our name and label, and no other source.
 *
 * @param live A Report or PolicyReport as the API server has it.
 */
export function isOurReport(live: JsonObject): boolean {
  const metadata = objectAt(live, 'metadata');
  const sources = [live.source, ...objectsIn(live.results).map((result) => result.source)];
  return (
    metadata.name === reportName &&
    hasOurLabels(metadata) &&
    sources.every((each) => each === source || each === undefined)
  );
}

/**
 * Whether a report in the cluster says what a new one would: all but the time.
 *
 * @param live A Report or PolicyReport as the API server has it.
 */
export function saysTheSame(live: JsonObject, report: NamespaceReport): boolean {
  return (
    hasOurLabels(objectAt(live, 'metadata')) &&
    live.source === report.source &&
    isDeepStrictEqual(live.summary, report.summary) &&
    isDeepStrictEqual(objectsIn(live.results).map(withoutTime), report.results.map(withoutTime))
  );
}

function hasOurLabels(metadata: JsonObject): boolean {
  const labels = objectAt(metadata, 'labels');
  return Object.entries(reportLabels).every(([key, value]) => labels[key] === value);
}

function withoutTime({ timestamp: _, ...result }: JsonObject): JsonObject {
  return result;
}

const incomplete: ReportResult = {
  source,
  policy: 'gravekeeper-probes',
  category: 'Zombie processes',
  result: 'error',
  message:
    'Not all kinds of objects could be read, so results may be missing. The output of the audit says why.',
};

/** The worst first; of results that are as bad, an order that does not hang on that of their objects. */
function worstFirst(results: readonly ReportResult[]): readonly ReportResult[] {
  const inOrder = results
    .map((result) => ({ result, key: JSON.stringify([result.resources, result]) }))
    .sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0))
    .map(({ result }) => result);
  return (['error', 'warning', 'info'] as const).flatMap((wanted) =>
    inOrder.filter(({ severity }) => severity === severities[wanted]),
  );
}

/** The results on the objects of one resource; what is said alike of several of them is said once. */
function resultsOnResource(objects: readonly AuditedObject[]): readonly ReportResult[] {
  if (objects.length === 1) return objects.flatMap(resultsOn);
  return [...new Map(objects.flatMap(resultsOn).map((result) => [JSON.stringify(result), result])).values()];
}

/** Kinds that a controller makes anew, under another name, where others are changed. */
const replacedKinds = new Set(['Pod', 'ReplicaSet', 'Job']);

/** What results on an object are about: its owner, where that replaces it. */
function resourceOf(object: AuditedObject) {
  const { apiVersion, kind, namespace, name, owner, ownerApiVersion } = object;
  if (owner === undefined || ownerApiVersion === undefined || !replacedKinds.has(kind)) {
    return { apiVersion, kind, namespace, name };
  }
  const slash = owner.indexOf('/');
  return {
    apiVersion: ownerApiVersion,
    kind: owner.slice(0, slash),
    namespace,
    name: owner.slice(slash + 1),
  };
}

function resultsOn(object: AuditedObject): readonly ReportResult[] {
  const { notInjected } = object;
  const common = {
    source,
    category: 'Zombie processes',
    resources: [resourceOf(object)],
  };
  return [
    ...object.findings.map((finding) => ({ ...common, ...resultOf(object, finding) })),
    ...(notInjected
      ? [
          {
            ...common,
            policy: 'gravekeeper-injection',
            rule: 'not-injected',
            severity: severities.warning,
            result: 'warn' as const,
            scored: false,
            message: `${remedyText(object)}: ${missingText(notInjected)}`,
          },
        ]
      : []),
  ];
}

function resultOf(
  { file }: AuditedObject,
  { rule, severity, container, probe, pointer, message, fix, accepted, line }: AuditedFinding,
) {
  return {
    policy: 'gravekeeper-probes',
    rule,
    severity: severities[severity],
    result: accepted ? ('skip' as const) : severity === 'error' ? ('fail' as const) : ('warn' as const),
    scored: severity === 'error',
    message: `${probe} of ${container}: ${message}. ${fix}`,
    properties: {
      container,
      probe,
      pointer,
      ...(file === undefined ? {} : { file: `${file}:${line ?? 1}` }),
    },
  };
}

/** All results, or as many of the first as there is room for, and one that counts the rest. */
function thatFit(results: readonly ReportResult[]): readonly ReportResult[] {
  const most = results.length > mostResults ? mostResults - 1 : mostResults;
  let bytes = 0;
  const tooMany = results.findIndex((result, index) => {
    bytes += Buffer.byteLength(JSON.stringify(result)) + 1;
    return bytes > mostBytes || index === most;
  });
  if (tooMany < 0) return results;
  const leftOut = results.length - tooMany;
  return [
    ...results.slice(0, tooMany),
    {
      source,
      policy: 'gravekeeper-probes',
      category: 'Zombie processes',
      result: 'skip',
      message: `${counted(leftOut, 'more result')}, none of them worse than these, had no room here. They are in the summary.`,
      properties: { leftOut: String(leftOut) },
    },
  ];
}
