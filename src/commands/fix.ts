import { Command, Option } from 'commander';
import type { FileOptions } from './audit/files.ts';
import { type Assumed, assume } from './audit/options.ts';
import type { LookupOptions } from './audit/with-images.ts';
import { exitCodeFor, fixFiles } from './fix/fix-files.ts';

const help = `
Without --diff and --write the manifests are printed, fixed: from standard input to standard output, for a pipe. Only
what is safe without knowing more than the manifest is written: shareProcessNamespace where that is the remedy, and a
longer timeoutSeconds where that alone ends a finding. tini is never written: the webhook puts it in when a pod is
created. What was fixed and what was not, and why, is told on standard error. Comments, order and anchors stay. What
--diff prints is for patch -p1 or git apply. More in docs/audit.md.

Exit codes: 0 done, also where something is left to be done by hand; 2 bad usage or input.

Examples:
  gravekeeper fix -f deploy/ --diff
  gravekeeper fix -f deploy/ --write
  helm template shop ./chart | gravekeeper fix -f - --assume inject=share-pid | kubectl apply -f -`;

export interface FixOptions extends FileOptions, LookupOptions {
  readonly diff?: true;
  readonly write?: true;
  readonly config?: string;
}

/** The command `fix`. */
export function fixCommand(): Command {
  return new Command('fix')
    .description('Write into manifests what keeps their pods from collecting zombies.')
    .option('-f, --file <path...>', 'files, folders, patterns, or - for standard input')
    .option('--diff', 'print the changes instead of the manifests')
    .addOption(new Option('--write', 'change the files').conflicts('diff'))
    .option<Assumed>(
      '--assume <label=value>',
      'inject=, probes= or dry-run= for namespaces that lack the label; may be repeated',
      assume,
    )
    .option('-n, --namespace <name>', 'the namespace of objects that name none', 'default')
    .option('--config <file>', 'the configuration of the cluster, YAML')
    .option('--resolve-images', 'ask registries for ENTRYPOINT and CMD where a pod sets no command')
    .option('--docker-config <file>', 'ask them with these credentials, as docker login keeps them')
    .addHelpText('after', help)
    .action(async (options: FixOptions) => {
      process.exitCode = exitCodeFor(await fixFiles(options));
    });
}
