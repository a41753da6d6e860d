import { Command, Option } from 'commander';
import { portOf, secondsFrom, wholeNumber } from './option-values.ts';

const help = `
scan looks at processes on this node; audit looks at specs. It reads /proc and, for limits, /sys/fs/cgroup. It starts
nothing, changes nothing, and needs neither root nor a runtime's socket. Names of pods come from the API server, in a
pod, with --kubeconfig or with KUBECONFIG; without, UIDs and container IDs are shown. More in docs/scan.md.

Exit codes: 0 whatever it finds, 2 where it cannot look; with -o npd those of node-problem-detector: 0 no problem,
1 a problem, 2 unknown.

Examples:
  gravekeeper scan --once
  gravekeeper scan --once -o json
  gravekeeper scan --interval 15 --metrics-port 9090
  gravekeeper scan --once --proc /host/proc --cgroup /host/sys/fs/cgroup
  gravekeeper scan --cluster`;

export type ScanFormat = 'table' | 'json' | 'npd';

/** What the command was asked for. */
export interface ScanOptions {
  readonly once?: true;
  /** Seconds. */
  readonly interval?: number;
  readonly proc: string;
  readonly cgroup?: string;
  readonly output: ScanFormat;
  readonly node?: string;
  readonly kubeconfig?: string;
  readonly metricsPort: number;
  readonly host?: string;
  readonly maxSeries: number;
  readonly events?: true;
  readonly eventFrom: number;
  readonly problemFrom: number;
  readonly npdFile?: string;
  readonly cluster?: true;
  readonly scannerNamespace: string;
}

/** The command `scan`. */
export function scanCommand(): Command {
  return new Command('scan')
    .description('Find the zombies of this node, whose they are, and who can end them.')
    .addOption(new Option('--once', 'look twice, 200 ms apart, and report (default)').conflicts('interval'))
    .option('--interval <seconds>', 'look again and again', secondsFrom(0.2, 86_400))
    .option('--proc <dir>', 'the /proc to read, such as a mount of the node’s', '/proc')
    .option('--cgroup <dir>', 'the cgroups to read limits from (default: /sys/fs/cgroup if --proc is /proc)')
    .addOption(
      new Option('-o, --output <format>', 'json and npd are for programs')
        .choices(['table', 'json', 'npd'])
        .default('table'),
    )
    .option('--node <name>', 'the name of the node (default: NODE_NAME, else the host name)')
    .option('--kubeconfig <file>', 'how to reach the cluster')
    .option(
      '--metrics-port <n>',
      'with --interval: port for /metrics, /healthz and /scan; 0 for none',
      portOf,
      0,
    )
    .option('--host <address>', 'IP address that the port listens on (default: all)')
    .option('--max-series <n>', 'with --interval: most pods’ series in the metrics', wholeNumber, 500)
    .option('--events', 'with --interval: send Events to pods that hold zombies')
    .option(
      '--event-from <n>',
      'zombies of one container and parent from which an Event is sent',
      wholeNumber,
      5,
    )
    .option('--problem-from <n>', 'zombies from which npd reports a problem', wholeNumber, 1)
    .option('--npd-file <file>', 'with --interval: where the npd result is written after each look')
    .addOption(
      new Option('--cluster', 'ask the scanners of all nodes, through the API server').conflicts([
        'once',
        'interval',
        'proc',
        'cgroup',
        'node',
        'metricsPort',
        'events',
        'npdFile',
      ]),
    )
    .option('--scanner-namespace <name>', 'with --cluster: where the scanners run', 'gravekeeper-scanner')
    .addHelpText('after', help)
    .action(scan);
}

async function scan(options: ScanOptions): Promise<void> {
  if (options.cluster) {
    const { scanCluster } = await import('./scan/cluster.ts');
    return scanCluster(options);
  }
  if (options.interval !== undefined) {
    const { watchNode } = await import('./scan/watch.ts');
    return watchNode({ ...options, interval: options.interval });
  }
  const { scanOnce } = await import('./scan/once.ts');
  return scanOnce(options);
}
