import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
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
const ignore = async () => {};
const forTime = (signal = new AbortController().signal) => ({ most: 3000, signal });

it('lists the pods of a namespace that have not ended', async () => {
  server.answer(() => json({ metadata: {}, items: [{ metadata: { name: 'a' } }] }));
  const previewPods = await podLister(kubeconfig());
  const seen: unknown[] = [];
  const eachPod = async (pod: unknown) => void seen.push(pod);
  expect(await previewPods((list) => list('shop', eachPod, forTime()))).toEqual({ more: false });
  expect(seen).toEqual([{ metadata: { name: 'a' } }]);
  expect(server.asked).toMatchObject([{ method: 'GET', path: '/api/v1/namespaces/shop/pods' }]);
  expect(server.asked[0]?.query.get('fieldSelector')).toBe('status.phase!=Succeeded,status.phase!=Failed');
});

it('hands over a pod when the one before is done with, and none after one that failed', async () => {
  const items = Array.from({ length: 300 }, (_, index) => ({ index, padding: 'x'.repeat(2000) }));
  server.answer(() => json({ metadata: {}, items }));
  const previewPods = await podLister(kubeconfig());
  const seen: unknown[] = [];
  let isBusy = false;
  const eachPod = async ({ index }: { index?: unknown }) => {
    expect(isBusy).toBe(false);
    isBusy = true;
    await setImmediate();
    isBusy = false;
    seen.push(index);
  };
  await previewPods((list) => list('shop', eachPod, forTime()));
  expect(seen).toEqual(items.map(({ index }) => index));
  seen.length = 0;
  const failsLater = async (pod: { index?: unknown }) => {
    await eachPod(pod);
    if (pod.index === 150) throw new Error('enough');
  };
  await expect(previewPods((list) => list('shop', failsLater, forTime()))).rejects.toThrow('enough');
  expect(seen).toHaveLength(151);
});

it('fails in words where that is forbidden', async () => {
  server.answer(() => failing(403));
  const previewPods = await podLister(kubeconfig());
  await expect(previewPods((list) => list('shop', ignore, forTime()))).rejects.toThrow(
    /^HTTP 403 for .*: told to fail/,
  );
});

it('runs two previews at a time, each to its end, and the next when one has ended', async () => {
  server.answer(() => json({ items: [] }));
  const previewPods = await podLister(kubeconfig());
  const end = Promise.withResolvers<void>();
  const listed = [1, 2].map(() => Promise.withResolvers<void>());
  const ended = listed.map(({ resolve }) =>
    previewPods(async (list) => {
      await list('shop', ignore, forTime());
      resolve();
      await end.promise;
      throw new Error('this one failed');
    }).catch((error) => error),
  );
  await Promise.all(listed.map(({ promise }) => promise));
  await expect(previewPods(async () => {})).rejects.toThrow('2 previews are under way already');
  end.resolve();
  expect(await Promise.all(ended)).toMatchObject([
    { message: 'this one failed' },
    { message: 'this one failed' },
  ]);
  expect(await previewPods(async () => 'done')).toBe('done');
});

it('ends with the time of a preview', async () => {
  server.answer(() => silent);
  const previewPods = await podLister(kubeconfig());
  const over = new AbortController();
  const ended = previewPods((list) => list('shop', ignore, forTime(over.signal)));
  over.abort(new Error('the time is up'));
  await expect(ended).rejects.toThrow('the time is up');
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
