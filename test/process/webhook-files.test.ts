import { once } from 'node:events';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../../src/commands/certs.ts';
import { type RunningWebhook, startWebhook, type WebhookOptions } from '../../src/commands/webhook.ts';
import { captureLog } from '../support/captured-log.ts';
import { type FakeApiServer, failing, startFakeApiServer } from '../support/fake-api-server.ts';
import { type MountedFiles, mountFiles } from '../support/mounted-files.ts';
import { realisticReview } from '../support/review.ts';
import { saysReady } from '../support/webhook-load.ts';

const closers: (() => unknown)[] = [];
let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const namespace = (inject: string) =>
  `apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {gravekeeper.dev/inject: ${inject}}}\n`;

/** Starts a webhook on files that change like mounted ones. */
async function start(
  files: Readonly<Record<string, string>>,
  options: (mounted: MountedFiles) => Partial<WebhookOptions>,
) {
  const always = { 'tls.crt': certificates.cert, 'tls.key': certificates.key };
  const mounted = mountFiles({ ...always, ...files });
  closers.push(mounted.remove);
  const captured = captureLog();
  const webhook = await startWebhook({
    host: '127.0.0.1',
    port: 0,
    metricsPort: 0,
    cert: mounted.path('tls.crt'),
    key: mounted.path('tls.key'),
    shutdownDelaySeconds: 0,
    log: captured.log,
    watch: { settleMs: 10 },
    ...options(mounted),
  });
  closers.push(() => webhook.close());
  return {
    webhook,
    captured,
    publish: (changed: Readonly<Record<string, string>>) =>
      mounted.publish({ ...always, ...files, ...changed }),
  };
}

/** Whether a pod of the namespace shop would be changed. */
async function changes({ port }: RunningWebhook, path = '/mutate'): Promise<boolean> {
  const call = request({
    host: '127.0.0.1',
    port,
    path,
    method: 'POST',
    ca: certificates.ca,
    servername: 'localhost',
    agent: false,
    headers: { 'content-type': 'application/json' },
  }).end(JSON.stringify(realisticReview('shop')));
  const [response] = await once(call, 'response');
  return JSON.stringify(await json(response)).includes('"patch"');
}

it('takes a changed configuration over, and keeps the last good one', async () => {
  const { webhook, captured, publish } = await start(
    { 'ns.yaml': namespace('auto'), 'config.yaml': '' },
    (mounted) => ({
      namespaces: mounted.path('ns.yaml'),
      config: mounted.path('config.yaml'),
    }),
  );
  expect(await changes(webhook)).toBe(true);

  let reloaded = captured.next('configuration reloaded');
  publish({ 'config.yaml': 'exemptNamespaces: [shop]\n' });
  await reloaded;
  expect(await changes(webhook)).toBe(false);

  for (const [broken, why] of [
    [
      'exemptNamespaces: []\nrules: {erlang-cli: {severity: terrible}}\n',
      'config.yaml:2: rules.erlang-cli.severity: ',
    ],
    ['exemptNamespaces: [\n', 'not valid YAML'],
    ['exemptNamespace: [shop]\n', 'config.yaml:1: exemptNamespace: is not a known key'],
  ] as const) {
    const refused = captured.next('the changed configuration is not used, the last good one stays');
    publish({ 'config.yaml': broken });
    expect(await refused).toMatchObject({ level: 'error', msg: expect.stringContaining(why) });
    expect(await changes(webhook)).toBe(false);
  }

  reloaded = captured.next('configuration reloaded');
  publish({ 'config.yaml': '# all is default again\n' });
  await reloaded;
  expect(await changes(webhook)).toBe(true);
});

it('takes changed namespaces over', async () => {
  const { webhook, captured, publish } = await start({ 'ns.yaml': namespace('none') }, (mounted) => ({
    namespaces: mounted.path('ns.yaml'),
  }));
  expect(await changes(webhook)).toBe(false);
  const reloaded = captured.next('list of namespaces reloaded');
  publish({ 'ns.yaml': namespace('auto') });
  await reloaded;
  expect(await changes(webhook)).toBe(true);
});

it('leaves its own namespace alone', async () => {
  const { webhook } = await start({ 'ns.yaml': namespace('auto') }, (mounted) => ({
    namespaces: mounted.path('ns.yaml'),
    ownNamespace: 'shop',
  }));
  expect(await changes(webhook)).toBe(false);
});

it('serves metrics on a port of their own, over plain HTTP', async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const address = free.address();
  const metricsPort = typeof address === 'object' ? (address?.port ?? 0) : 0;
  free.close();
  await once(free, 'close');
  const { webhook } = await start({ 'ns.yaml': namespace('auto') }, (mounted) => ({
    namespaces: mounted.path('ns.yaml'),
    metricsPort,
  }));
  expect(webhook.metricsPort).toBe(metricsPort);
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(metrics).toContain('gravekeeper_namespace_cache_synced 1\n');
});

async function inCluster(api: FakeApiServer) {
  closers.push(() => api.close());
  return start({ kubeconfig: api.kubeconfig }, (mounted) => ({ kubeconfig: mounted.path('kubeconfig') }));
}

it('is ready once it knows the namespaces of its cluster, and follows them', async () => {
  const api = await startFakeApiServer();
  api.set('shop', { 'gravekeeper.dev/inject': 'auto' });
  api.always('list', failing(403));
  const { webhook, captured } = await inCluster(api);
  expect(webhook.ready()).toBe(false);
  expect(await saysReady(webhook.port, certificates.ca)).toBe(false);
  expect(await changes(webhook)).toBe(false);

  const watching = api.next('watch');
  const listed = captured.next('namespaces listed: ready');
  api.always('list', null);
  expect(await listed).toMatchObject({ count: 1 });
  expect(await saysReady(webhook.port, certificates.ca)).toBe(true);
  expect(await changes(webhook)).toBe(true);
  await watching;
  api.cut();
  await api.close();
  expect(await saysReady(webhook.port, certificates.ca)).toBe(true);
  expect(await changes(webhook)).toBe(true);
});

it('asks for a namespace afresh when the API server knows better', async () => {
  const api = await startFakeApiServer();
  api.set('shop', {});
  const watching = api.next('watch');
  const { webhook } = await inCluster(api);
  await watching;
  api.setUnheard('shop', { 'gravekeeper.dev/inject': 'auto' });
  expect(await changes(webhook, '/mutate/namespace-inject')).toBe(true);
  expect(await changes(webhook)).toBe(true);
  expect(api.count('get')).toBe(1);
});
