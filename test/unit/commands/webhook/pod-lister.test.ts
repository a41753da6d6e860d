import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { podLister } from '../../../../src/commands/webhook/pod-lister.ts';
import { failing, silent } from '../../../support/fake-api-server.ts';
import { json, type ScriptedServer, startScriptedServer } from '../../kube/scripted-server.ts';

let server: ScriptedServer;
let folder: string;
beforeAll(async () => {
  server = await startScriptedServer();
  folder = mkdtempSync(join(tmpdir(), 'gravekeeper-kubeconfig-'));
  const cluster = {
    server: `https://127.0.0.1:${server.port}`,
    'certificate-authority-data': Buffer.from(server.ca).toString('base64'),
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'it',
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    clusters: [{ name: 'it', cluster }],
    users: [{ name: 'it', user: { token: 'the-token' } }],
  };
  writeFileSync(join(folder, 'config'), JSON.stringify(config));
});
beforeEach(() => server.reset());
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.close();
});

const kubeconfig = () => join(folder, 'config');
const forTime = (signal = new AbortController().signal) => ({ most: 3000, signal });

it('lists the pods of a namespace that have not ended', async () => {
  server.answer(() => json({ metadata: {}, items: [{ metadata: { name: 'a' } }] }));
  const listPods = await podLister(kubeconfig());
  const seen: unknown[] = [];
  expect(await listPods('shop', (pod) => void seen.push(pod), forTime())).toEqual({ more: false });
  expect(seen).toEqual([{ metadata: { name: 'a' } }]);
  expect(server.asked).toMatchObject([{ method: 'GET', path: '/api/v1/namespaces/shop/pods' }]);
  expect(server.asked[0]?.query.get('fieldSelector')).toBe('status.phase!=Succeeded,status.phase!=Failed');
});

it('fails in words where that is forbidden', async () => {
  server.answer(() => failing(403));
  const listPods = await podLister(kubeconfig());
  await expect(listPods('shop', () => {}, forTime())).rejects.toThrow(/^HTTP 403 for .*: told to fail/);
});

it('serves two at a time, and the next when one has ended', async () => {
  server.answer(() => silent);
  const listPods = await podLister(kubeconfig());
  const over = new AbortController();
  const ended = [1, 2].map(() => listPods('shop', () => {}, forTime(over.signal)).catch((error) => error));
  await expect(listPods('shop', () => {}, forTime())).rejects.toThrow('2 previews are under way already');
  over.abort(new Error('the time is up'));
  expect(await Promise.all(ended)).toMatchObject([
    { message: 'the time is up' },
    { message: 'the time is up' },
  ]);
  server.answer(() => json({ items: [] }));
  expect(await listPods('shop', () => {}, forTime())).toEqual({ more: false });
});

it('wants a cluster', async () => {
  const { KUBECONFIG: _, KUBERNETES_SERVICE_HOST: __, ...rest } = process.env;
  const before = process.env;
  process.env = rest;
  try {
    await expect(podLister(undefined)).rejects.toThrow('--relabel-preview needs a cluster');
  } finally {
    process.env = before;
  }
});
