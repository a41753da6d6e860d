import { Command, Option } from 'commander';
import { type LogLevel, logLevels } from '../admission/log.ts';
import { portOf, secondsFrom } from './option-values.ts';
import { startWebhook } from './webhook/start.ts';

export { type RunningWebhook, startWebhook, type WebhookOptions } from './webhook/start.ts';

const help = `
Labels of namespaces come from the cluster: that of --kubeconfig, of KUBECONFIG, or the one that it runs in. With
--namespaces they come from a file, and no cluster is needed. Changed files are noticed while it runs. SIGTERM and
SIGINT end it gracefully; a second one cuts the shutdown delay short. More in docs/operations.md.

Examples:
  gravekeeper webhook --cert certs/tls.crt --key certs/tls.key --namespaces namespaces.yaml
  gravekeeper webhook --cert certs/tls.crt --key certs/tls.key --namespaces namespaces.yaml --port 0 --metrics-port 0
  gravekeeper webhook --cert /certs/tls.crt --key /certs/tls.key --config /config/config.yaml`;

/** The command `webhook`. */
export function webhookCommand(): Command {
  return new Command('webhook')
    .description('Serve admission over HTTPS: POST /mutate and /validate, GET /healthz and /readyz.')
    .requiredOption('--cert <file>', "the server's certificate, PEM, with intermediate ones behind it")
    .requiredOption('--key <file>', 'its private key, PEM')
    .option('--port <n>', 'port for HTTPS; 0 for a free one', portOf, 8443)
    .option('--host <address>', 'IP address to listen on (default: all)')
    .option('--metrics-port <n>', 'port for GET /metrics over plain HTTP; 0 for none', portOf, 9090)
    .option('--namespaces <file>', 'Namespaces of v1 instead of a cluster: YAML documents or a List')
    .option('--config <file>', 'configuration, YAML')
    .addOption(new Option('--kubeconfig <file>', 'how to reach the cluster').conflicts('namespaces'))
    .option('--resolve-images', 'ask registries for ENTRYPOINT and CMD where a pod sets no command')
    .option('--pull-secrets', 'ask them with the pull secrets of the pods, read from the cluster')
    .addOption(
      new Option('--relabel-preview', 'tell who labels a namespace what that means for its pods').conflicts(
        'namespaces',
      ),
    )
    .option('--shutdown-delay <seconds>', 'how long it serves on after SIGTERM', secondsFrom(0, 3600), 5)
    .addOption(
      new Option('--log-level <level>', 'the least that is logged').choices(logLevels).default('info'),
    )
    .addHelpText('after', help)
    .action(serve);
}

interface Options {
  readonly cert: string;
  readonly key: string;
  readonly port: number;
  readonly host?: string;
  readonly metricsPort: number;
  readonly namespaces?: string;
  readonly config?: string;
  readonly kubeconfig?: string;
  readonly resolveImages?: boolean;
  readonly pullSecrets?: boolean;
  readonly relabelPreview?: boolean;
  readonly shutdownDelay: number;
  readonly logLevel: LogLevel;
}

async function serve({ shutdownDelay, ...options }: Options): Promise<void> {
  const { POD_NAMESPACE: ownNamespace } = process.env;
  // Listened to from the beginning: as PID 1 of a container a process ignores what it does not handle.
  const signals = listenForSignals();
  const webhook = await startWebhook({
    ...options,
    shutdownDelaySeconds: shutdownDelay,
    ...(ownNamespace ? { ownNamespace } : {}),
  });
  await signals.first;
  await webhook.close(signals.second);
  // An API server that never answers would keep its connection, and with it this process, for half a minute more.
  process.exit();
}

/** The first SIGTERM or SIGINT, and any further one. */
function listenForSignals(): { readonly first: Promise<void>; readonly second: AbortSignal } {
  const first = Promise.withResolvers<void>();
  const second = new AbortController();
  let count = 0;
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  function onSignal(): void {
    count += 1;
    if (count === 1) first.resolve();
    else second.abort();
  }
  return { first: first.promise, second: second.signal };
}
