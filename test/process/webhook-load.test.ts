import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../../src/commands/certs.ts';
import { type RunningWebhook, startWebhook } from '../../src/commands/webhook.ts';
import { captureLog } from '../support/captured-log.ts';
import { type MountedFiles, mountFiles } from '../support/mounted-files.ts';
import { saysReady, servedFingerprint, startLoad } from '../support/webhook-load.ts';

const namespaces = [
  'apiVersion: v1',
  'kind: Namespace',
  'metadata: {name: shop, labels: {gravekeeper.dev/inject: auto}}',
].join('\n');
const closers: (() => unknown)[] = [];
let pairs: readonly [Certificates, Certificates, Certificates];
let ca: string;

beforeAll(async () => {
  pairs = await Promise.all([makeCertificates(), makeCertificates(), makeCertificates()]);
  ca = pairs.map((pair) => pair.ca).join('');
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const filesOf = ({ cert, key }: Certificates) => ({ 'tls.crt': cert, 'tls.key': key, 'ns.yaml': namespaces });

async function start(mounted: MountedFiles, shutdownDelaySeconds: number) {
  const captured = captureLog();
  const webhook = await startWebhook({
    host: '127.0.0.1',
    port: 0,
    metricsPort: 0,
    cert: mounted.path('tls.crt'),
    key: mounted.path('tls.key'),
    namespaces: mounted.path('ns.yaml'),
    shutdownDelaySeconds,
    log: captured.log,
    watch: { settleMs: 20 },
  });
  return { webhook, captured };
}

function mount(): MountedFiles {
  const mounted = mountFiles(filesOf(pairs[0]));
  closers.push(mounted.remove);
  return mounted;
}

it('answers every review while its certificate is replaced, also by a broken one', async () => {
  const mounted = mount();
  const { webhook, captured } = await start(mounted, 0);
  closers.push(() => webhook.close());
  const loads = [true, false].map((keepAlive) =>
    startLoad({ ports: () => [webhook.port], ca, clients: 2, keepAlive }),
  );
  closers.push(() => Promise.all(loads.map((load) => load.stop())));
  const goOn = () => Promise.all(loads.map((load) => load.more(20)));
  await goOn();

  const [first, second, third] = pairs;
  for (const pair of [second, third, first, second]) {
    const before = await servedFingerprint(webhook.port, ca);
    const reloaded = captured.next('certificate reloaded');
    mounted.publish(filesOf(pair));
    const { fingerprint } = await reloaded;
    expect(await servedFingerprint(webhook.port, ca)).toBe(fingerprint);
    expect(fingerprint).not.toBe(before);
    await goOn();

    const refused = captured.next('the changed certificate is not used');
    const another = pair === first ? second : first;
    mounted.publish({ ...filesOf(pair), 'tls.key': another.key });
    expect(await refused).toMatchObject({ level: 'error' });
    await goOn();
    expect(await servedFingerprint(webhook.port, ca)).toBe(fingerprint);
  }
  for (const load of loads) await load.stop();
  expect(loads.map(({ failures }) => failures)).toEqual([[], []]);
});

it('loses no review while replicas are replaced one after the other', async () => {
  const mounted = mount();
  const running: RunningWebhook[] = [];
  const replica = async () => {
    const { webhook } = await start(mounted, 1);
    running.push(webhook);
    return webhook;
  };
  let replicas: readonly RunningWebhook[] = await Promise.all([replica(), replica()]);

  // Who asks is told where to go as by a Service: those that said they were ready when last looked at.
  let endpoints = replicas.map(({ port }) => port);
  const looking = new AbortController();
  const look = async () => {
    while (!looking.signal.aborted) {
      const ports = replicas.map(({ port }) => port);
      const ready = await Promise.all(ports.map((port) => saysReady(port, ca)));
      endpoints = ports.filter((_, index) => ready[index]);
      await delay(20, undefined, { signal: looking.signal }).catch(() => {});
    }
  };
  const looked = look();
  const loads = [true, false].map((keepAlive) =>
    startLoad({ ports: () => endpoints, ca, clients: 2, keepAlive }),
  );
  closers.push(async () => {
    looking.abort();
    await Promise.all([looked, ...loads.map((load) => load.stop())]);
    await Promise.all(running.map((webhook) => webhook.close(AbortSignal.abort())));
  });

  for (let round = 0; round < 2; round += 1) {
    const [old] = replicas;
    const next = await replica();
    replicas = [...replicas, next];
    await Promise.all(loads.map((load) => load.more(20)));
    if (!old) throw new Error('there is a first replica');
    expect(old.ready()).toBe(true);
    const closed = old.close();
    expect(old.ready()).toBe(false);
    await closed;
    replicas = replicas.filter((other) => other !== old);
    await Promise.all(loads.map((load) => load.more(20)));
  }
  for (const load of loads) await load.stop();
  expect(loads.map(({ failures }) => failures)).toEqual([[], []]);
});
