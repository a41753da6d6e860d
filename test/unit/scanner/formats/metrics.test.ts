import { describe, expect, it } from 'vitest';
import { createScanMetrics, eventResults, results } from '../../../../src/scanner/formats/metrics.ts';
import { limitScopes, zombieKinds } from '../../../../src/scanner/report.ts';
import { sectionOf, tableIn } from '../../metrics-page.ts';
import { groupWith, nodeLimit, podLimit, remedyCheck, reportOfLeak, reportWith } from './reports.ts';

const section = sectionOf('The scanner');

/** Metrics after everything that can be counted was counted once. */
function everythingCounted(maxSeries = 10) {
  const metrics = createScanMetrics({ version: '1.2.3', maxSeries });
  const nodeLimits = [nodeLimit('pid_max', 1102, 32_768), nodeLimit('threads-max', 1102, 40_000)];
  const groups = [groupWith(), groupWith({ pod: 'web-2', count: 2, newPerHour: null })];
  const remedies = [remedyCheck(), remedyCheck({ pod: 'cart-1', works: false })];
  metrics.passed(reportOfLeak({ groups, limits: [podLimit(), ...nodeLimits], remedies }), 0.004);
  metrics.failed(2);
  metrics.eventCounted('refused');
  metrics.podsListed('success');
  return metrics;
}

async function linesOf(metrics: ReturnType<typeof createScanMetrics>): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('createScanMetrics', () => {
  it('shows what the last pass found', async () => {
    expect(await linesOf(everythingCounted())).toEqual(
      expect.arrayContaining([
        'gravekeeper_zombies{namespace="shop",pod="web-1",container="app",kind="orphan"} 300',
        'gravekeeper_zombies{namespace="shop",pod="web-2",container="app",kind="orphan"} 2',
        'gravekeeper_zombies_new_per_hour{namespace="shop",pod="web-1",container="app",kind="orphan"} 90',
        'gravekeeper_zombie_oldest_seconds{namespace="shop",pod="web-1",container="app",kind="orphan"} 12000',
        'gravekeeper_node_zombies 302',
        'gravekeeper_node_pids_used 1102',
        'gravekeeper_node_pids_limit{scope="pid_max"} 32768',
        'gravekeeper_node_pids_limit{scope="threads-max"} 40000',
        'gravekeeper_pids_exhaustion_seconds{scope="pod"} 12000',
        'gravekeeper_scan_unreadable_processes 0',
        'gravekeeper_scan_last_success_timestamp_seconds 1795143600',
        'gravekeeper_remedy_working{namespace="shop",pod="cart-0",remedy="tini"} 1',
        'gravekeeper_remedy_working{namespace="shop",pod="cart-1",remedy="tini"} 0',
        'gravekeeper_scan_series_dropped 0',
        'gravekeeper_scan_duration_seconds_bucket{le="0.005"} 1',
        'gravekeeper_scan_duration_seconds_count 2',
        'gravekeeper_scans_total{result="success"} 1',
        'gravekeeper_scans_total{result="failure"} 1',
        'gravekeeper_scan_events_total{result="refused"} 1',
        'gravekeeper_pod_lists_total{result="success"} 1',
        `gravekeeper_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
      ]),
    );
  });

  it('leaves out what is not known', async () => {
    const text = (await linesOf(everythingCounted())).join('\n');
    expect(text).not.toMatch(/new_per_hour\{.*web-2/);
    expect(text).not.toMatch(/node_pids_limit\{scope="pod"/);
    expect(text).not.toMatch(/exhaustion_seconds\{scope="pid_max"/);
  });

  it('forgets what was there in the pass before', async () => {
    const metrics = everythingCounted();
    const pids = { used: null, limit: null, limitedBy: null, secondsToExhaustion: null, unreadable: 3 };
    metrics.passed(reportWith({ pids, limits: [] }), 1);
    const text = (await linesOf(metrics)).join('\n');
    expect(text).not.toMatch(/namespace=|scope=|node_pids_used/);
    expect(text).toContain('gravekeeper_node_zombies 0\n');
    expect(text).toContain('gravekeeper_scan_unreadable_processes 3\n');
  });

  it('bounds the series of pods', async () => {
    const lines = await linesOf(everythingCounted(1));
    expect(lines).toContain('gravekeeper_zombies{namespace="(other)",pod="",container="",kind="orphan"} 2');
    expect(lines).toContain('gravekeeper_remedy_working{namespace="(other)",pod="",remedy="tini"} 1');
    expect(lines).toContain('gravekeeper_scan_series_dropped 2');
    expect(lines.join('\n')).not.toContain('web-2');
  });

  it('takes the soonest end of each scope', async () => {
    const limits = [
      podLimit({ secondsToExhaustion: 900 }),
      podLimit({ secondsToExhaustion: 70 }),
      podLimit(),
    ];
    const metrics = createScanMetrics({ version: '1', maxSeries: 10 });
    metrics.passed(reportWith({ limits }), 1);
    expect(await linesOf(metrics)).toContain('gravekeeper_pids_exhaustion_seconds{scope="pod"} 70');
  });

  it('shows names of strangers on one line, between their quotes', async () => {
    const metrics = createScanMetrics({ version: '1', maxSeries: 10 });
    const hostile = groupWith({ namespace: 'a"} 1\nb', pod: '\\"\\', container: '\x1b[31m\u202e' });
    metrics.passed(reportWith({ groups: [hostile] }), 1);
    expect(await linesOf(metrics)).toContain(
      'gravekeeper_zombies{namespace="a\\"} 1\\\\x0ab",pod="\\\\\\"\\\\",' +
        'container="\\\\x1b[31m\\\\u{202e}",kind="orphan"} 300',
    );
  });

  it('claims nothing of the node before the first pass went through', async () => {
    const metrics = createScanMetrics({ version: '1', maxSeries: 10 });
    metrics.failed(1);
    const gauges = (await metrics.registry.getMetricsAsJSON()).filter(({ type }) => String(type) === 'gauge');
    expect(gauges.filter(({ values }) => values.length > 0).map(({ name }) => name)).toEqual([
      'gravekeeper_build_info',
    ]);
  });

  it('shows counters from the start, so that their first increase is seen', async () => {
    const lines = await linesOf(createScanMetrics({ version: '1', maxSeries: 10 }));
    for (const result of results) {
      expect(lines).toContain(`gravekeeper_scans_total{result="${result}"} 0`);
      expect(lines).toContain(`gravekeeper_pod_lists_total{result="${result}"} 0`);
    }
    for (const result of eventResults) {
      expect(lines).toContain(`gravekeeper_scan_events_total{result="${result}"} 0`);
    }
  });

  it('keeps a registry of its own', async () => {
    const metrics = createScanMetrics({ version: '1', maxSeries: 10 });
    everythingCounted();
    expect(await metrics.registry.metrics()).not.toContain('namespace=');
  });

  it('follows the naming rules of OpenMetrics', async () => {
    for (const { name, type } of await everythingCounted().registry.getMetricsAsJSON()) {
      expect(name).toMatch(/^gravekeeper_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total')).toBe(String(type) === 'counter');
    }
  });
});

describe('docs/metrics.md on the scanner', () => {
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
      kind: zombieKinds.join(', '),
      'scope of gravekeeper_pids_exhaustion_seconds': limitScopes.join(', '),
      result: results.join(', '),
      'result of gravekeeper_scan_events_total': eventResults.join(', '),
    });
    for (const value of [...zombieKinds, ...eventResults]) expect(section).toContain(`\n- \`${value}\`: `);
  });

  it('names only metrics that exist in its examples', async () => {
    const names = (await everythingCounted().registry.getMetricsAsJSON()).map(({ name }) => name);
    for (const [name] of section.matchAll(/gravekeeper_[a-z_]+/g)) expect(names).toContain(name);
  });
});
