import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fjp, { type Operation } from 'fast-json-patch';
import { createLog } from '../../src/admission/log.ts';
import type { Certificates } from '../../src/commands/certs.ts';
import { type Answer, connect } from '../../src/commands/demo/review.ts';
import { type RunningWebhook, startWebhook } from '../../src/commands/webhook.ts';
import { freePort } from '../support/free-port.ts';
import type { ContainerFields } from '../support/kubelet.ts';
import type { Server } from './servers.ts';

/** A webhook that asks registries, and a client of it. */
export interface Webhook {
  /** Has a pod judged as the API server would; returns its container as it would be created. */
  admit(container: ContainerFields & { readonly image: string }, spec?: object): Promise<Admitted>;
  /** Has a Deployment judged that is to be created. */
  validate(spec: object): Promise<Answer>;
  /** The lines of `/metrics` that begin so. */
  metrics(prefix: string): Promise<readonly string[]>;
  readonly running: RunningWebhook;
  close(): Promise<void>;
}

/** A pod as it would be created. */
export interface Admitted {
  readonly container: ContainerFields;
  readonly wrapped: boolean;
  readonly answer: Answer;
}

/** Where it runs, and what it is told. */
interface WebhookParts {
  readonly folder: string;
  readonly certificates: Certificates;
  /** The key `images` of the configuration. */
  readonly images: object;
  /** An API server to read pull secrets from. */
  readonly api?: Server;
}

/** Starts the real webhook on a free port, with look-ups on. */
export async function startTestWebhook({
  folder,
  certificates,
  images,
  api,
}: WebhookParts): Promise<Webhook> {
  const home = mkdtempSync(join(folder, 'webhook-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(home, name), text, { mode: 0o600 });
    return join(home, name);
  };
  const namespaces = ['shop', 'other'].map(
    (name) =>
      `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: {gravekeeper.dev/inject: auto}}\n`,
  );
  const running = await startWebhook({
    host: '127.0.0.1',
    port: 0,
    // 0 would mean that there are no metrics.
    metricsPort: await freePort(),
    cert: file('tls.crt', certificates.cert),
    key: file('tls.key', certificates.key),
    namespaces: file('namespaces.yaml', namespaces.join('---\n')),
    config: file('config.yaml', JSON.stringify({ images })),
    resolveImages: true,
    ...(api ? { pullSecrets: true, kubeconfig: file('kubeconfig', kubeconfigOf(api, certificates)) } : {}),
    shutdownDelaySeconds: 0,
    log: createLog('silent'),
  });
  const client = connect(running.port, certificates.ca);
  return {
    running,
    async admit(container, spec = {}) {
      const object = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          generateName: 'app-',
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'app', uid: 'x', controller: true },
          ],
        },
        spec: { containers: [{ name: 'app', ...container }], ...spec },
      };
      const answer = await client.ask({ webhook: 'mutate', operation: 'CREATE', namespace: 'shop', object });
      const patched = structuredClone(object);
      fjp.applyPatch(patched, structuredClone(answer.patch) as unknown as Operation[], true);
      const [after = {}] = patched.spec.containers as readonly ContainerFields[];
      return { container: after, wrapped: after.command?.[0]?.endsWith('/tini') === true, answer };
    },
    async validate(spec) {
      const object = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'app' },
        spec: { template: { spec } },
      };
      return await client.ask({ webhook: 'validate', operation: 'CREATE', namespace: 'shop', object });
    },
    async metrics(prefix) {
      const text = await (await fetch(`http://127.0.0.1:${running.metricsPort}/metrics`)).text();
      return text.split('\n').filter((line) => line.startsWith(prefix));
    },
    async close() {
      client.close();
      await running.close();
    },
  };
}

function kubeconfigOf({ host }: Server, { ca }: Certificates): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [
      {
        name: 'test',
        cluster: {
          server: `https://${host}`,
          'certificate-authority-data': Buffer.from(ca).toString('base64'),
        },
      },
    ],
    users: [{ name: 'test', user: { token: 'test' } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  });
}
