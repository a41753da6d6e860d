import { describe, expect, it } from 'vitest';
import {
  createMetrics,
  denialOutcomes,
  outcomes,
  results,
  watchRestartCauses,
  webhooks,
} from '../../../src/admission/metrics.ts';
import { reasonCodes } from '../../../src/reasons.ts';
import { sectionOf, tableIn } from '../metrics-page.ts';

const section = sectionOf('The webhook');

/** Metrics after everything that can be counted was counted once. */
function everythingCounted() {
  const metrics = createMetrics({ version: '1.2.3' });
  metrics.reviewed('mutate', 'patched', 0.004);
  metrics.remedied('tini', 'argv-known', false);
  metrics.remedied(null, 'host-pid', true);
  metrics.found('erlang-cli', 'warning');
  metrics.denialDecided('erlang-cli', 'refused');
  metrics.namespaceRefreshed('success');
  metrics.certificateLoaded(new Date('2030-01-01T00:00:00Z'));
  metrics.certificateReloaded('failure');
  metrics.configurationReloaded('success');
  metrics.namespaceCacheSynced(true);
  metrics.namespaceWatchRestarted('error');
  return metrics;
}

describe('createMetrics', () => {
  it('counts what it is told', async () => {
    const text = await everythingCounted().registry.metrics();
    const lines = text.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'gravekeeper_admission_requests_total{webhook="mutate",outcome="patched"} 1',
        'gravekeeper_admission_duration_seconds_bucket{le="0.0025",webhook="mutate"} 0',
        'gravekeeper_admission_duration_seconds_bucket{le="0.005",webhook="mutate"} 1',
        'gravekeeper_remedies_total{remedy="tini",reason="argv-known",dry_run="false"} 1',
        'gravekeeper_remedies_total{remedy="none",reason="host-pid",dry_run="true"} 1',
        'gravekeeper_findings_total{rule="erlang-cli",severity="warning"} 1',
        'gravekeeper_denials_total{rule="erlang-cli",outcome="refused"} 1',
        'gravekeeper_namespace_refreshes_total{result="success"} 1',
        'gravekeeper_certificate_expiry_timestamp_seconds 1893456000',
        'gravekeeper_certificate_reloads_total{result="failure"} 1',
        'gravekeeper_configuration_reloads_total{result="success"} 1',
        'gravekeeper_namespace_cache_synced 1',
        'gravekeeper_namespace_watch_restarts_total{cause="error"} 1',
        `gravekeeper_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
      ]),
    );
  });

  it('shows counters of fixed labels from the start, so that their first increase is seen', async () => {
    const text = await createMetrics({ version: '1' }).registry.metrics();
    for (const webhook of webhooks) {
      for (const outcome of outcomes) {
        expect(text).toContain(
          `gravekeeper_admission_requests_total{webhook="${webhook}",outcome="${outcome}"} 0`,
        );
      }
      expect(text).toContain(`gravekeeper_admission_duration_seconds_count{webhook="${webhook}"} 0`);
    }
    expect(text).toContain('gravekeeper_certificate_reloads_total{result="failure"} 0');
    expect(text).toContain('gravekeeper_namespace_watch_restarts_total{cause="stalled"} 0');
  });

  it('does not claim that an unknown certificate expired in 1970', async () => {
    const text = await createMetrics({ version: '1' }).registry.metrics();
    expect(text).not.toMatch(/^gravekeeper_certificate_expiry_timestamp_seconds /m);
  });

  it('keeps a registry of its own', async () => {
    const metrics = createMetrics({ version: '1' });
    createMetrics({ version: '2' }).found('erlang-cli', 'error');
    expect(await metrics.registry.metrics()).not.toContain('rule="erlang-cli"');
  });

  it('follows the naming rules of OpenMetrics', async () => {
    for (const { name, type } of await everythingCounted().registry.getMetricsAsJSON()) {
      expect(name).toMatch(/^gravekeeper_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total')).toBe(String(type) === 'counter');
    }
  });
});

describe('docs/metrics.md on the webhook', () => {
  it('lists every metric with its type, labels and meaning, and no other', async () => {
    const metrics = await everythingCounted().registry.getMetricsAsJSON();
    const registered = metrics.map(({ name, type, help, values }) => {
      const labels = Object.keys(values[0]?.labels ?? {}).filter((label) => label !== 'le');
      return [name, String(type), labels.join(', '), help];
    });
    expect(tableIn(section, 'metric').sort()).toEqual(registered.sort());
  });

  it('lists the values of every label that has a fixed list', () => {
    const listed = Object.fromEntries(
      tableIn(section, 'label').map(([label = '', values = '']) => [label, values]),
    );
    expect(listed).toMatchObject({
      webhook: webhooks.join(', '),
      'outcome of gravekeeper_admission_requests_total': outcomes.join(', '),
      'outcome of gravekeeper_denials_total': denialOutcomes.join(', '),
      result: results.join(', '),
      cause: watchRestartCauses.join(', '),
    });
    for (const outcome of [...outcomes, ...denialOutcomes]) expect(section).toContain(`\n- \`${outcome}\`: `);
  });

  it('names only metrics and reasons that exist in its examples', async () => {
    const names = (await everythingCounted().registry.getMetricsAsJSON()).map(({ name }) => name);
    for (const [name] of section.matchAll(/gravekeeper_[a-z_]+/g)) {
      expect(names).toContain(name.replace(/_bucket$/, ''));
    }
    const silenced = /reason!~"([^"]+)"/.exec(section)?.[1] ?? '';
    for (const pattern of silenced.split('|')) {
      expect(reasonCodes.some((code) => new RegExp(`^${pattern}$`).test(code))).toBe(true);
    }
  });
});
