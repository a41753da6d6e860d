import { stringify } from 'yaml';
import type { Severity } from '../../config/config.ts';
import type { AuditedFinding, AuditedObject, AuditReport } from '../report.ts';

/** The two APIs that policy engines report with; they differ in their names alone. */
const apis = {
  openreports: { apiVersion: 'openreports.io/v1alpha1', kind: 'Report' },
  wgpolicyk8s: { apiVersion: 'wgpolicyk8s.io/v1alpha2', kind: 'PolicyReport' },
} as const;

export type ReportsApi = keyof typeof apis;

const severities: Readonly<Record<Severity, string>> = { error: 'high', warning: 'medium', info: 'info' };
/** An object of the API server has room for 1.5 MiB; a result takes up to 1 KiB. */
const mostResults = 1000;

/** A report on one namespace. */
export interface NamespaceReport {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly source: string;
  readonly summary: Readonly<Record<'pass' | 'fail' | 'warn' | 'error' | 'skip', number>>;
  readonly results: readonly object[];
}

/**
 * Findings as Reports of openreports.io, or as PolicyReports of wgpolicyk8s.io: one for each namespace. Errors fail,
 * what is less severe warns, findings that the baseline accepts are skipped, and an object without findings passes.
 * https://github.com/openreports/reports-api
 *
 * @param now Milliseconds since 1970.
 */
export function namespaceReports(
  report: AuditReport,
  api: ReportsApi,
  now: number,
): readonly NamespaceReport[] {
  const timestamp = { seconds: Math.floor(now / 1000), nanos: 0 };
  const byNamespace = Map.groupBy(report.objects, ({ namespace }) => namespace);
  return [...byNamespace]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([namespace, objects]) => {
      const results = objects.flatMap((object) =>
        object.findings.map((finding) => ({
          severity: finding.severity,
          result: resultOf(object, finding, timestamp),
        })),
      );
      const counts = Map.groupBy(results, ({ result }) => result.result);
      const count = (result: string) => counts.get(result)?.length ?? 0;
      const bySeverity = (['error', 'warning', 'info'] as const).flatMap((severity) =>
        results.filter((each) => each.severity === severity),
      );
      return {
        ...apis[api],
        metadata: {
          name: 'gravekeeper',
          namespace,
          labels: { 'app.kubernetes.io/managed-by': 'gravekeeper' },
        },
        source: 'gravekeeper',
        summary: {
          pass: objects.filter(({ findings }) => findings.length === 0).length,
          fail: count('fail'),
          warn: count('warn'),
          error: 0,
          skip: count('skip'),
        },
        results: bySeverity.slice(0, mostResults).map(({ result }) => result),
      };
    });
}

/** The reports as YAML documents, for `kubectl apply`. */
export function auditReports(report: AuditReport, api: ReportsApi, now: number): string {
  return namespaceReports(report, api, now)
    .map((each) => `---\n${stringify(api === 'wgpolicyk8s' ? withoutSource(each) : each, { lineWidth: 0 })}`)
    .join('');
}

/** PolicyReports name their source in each result only. */
function withoutSource({ source: _, ...report }: NamespaceReport): object {
  return report;
}

function resultOf(
  { apiVersion, kind, namespace, name, file }: AuditedObject,
  { rule, severity, container, probe, pointer, message, fix, accepted, line }: AuditedFinding,
  timestamp: { readonly seconds: number; readonly nanos: number },
) {
  return {
    source: 'gravekeeper',
    policy: 'gravekeeper-probes',
    rule,
    category: 'Zombie processes',
    severity: severities[severity],
    timestamp,
    result: accepted ? 'skip' : severity === 'error' ? 'fail' : 'warn',
    scored: severity === 'error',
    resources: [{ apiVersion, kind, namespace, name }],
    message: `${probe} of ${container}: ${message}. ${fix}`,
    properties: {
      container,
      probe,
      pointer,
      ...(file === undefined ? {} : { file: `${file}:${line ?? 1}` }),
    },
  };
}
