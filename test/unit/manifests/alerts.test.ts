import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createScanMetrics } from '../../../src/scanner/formats/metrics.ts';
import { describeWith, program } from '../../support/process.ts';
import { manifests, readManifest } from './read.ts';

const alerts = join(manifests, 'monitoring/alerts.yaml');
const tests = join(import.meta.dirname, '../../monitoring');

const ruleSchema = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string() }),
});
const rulesSchema = z.looseObject({
  spec: z.strictObject({
    groups: z.array(z.strictObject({ name: z.string(), rules: z.array(ruleSchema) })),
  }),
});

const dashboardSchema = z.looseObject({
  panels: z.array(
    z.looseObject({
      id: z.number(),
      title: z.string(),
      gridPos: z.strictObject({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(z.looseObject({ refId: z.string(), expr: z.string() })).default([]),
    }),
  ),
});

const { groups } = rulesSchema.parse(readManifest('monitoring/alerts.yaml')[0]).spec;
const rules = groups.flatMap((group) => group.rules);
const dashboard = dashboardSchema.parse(
  JSON.parse(readFileSync(join(manifests, 'monitoring/dashboard.json'), 'utf8')),
);
const expressions = [
  ...rules.map(({ alert, expr }) => ({ of: alert, expr })),
  ...dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ refId, expr }) => ({ of: `${title} ${refId}`, expr })),
  ),
];

/** The names of the series that the scanner exposes, and the labels of each. */
async function exposed(): Promise<ReadonlyMap<string, readonly string[]>> {
  const metrics = await createScanMetrics({ version: '0', maxSeries: 1 }).registry.getMetricsAsArray();
  return new Map(
    metrics.flatMap((metric): [string, readonly string[]][] => {
      const labels = 'labelNames' in metric ? z.array(z.string()).parse(metric.labelNames) : [];
      return String(metric.type) === 'histogram'
        ? ['_bucket', '_sum', '_count'].map((suffix) => [`${metric.name}${suffix}`, [...labels, 'le']])
        : [[metric.name, labels]];
    }),
  );
}

describe('every query of the alerts and of the dashboard', () => {
  it.each(expressions)('of $of asks for what the scanner exposes', async ({ expr }) => {
    const names = await exposed();
    for (const [, name = '', selector = ''] of expr.matchAll(/\b(gravekeeper_\w+)(?:\{([^}]*)\})?/g)) {
      expect([...names.keys()]).toContain(name);
      const labels = [...selector.matchAll(/(\w+)\s*[=!]/g)].map(([, label]) => label);
      expect([...(names.get(name) ?? []), 'node']).toEqual(expect.arrayContaining(labels));
    }
  });
});

describe('the dashboard', () => {
  it('has panels of its own number that do not overlap', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
  });
});

describeWith([program('promtool', 'prometheus')], 'promtool', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gravekeeper-alerts-'));
    cpSync(tests, folder, { recursive: true });
    writeFileSync(
      join(folder, 'rules.yaml'),
      execFileSync('sh', ['-c', extraction()], { cwd: join(manifests, '..') }),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function promtool(...args: string[]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
    return { status, output: stdout + stderr };
  }

  it('accepts the rules, as docs/daemonset.md takes them out of the PrometheusRule', () => {
    const { status, output } = promtool('check', 'rules', '--lint-fatal', 'rules.yaml');
    expect(output).toContain(`SUCCESS: ${rules.length} rules found`);
    expect(status).toBe(0);
  });

  it.each(readdirSync(tests))('passes %s', (file) => {
    expect(promtool('test', 'rules', file)).toMatchObject({ status: 0 });
  });

  it('has each alert tested where it fires', () => {
    const text = readdirSync(tests)
      .map((file) => readFileSync(join(tests, file), 'utf8'))
      .join('\n');
    const fired = [...text.matchAll(/alertname: (\w+)\n\s+exp_alerts:/g)].map(([, name]) => name);
    expect(fired.sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });
});

/** The command that makes a rule file of the PrometheusRule; without where it writes to. */
function extraction(): string {
  const page = readFileSync(join(manifests, '../docs/daemonset.md'), 'utf8');
  const [, command] = /^(sed .*alerts\.yaml) > \S+$/m.exec(page) ?? [];
  if (command === undefined)
    throw new Error(`docs/daemonset.md does not say how to take the rules out of ${alerts}`);
  return command;
}
