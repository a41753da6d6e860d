import { createApp } from '../../admission/app.ts';
import { type Backlog, createBacklog } from '../../admission/backlog.ts';
import type { JudgingTools } from '../../admission/judging.ts';
import { createLog, type Log, type LogLevel } from '../../admission/log.ts';
import { messageClassesOf } from '../../admission/message-classes.ts';
import { createMetrics, type Metrics } from '../../admission/metrics.ts';
import { type Listener, metricsHandler, serveHttp, serveHttps, shutDown } from '../../admission/server.ts';
import { openCertificate } from '../../admission/tls.ts';
import type { Config } from '../../config/config.ts';
import { InputError } from '../../input-error.ts';
import { type Namespaces, staticNamespaces } from '../../kube/namespaces.ts';
import { readNamespaces } from '../../manifest/namespaces.ts';
import { problemText } from '../../manifest/read.ts';
import { policyOf } from '../../policy/policy.ts';
import { ruleIds } from '../../rules/index.ts';
import { version } from '../../version.ts';
import type { WatchOptions } from '../../watch-files.ts';
import type { ImageAnswers } from './image-answers.ts';
import { type LiveFile, openLiveFile } from './live-file.ts';
import { readConfig } from './read-config.ts';

/** How a webhook is to run; paths are those of files. */
export interface WebhookOptions {
  /** 0 for a free one. */
  readonly port: number;
  /** An IP address to listen on; left out, all of this machine. */
  readonly host?: string;
  /** 0 for none. */
  readonly metricsPort: number;
  readonly cert: string;
  readonly key: string;
  /** Namespaces of v1; where it is given, no cluster is asked. */
  readonly namespaces?: string;
  readonly config?: string;
  readonly kubeconfig?: string;
  /** Whether registries are asked for what the images of pods start. */
  readonly resolveImages?: boolean;
  /** Whether they are asked with the pull secrets of the pods too, which are read from the cluster. */
  readonly pullSecrets?: boolean;
  /** Whether whoever changes the labels of a namespace hears what they mean for its pods, which are listed for that. */
  readonly relabelPreview?: boolean;
  /** How long it goes on serving after it was told to end; 5 where left out. */
  readonly shutdownDelaySeconds?: number;
  /** `info` where left out. */
  readonly logLevel?: LogLevel;
  /** Where the log goes instead of standard output. */
  readonly log?: Log;
  /** The namespace that the webhook itself runs in, which is exempt. */
  readonly ownNamespace?: string;
  /** How soon changed files are noticed. */
  readonly watch?: WatchOptions;
}

/** A webhook that serves. */
export interface RunningWebhook {
  readonly port: number;
  /** Null where there are no metrics. */
  readonly metricsPort: number | null;
  /** Whether reviews may be sent to it. */
  ready(): boolean;
  /**
   * Ends it: it is not ready at once, serves for the shutdown delay, and ends when the last request has.
   *
   * @param hurry Cuts the delay short.
   */
  close(hurry?: AbortSignal): Promise<void>;
}

/** How long requests may take to end, once no new ones are taken; the API server waits for 3 s. */
const graceMs = 10_000;

/**
 * Starts the webhook in this process.
 *
 * @param options How it is to run.
 * @returns When it listens. It is ready then, unless it has yet to hear from a cluster.
 * @throws {InputError} if a file, a port or the cluster's address cannot be used.
 */
export async function startWebhook(options: WebhookOptions): Promise<RunningWebhook> {
  const { log = createLog(options.logLevel ?? 'info'), watch = {} } = options;
  const metrics = createMetrics({ version });
  const opened: { close(): void }[] = [];
  const open = <T extends { close(): void }>(thing: T): T => {
    opened.push(thing);
    return thing;
  };
  const listeners: Listener[] = [];
  let namespaces: Namespaces | null = null;
  let ending = false;
  const release = async () => {
    for (const thing of opened) thing.close();
    await namespaces?.stop();
  };

  try {
    const config = open(openConfig(options, log, metrics));
    const certificate = open(openCertificate(options, { log, metrics }, watch));
    const source = await openNamespaces(options, log, metrics, open);
    namespaces = source;
    const images = options.resolveImages ? open(await openImages(options, config, log, metrics)) : null;
    const ready = () => !ending && source.synced();
    const app = createApp({
      log,
      metrics,
      ready,
      namespaces: {
        labelsOf: source.labelsOf,
        ...(options.namespaces === undefined ? { refreshNamespace: source.refresh } : {}),
      },
      policyOf: (pod, where) => policyOf(pod, { ...where, config: config.current }),
      answer: images ? images.answer : async () => new Map(),
      afterwards: open(openBacklog(log)).add,
      ...(options.relabelPreview ? { previewPods: await openPodLister(options) } : {}),
    });
    const address = options.host === undefined ? {} : { host: options.host };
    const https = await serveHttps(
      app,
      { port: options.port, ...address },
      certificate,
      log,
      messageClassesOf(app),
    );
    listeners.push(https);
    const http =
      options.metricsPort === 0
        ? null
        : await serveHttp(metricsHandler(metrics.registry), { port: options.metricsPort, ...address }, log);
    if (http) listeners.push(http);
    const running = { port: https.port, metricsPort: http?.port ?? null };
    log.info({ ...running, version, ready: ready() }, 'listening');
    return {
      ...running,
      ready,
      async close(hurry) {
        ending = true;
        const delaySeconds = options.shutdownDelaySeconds ?? 5;
        log.info({ delaySeconds }, 'ending: not ready any more, but still serving');
        await shutDown(listeners, { delayMs: delaySeconds * 1000, graceMs, ...(hurry ? { hurry } : {}) });
        await release();
        log.info('ended');
      },
    };
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close(0)));
    await release();
    throw error;
  }
}

/** The configuration: that of the file, followed while it changes, or the default one. */
function openConfig(options: WebhookOptions, log: Log, metrics: Metrics): LiveFile<Config> {
  const { config: path, ownNamespace, watch = {} } = options;
  const context = { ruleIds, ...(ownNamespace === undefined ? {} : { ownNamespace }) };
  if (path === undefined) return { current: readConfig('', '', context), close: () => {} };
  return openLiveFile(path, {
    what: 'configuration',
    parse: (text) => readConfig(text, path, context),
    log,
    reloaded: metrics.configurationReloaded,
    watch,
  });
}

/** What asks registries, and the API server for pull secrets if it shall. */
async function openImages(
  { pullSecrets, kubeconfig }: WebhookOptions,
  config: LiveFile<Config>,
  log: Log,
  metrics: Metrics,
): Promise<ImageAnswers> {
  // Loaded only where it is wanted: it takes memory and time at the start.
  const { openImageAnswers } = await import('./image-answers.ts');
  return await openImageAnswers({
    config,
    log,
    metrics,
    ...(pullSecrets ? { secretsFrom: { kubeconfig } } : {}),
  });
}

/** A backlog of what is logged, which is empty when it is closed, and when the process ends without that. */
function openBacklog(log: Log): Backlog & { close(): void } {
  const backlog = createBacklog((error) => log.error({ err: error }, 'a review could not be logged'));
  process.prependOnceListener('exit', backlog.flush);
  return {
    ...backlog,
    close() {
      process.off('exit', backlog.flush);
      backlog.flush();
    },
  };
}

async function openPodLister({
  kubeconfig,
}: WebhookOptions): Promise<NonNullable<JudgingTools['previewPods']>> {
  // Loaded only where it is wanted, as the look-up of images is.
  const { podLister } = await import('./pod-lister.ts');
  return await podLister(kubeconfig);
}

/** The namespaces: those of the file, followed while it changes, or those of the cluster. */
async function openNamespaces(
  { namespaces: path, kubeconfig, watch = {} }: WebhookOptions,
  log: Log,
  metrics: Metrics,
  open: <T extends { close(): void }>(thing: T) => T,
): Promise<Namespaces> {
  if (path === undefined) {
    // The API client takes longer to load than all the rest together, and only a cluster needs it.
    const { clusterNamespaces } = await import('./cluster-namespaces.ts');
    return clusterNamespaces(kubeconfig, log, metrics);
  }
  const file = open(
    openLiveFile(path, { what: 'list of namespaces', parse: labelsReader(path), log, watch }),
  );
  metrics.namespaceCacheSynced(true);
  return staticNamespaces(() => file.current);
}

type NamespaceLabels = ReturnType<typeof readNamespaces>['labels'];

/**
 * Reads a file of namespaces. At the start what can be read of it counts, and the rest is complained about, unless it
 * is all. Later a file with a problem, or an empty one, is half written: the last good one stays.
 */
function labelsReader(path: string): (text: string) => NamespaceLabels {
  let known: NamespaceLabels | null = null;
  return (text) => {
    const { labels, problems } = readNamespaces(text, path);
    const isWorse = known !== null && known.size > 0 && (problems.length > 0 || labels.size === 0);
    if (isWorse || (labels.size === 0 && problems.length > 0)) {
      const lines = problems.map((problem) => `\n  ${problemText(problem)}`);
      throw new InputError(`${path} holds no Namespace of v1:${lines.join('') || ' it is empty'}`);
    }
    for (const problem of problems) process.stderr.write(`gravekeeper: ${problemText(problem)}\n`);
    known = labels;
    return labels;
  };
}
