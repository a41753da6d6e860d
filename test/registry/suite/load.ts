import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { connect } from '../../../src/commands/demo/review.ts';
import { push } from '../layout.ts';
import { atPace, type Paced } from '../pace.ts';
import { type MeddlingProxy, startProxy, user } from '../servers.ts';
import { certificates, layout, open, opened, proxy, servers, token, tokens, webhookWith } from '../stage.ts';
import type { Webhook } from '../webhook.ts';

const images = 20;
const pace = { perSecond: 200, seconds: 5 };
/** More than ever wait for a look-up at this pace: the deadline is 2.5 s. */
const connections = 200;

describe('200 pods a second of 20 images', () => {
  before(async () => {
    proxy.meddle(() => false);
    const credentials = `${user.name}:${user.password}`;
    for (let index = 0; index < images; index += 1) {
      await push(layout, 'both', `${open.host}/load/app${index}:v1`);
      await push(layout, 'both', `${token.host}/public/load${index}:v1`, { credentials });
    }
  });

  it('ask a registry for the manifest and the config of each image once, and never again', async () => {
    const webhook = await webhookWith();
    const load = loadOn(webhook, proxy, (index) => `load/app${index}`);
    const cold = await load();
    const asked = takeRequests(proxy);
    const warm = await load();
    tell('open', { cold, warm, asked });
    assert.deepEqual(asked, { 'GET manifests': images, 'GET blobs': images });
    assert.deepEqual(takeRequests(proxy), {});
    allAnswered(cold);
    allAnswered(warm);
    assert.equal(warm.good, warm.sent, 'all wrapped, since all is known');
    // A pod that waited as long as it may is admitted as it was.
    const [late = '0'] = (await webhook.metrics('gravekeeper_image_lookups_total{outcome="late"}')).map(
      (line) => line.slice(line.lastIndexOf(' ') + 1),
    );
    assert.equal(cold.good, cold.sent - Number(late));
  });

  it('ask a registry that wants a token once more for each image, and for one token each', async () => {
    const between = opened(await startProxy(token, certificates));
    const hosts = Object.fromEntries([between, tokens].map(({ host }) => [host, { privateAddress: true }]));
    const webhook = await webhookWith({ registries: [between.host], hosts });
    const load = loadOn(webhook, between, (index) => `public/load${index}`);
    const before = tokens.given.length;
    const cold = await load();
    const asked = takeRequests(between);
    const given = tokens.given.length - before;
    const warm = await load();
    tell('token', { cold, warm, asked, tokens: given });
    // The first request of each repository is how one learns where its tokens are.
    assert.deepEqual(asked, { 'GET manifests': 2 * images, 'GET blobs': images });
    assert.equal(given, images);
    assert.deepEqual(takeRequests(between), {});
    assert.equal(tokens.given.length - before, given);
    allAnswered(cold);
    allAnswered(warm);
    assert.equal(warm.good, warm.sent);
  });

  it('ask with one small request for each image whenever what is remembered of its tag is over', async () => {
    const webhook = await webhookWith({ cache: { tagSeconds: 1 } });
    const measured = await loadOn(webhook, proxy, (index) => `load/app${index}`)();
    const { 'HEAD manifests': heads = 0, ...rest } = takeRequests(proxy);
    tell('tags for a second', { measured, asked: { ...rest, heads } });
    assert.deepEqual(rest, { 'GET manifests': images, 'GET blobs': images });
    assert.ok(heads > 0);
    assert.ok(heads <= images * Math.floor(measured.seconds), `${heads} in ${measured.seconds} s`);
    allAnswered(measured);
  });

  function allAnswered({ sent, failed }: Paced): void {
    assert.equal(sent, pace.perSecond * pace.seconds);
    assert.equal(failed, 0, 'unanswered');
  }

  function tell(registry: string, measured: object): void {
    console.log(JSON.stringify({ registry, ...measured }));
  }

  /** What arrived since the last time, by method and kind. */
  function takeRequests({ arrived }: MeddlingProxy): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const line of arrived.splice(0)) {
      const [, method, kind] = /^(\w+) .*\/(manifests|blobs)\//.exec(line) ?? [];
      const key = `${method} ${kind}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
    return counts;
  }

  /** Sends pods of the images in turn, over connections that are kept, as the API server does. */
  function loadOn(
    webhook: Webhook,
    { host, arrived }: MeddlingProxy,
    repository: (index: number) => string,
  ): () => Promise<Paced> {
    const clients = Array.from({ length: connections }, () => connect(webhook.running.port, certificates.ca));
    servers.push({
      async close() {
        for (const client of clients) client.close();
      },
    });
    const workers = clients.map((client) => async (index: number) => {
      const image = `${host}/${repository(index % images)}:v1`;
      const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: 'x', controller: true };
      const object = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ownerReferences: [owner] },
        spec: { containers: [{ name: 'app', image }] },
      };
      const question = { webhook: 'mutate', operation: 'CREATE', namespace: 'shop', object } as const;
      const { allowed, patch } = await client.ask(question);
      assert.ok(allowed);
      return patch.length > 0;
    });
    arrived.length = 0;
    return () => atPace({ ...pace, workers });
  }
});
