import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect } from '../../../src/commands/demo/review.ts';
import { push } from '../layout.ts';
import { certificates, layout, open, proxy, servers, webhookWith } from '../stage.ts';
import type { Webhook } from '../webhook.ts';

describe('200 pods of 20 images', () => {
  it('ask a registry for each image once, however they come', async () => {
    for (let index = 0; index < 20; index += 1)
      await push(layout, 'both', `${open.host}/load/app${index}:v1`);
    proxy.meddle(() => false);
    proxy.arrived.length = 0;
    const webhook = await webhookWith({ deadlineSeconds: 2.5 });
    const clients = await Promise.all(Array.from({ length: 8 }, () => clientOf(webhook)));
    const round = async () => {
      const started = performance.now();
      const pods = Array.from({ length: 200 }, (_, index) =>
        clients[index % clients.length]?.(`${proxy.host}/load/app${index % 20}:v1`),
      );
      const wrapped = (await Promise.all(pods)).filter(Boolean).length;
      return { wrapped, seconds: (performance.now() - started) / 1000 };
    };
    const cold = await round();
    const asked = proxy.arrived.length;
    const warm = await round();
    console.log(JSON.stringify({ cold, warm, requests: asked }));
    assert.equal(asked, 40, 'a manifest and a config for each image');
    assert.equal(proxy.arrived.length, asked, 'nothing more when they are known');
    assert.equal(warm.wrapped, 200);
    assert.equal(cold.wrapped, 200);
  });

  /** A connection of its own, so that pods come at the same time. */
  async function clientOf(webhook: Webhook): Promise<(image: string) => Promise<boolean>> {
    const client = connect(webhook.running.port, certificates.ca);
    servers.push({ close: async () => client.close() });
    return async (image) => {
      const object = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: 'x', controller: true },
          ],
        },
        spec: { containers: [{ name: 'app', image }] },
      };
      const { patch } = await client.ask({
        webhook: 'mutate',
        operation: 'CREATE',
        namespace: 'shop',
        object,
      });
      return patch.length > 0;
    };
  }
});
