import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { failureCauses, LookupFailure } from '../../../src/images/failure.ts';
import { createLookupMetrics, lookupOutcomes } from '../../../src/images/metrics.ts';
import { tableIn } from '../metrics-page.ts';

const page = readFileSync(new URL('../../../docs/images.md', import.meta.url), 'utf8');

describe('createLookupMetrics', () => {
  it('counts what it is told', async () => {
    const registry = new Registry();
    const metrics = createLookupMetrics(registry);
    for (const outcome of lookupOutcomes) metrics.lookedUp(outcome);
    metrics.fetched('success', 0.2);
    metrics.fetched('timeout', 5);
    const lines = (await registry.metrics()).split('\n');
    for (const outcome of lookupOutcomes) {
      expect(lines).toContain(`gravekeeper_image_lookups_total{outcome="${outcome}"} 1`);
    }
    expect(lines).toContain('gravekeeper_image_fetches_total{result="success"} 1');
    expect(lines).toContain('gravekeeper_image_fetches_total{result="timeout"} 1');
    expect(lines).toContain('gravekeeper_image_fetch_duration_seconds_count 2');
  });
});

describe('docs/images.md', () => {
  it('names every metric as it is', async () => {
    const registry = new Registry();
    createLookupMetrics(registry);
    const known = (await registry.getMetricsAsJSON()).map(({ name, type, help }) => [
      name,
      String(type),
      help,
    ]);
    const told = tableIn(page, 'metric').map(([name, type, , help]) => [name, type, help]);
    expect(told).toEqual(known);
  });

  it('names every cause, with its sentence', () => {
    const told = tableIn(page, 'cause').map(([cause = '', sentence = '']) => [cause, sentence.toLowerCase()]);
    const known = failureCauses.map((cause) => [cause, `${new LookupFailure(cause).message}.`.toLowerCase()]);
    expect(told).toEqual(known);
  });
});
