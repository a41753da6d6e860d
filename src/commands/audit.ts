import { Command, Option } from 'commander';
import { readBaseline } from '../audit/baseline.ts';
import { auditGithub } from '../audit/formats/github.ts';
import { auditHtml } from '../audit/formats/html/page.ts';
import { auditJson } from '../audit/formats/json.ts';
import { auditJunit } from '../audit/formats/junit.ts';
import { auditReports } from '../audit/formats/openreports.ts';
import { auditSarif } from '../audit/formats/sarif.ts';
import { auditTable } from '../audit/formats/table.ts';
import { readSource } from '../audit/read-source.ts';
import { type AuditReport, exitCodeOf, type FailOn } from '../audit/report.ts';
import { Audit } from '../audit/run.ts';
import { terminalOf } from '../terminal.ts';
import { type FileOptions, openFiles, readAll } from './audit/files.ts';
import { type Assumed, assume, configOf, textOf } from './audit/options.ts';

const help = `
audit looks at specs; scan looks at processes on this node. Of a folder it reads every .yaml, .yml and .json below it.
Labels of namespaces come from the Namespaces in the input; --assume stands for those that are missing. --baseline is an
earlier report of -o json, whose findings do not count again. More in docs/audit.md.

Exit codes: 0 clean, 1 findings at or above --fail-on, 2 bad usage or input; files that can be read are reported all
the same.

Examples:
  gravekeeper audit -f manifests/
  helm template shop ./chart | gravekeeper audit -f - --assume inject=auto
  kubectl get pods,deployments,statefulsets,daemonsets -A -o json | gravekeeper audit -f -
  gravekeeper audit -f deploy/ -o sarif > gravekeeper.sarif
  gravekeeper audit -f deploy/ -o json > baseline.json
  gravekeeper audit -f deploy/ --baseline baseline.json --fail-on warning
  gravekeeper audit -f deploy/ --assume inject=auto -o html > audit.html`;

const formats = ['table', 'json', 'sarif', 'junit', 'html', 'openreports', 'wgpolicyk8s', 'github'] as const;
type Format = (typeof formats)[number];

interface Options extends FileOptions {
  readonly output: Format;
  readonly failOn: FailOn;
  readonly baseline?: string;
  readonly config?: string;
}

/** The command `audit`. */
export function auditCommand(): Command {
  return new Command('audit')
    .description('Say of manifests which pods may collect zombies, and what would be done to them.')
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
    .option('-n, --namespace <name>', 'the namespace of objects that name none', 'default')
    .option('--config <file>', 'the configuration of the cluster, YAML')
    .addHelpText('after', help)
    .action(async (options: Options) => {
      const report = await auditFiles(options);
      process.stdout.write(formatted(report, options));
      process.exitCode = exitCodeOf(report, options.failOn);
    });
}

/**
 * Audits files.
 *
 * @throws {InputError} if no file was named, or the configuration or the baseline cannot be used.
 */
async function auditFiles(options: Options): Promise<AuditReport> {
  const config = configOf(options.config);
  const baseline =
    options.baseline === undefined ? undefined : readBaseline(textOf(options.baseline), options.baseline);
  const { sources, problems, context } = await openFiles(options, config);
  const audit = new Audit({
    context,
    ...(baseline ? { baseline } : {}),
    excerpts: options.output === 'html',
  });
  for (const problem of problems) audit.addProblem(problem);
  for await (const { source, read } of readAll(sources)) {
    if ('problem' in read) audit.addProblem({ file: source.name, line: null, message: read.problem });
    else for (const entry of readSource(read.text, source.name)) audit.add(entry, source.name);
  }
  return audit.report();
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
