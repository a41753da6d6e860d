import { Command, Option } from 'commander';
import { answered } from '../audit/answered.ts';
import { readBaseline } from '../audit/baseline.ts';
import { auditGithub } from '../audit/formats/github.ts';
import { auditHtml } from '../audit/formats/html/page.ts';
import { auditJson } from '../audit/formats/json.ts';
import { auditJunit } from '../audit/formats/junit.ts';
import { auditReports, type ReportsApi, reportsApis } from '../audit/formats/openreports.ts';
import { auditSarif } from '../audit/formats/sarif.ts';
import { auditTable } from '../audit/formats/table.ts';
import type { AnswersOf, AuditContext } from '../audit/judged.ts';
import { readSource, type SourceEntry } from '../audit/read-source.ts';
import { type AuditReport, exitCodeOf, type FailOn } from '../audit/report.ts';
import { Audit } from '../audit/run.ts';
import type { Source } from '../audit/sources.ts';
import type { Config } from '../config/config.ts';
import type { ApiServer } from '../kube/api-server.ts';
import { terminalOf } from '../terminal.ts';
import { type FileOptions, openFiles, readAll } from './audit/files.ts';
import { type Assumed, assume } from './audit/options.ts';
import { type Progress, progressOn } from './audit/progress.ts';
import { type LookupOptions, withImages } from './audit/with-images.ts';
import { configOf, textOf } from './option-files.ts';

const help = `
audit looks at specs; scan looks at processes on this node. Of a folder it reads every .yaml, .yml and .json below it.
Labels of namespaces come from the Namespaces in the input; --assume stands for those that are missing. --baseline is an
earlier report of -o json, whose findings do not count again. Nothing is asked of registries without --resolve-images.
More in docs/audit.md.

Exit codes: 0 clean, 1 findings at or above --fail-on, 2 bad usage or input; files that can be read are reported all
the same.

Examples:
  gravekeeper audit -f manifests/
  helm template shop ./chart | gravekeeper audit -f - --assume inject=auto
  kubectl get pods,deployments,statefulsets,daemonsets -A -o json | gravekeeper audit -f -
  gravekeeper audit -f deploy/ -o sarif > gravekeeper.sarif
  gravekeeper audit -f deploy/ -o json > baseline.json
  gravekeeper audit -f deploy/ --baseline baseline.json --fail-on warning
  gravekeeper audit -f deploy/ --assume inject=auto -o html > audit.html
  gravekeeper audit -f deploy/ --assume inject=auto --resolve-images
  gravekeeper audit --cluster --kubeconfig ~/.kube/config --assume inject=auto
  gravekeeper audit --cluster --report openreports`;

const formats = ['table', 'json', 'sarif', 'junit', 'html', 'openreports', 'wgpolicyk8s', 'github'] as const;
type Format = (typeof formats)[number];

interface Options extends FileOptions, LookupOptions {
  readonly cluster?: true;
  readonly kubeconfig?: string;
  readonly selector?: string;
  readonly report?: ReportsApi;
  readonly output: Format;
  readonly failOn: FailOn;
  readonly baseline?: string;
  readonly config?: string;
}

/** The command `audit`. */
export function auditCommand(): Command {
  return new Command('audit')
    .description(
      'Say of manifests, or of a cluster, which pods may collect zombies, and what would be done to them.',
    )
    .option('-f, --file <path...>', 'files, folders, patterns, or - for standard input')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(formats).default('table'))
    .option<Assumed>(
      '--assume <label=value>',
      'inject=, probes= or dry-run= for namespaces that lack the label; may be repeated',
      assume,
    )
    .addOption(
      new Option('--fail-on <severity>', 'the least severity that ends with exit code 1')
        .choices(['error', 'warning', 'never'])
        .default('error'),
    )
    .option('--baseline <file>', 'an earlier report of -o json: what it holds does not count')
    .addOption(new Option('--cluster', 'audit a cluster instead of files').conflicts('file'))
    .option(
      '-n, --namespace <name>',
      'of files: of objects that name none (default: default); of a cluster: only it',
    )
    .option('-l, --selector <labels>', 'with --cluster: only objects with these labels')
    .addOption(
      new Option('--report <api>', 'with --cluster: also write a report into each namespace').choices(
        Object.keys(reportsApis),
      ),
    )
    .option('--kubeconfig <file>', 'with --cluster: how to reach it (default: KUBECONFIG)')
    .option('--config <file>', 'the configuration of the cluster, YAML')
    .option('--resolve-images', 'ask registries for ENTRYPOINT and CMD where a pod sets no command')
    .option('--docker-config <file>', 'ask them with these credentials, as docker login keeps them')
    .option('--pull-secrets', 'with --cluster: ask them with the pull secrets of the pods, too')
    .addHelpText('after', help)
    .action(auditAndPrint);
}

async function auditAndPrint(options: Options): Promise<void> {
  const config = configOf(options.config);
  const api = options.cluster ? await (await import('./audit/cluster.ts')).openCluster(options) : null;
  const reports = options.report
    ? (await import('./audit/cluster-reports.ts')).clusterReports(options.report, options)
    : null;
  const progress = progressOn(process.stderr);
  await withImages(options, { images: config.images, progress, api }, async (answersOf) => {
    if (api) await reports?.requireApi(api);
    const report = await auditInput(options, { config, api, progress, answersOf });
    progress.clear();
    const published = api && reports ? await reports.publish(api, report, Date.now()) : null;
    if (published) process.stderr.write(`${published.summary}\n`);
    process.stdout.write(formatted(report, options));
    process.exitCode = published?.isDone === false ? 2 : exitCodeOf(report, options.failOn);
  });
}

/** What an audit takes besides its options. */
interface AuditTools {
  readonly config: Config;
  /** The cluster to audit; null for files. */
  readonly api: ApiServer | null;
  readonly progress: Progress;
  readonly answersOf: AnswersOf | undefined;
}

/**
 * Audits files or a cluster.
 *
 * @throws {InputError} if there is nothing to read, or the baseline or the cluster cannot be used.
 */
async function auditInput(
  options: Options,
  { config, api, progress, answersOf }: AuditTools,
): Promise<AuditReport> {
  const baseline =
    options.baseline === undefined ? undefined : readBaseline(textOf(options.baseline), options.baseline);
  const excerpts = options.output === 'html';
  const toAudit = (context: AuditContext) =>
    new Audit({ context, excerpts, ...(baseline ? { baseline } : {}) });
  if (api) {
    const { auditCluster } = await import('./audit/cluster.ts');
    const onProgress = (objects: number) => {
      if (objects % 100 === 0) progress.show('objects', `read ${objects} objects`);
    };
    return (await auditCluster(api, options, config, { toAudit, answersOf, onProgress })).report();
  }
  const { sources, problems, context } = await openFiles(options, config);
  const audit = toAudit(context);
  for (const problem of problems) audit.add(problem);
  for await (const { entry, answers } of answered(entriesOf(sources, progress), context, answersOf)) {
    audit.add(entry, answers);
  }
  return audit.report();
}

async function* entriesOf(sources: readonly Source[], progress: Progress): AsyncGenerator<SourceEntry> {
  for await (const { source, read } of readAll(sources, progress)) {
    if ('problem' in read) yield { file: source.name, line: null, message: read.problem };
    else yield* readSource(read.text, source.name);
  }
}

function formatted(report: AuditReport, { output, failOn }: Options): string {
  switch (output) {
    case 'table':
      return auditTable(report, terminalOf(process.stdout));
    case 'json':
      return auditJson(report);
    case 'sarif':
      return auditSarif(report);
    case 'junit':
      return auditJunit(report, failOn);
    case 'github':
      return auditGithub(report);
    case 'html':
      return auditHtml(report, Date.now());
    case 'openreports':
    case 'wgpolicyk8s':
      return auditReports(report, output, Date.now());
  }
}
