// What the webhook costs: the API server's own measure of its calls in this run, and the time that a creation takes in a
// namespace that opted in, as a ratio to one that did not. Told, not judged: machines differ.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tryCreate } from '../kit/api.ts';
import { callsOf, callsSince, latencyOf } from '../kit/latency.ts';
import { namespace } from '../kit/namespaces.ts';
import { container, pod, podSpec, sleeping } from '../kit/pods.ts';
import { statusOf } from '../kit/product.ts';

const pairs = 300;
const round = (value: number): number => Math.round(value * 100) / 100;
const callsOfEach = async () => ({
  mutate: await callsOf('namespace-inject.mutate.gravekeeper.dev'),
  validate: await callsOf('namespace-inject.validate.gravekeeper.dev'),
});
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;

describe('the time that the webhook takes', () => {
  it('is told', async (test) => {
    const plain = await namespace();
    const opted = await namespace({ inject: 'auto' });
    const before = await callsOfEach();
    const took = { plain: [] as number[], opted: [] as number[] };
    for (let pair = 0; pair < pairs; pair += 1) {
      // In turns, so that whatever else the machine does slows both.
      for (const [name, target] of [
        ['plain', plain],
        ['opted', opted],
      ] as const) {
        const { status, body, ms } = await tryCreate(
          pod(target, 'pod', podSpec([container(sleeping)])),
          '?dryRun=All',
        );
        assert.equal(status, 201);
        assert.equal(statusOf(body) !== null, name === 'opted');
        took[name].push(ms);
      }
    }
    const [plainMs, optedMs] = [median(took.plain), median(took.opted)];
    const now = await callsOfEach();
    const mutate = latencyOf(callsSince(before.mutate, now.mutate));
    const validate = latencyOf(callsSince(before.validate, now.validate));
    assert.deepEqual([mutate.calls, validate.calls], [pairs, pairs], 'each is called once for each pod');
    const creation = { plainMs: round(plainMs), optedMs: round(optedMs), ratio: round(optedMs / plainMs) };
    test.diagnostic(JSON.stringify({ creation, mutate, validate }));
  });
});
