// What the webhook costs: the API server's own measure of its calls in this run, and the time that a creation takes in a
// namespace that opted in, as a ratio to one that did not. Told, not judged: machines differ.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask, tryCreate } from '../kit/api.ts';
import { namespace } from '../kit/namespaces.ts';
import { container, pod, podSpec, sleeping } from '../kit/pods.ts';
import { statusOf } from '../kit/product.ts';

const pairs = 300;
const histogram = 'apiserver_admission_webhook_admission_duration_seconds';

/** How long the API server says its calls of a webhook took, in milliseconds: the mean, and bounds of quantiles. */
async function latencyOf(webhook: string) {
  const { body } = await ask<string>('GET', '/metrics');
  const lines = body
    .split('\n')
    .filter((line) => line.startsWith(histogram) && line.includes(`name="${webhook}"`));
  const amountOf = (line: string) => Number(line.slice(line.lastIndexOf(' ') + 1));
  const total = (part: string) =>
    lines
      .filter((line) => line.startsWith(`${histogram}_${part}`))
      .reduce((sum, line) => sum + amountOf(line), 0);
  const buckets = new Map<number, number>();
  for (const line of lines) {
    const bound = /_bucket.* ?le="([^"]+)"/.exec(line)?.[1];
    if (bound === undefined) continue;
    const seconds = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
    buckets.set(seconds, (buckets.get(seconds) ?? 0) + amountOf(line));
  }
  const count = total('count');
  const below = (share: number) =>
    [...buckets].sort(([a], [b]) => a - b).find(([, upTo]) => upTo >= count * share)?.[0] ?? 0;
  return {
    calls: count,
    meanMs: round((1000 * total('sum')) / count),
    p50BelowMs: 1000 * below(0.5),
    p99BelowMs: 1000 * below(0.99),
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;

describe('the time that the webhook takes', () => {
  it('is told', async (test) => {
    const plain = await namespace();
    const opted = await namespace({ inject: 'auto' });
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
    const mutate = await latencyOf('namespace-inject.mutate.gravekeeper.dev');
    const validate = await latencyOf('namespace-inject.validate.gravekeeper.dev');
    assert.ok(mutate.calls >= pairs && validate.calls >= pairs);
    const creation = { plainMs: round(plainMs), optedMs: round(optedMs), ratio: round(optedMs / plainMs) };
    test.diagnostic(JSON.stringify({ creation, mutate, validate }));
  });
});
