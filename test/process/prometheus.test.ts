import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { type Emulation, startZombies } from '../../src/emulate/zombies.ts';
import { freePort } from '../support/free-port.ts';
import { ProcTree } from '../support/proc-tree.ts';
import { describeWith, eventually, pidNamespaces, program } from '../support/process.ts';
import { manifests, readManifest } from '../unit/manifests/read.ts';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));

const dashboard = z
  .object({
    panels: z.array(
      z.object({
        title: z.string(),
        targets: z.array(z.object({ refId: z.string(), expr: z.string() })).optional(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(manifests, 'monitoring/dashboard.json'), 'utf8')));
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ refId, expr }) => ({ of: `${title} ${refId}`, expr })),
);
/** What shows faults alone shows nothing where there are none. */
const isOfFaults = (expr: string) => /(?:> 0|== 0\))$/.test(expr);

/** What Prometheus answers: https://prometheus.io/docs/prometheus/latest/querying/api/ */
const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
});
const rulesSchema = z.object({
  data: z.object({
    groups: z.array(z.object({ rules: z.array(z.object({ name: z.string(), health: z.string() })) })),
  }),
});

describeWith([program('prometheus', 'prometheus'), pidNamespaces], 'a real Prometheus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-prometheus-'));
  const children: ChildProcess[] = [];
  let tree: ProcTree;
  let emulation: Emulation;
  let base = '';
  let zombies = 0;

  /** Starts a program that listens on a port of its own. */
  async function start(words: (port: number) => readonly string[]): Promise<number> {
    const port = await freePort();
    const [file = '', ...rest] = words(port);
    const env = { ...process.env, KUBECONFIG: '' };
    children.push(spawn(file, rest, { stdio: ['ignore', 'ignore', 'inherit'], env }));
    return port;
  }

  function scanner(port: number, words: readonly string[]): readonly string[] {
    const address = ['--metrics-port', String(port), '--host', '127.0.0.1'];
    return [process.execPath, main, 'scan', '--interval', '0.2', ...address, ...words];
  }

  async function get(path: string): Promise<unknown> {
    return (await fetch(`${base}/api/v1/${path}`)).json();
  }

  /** Asks for an expression as Grafana does, with all nodes and namespaces chosen. */
  async function query(expr: string) {
    const promql = expr.replaceAll(/\$(node|namespace)\b/g, '.*').replaceAll('$__rate_interval', '10s');
    return answerSchema.parse(await get(`query?${new URLSearchParams({ query: promql })}`)).data.result;
  }

  beforeAll(async () => {
    const emulated = await startZombies({ orphans: 5, unreaped: 3 });
    if ('unavailable' in emulated) throw new Error(emulated.unavailable);
    emulation = emulated;
    tree = new ProcTree([{ pid: 200, ppid: 1, comm: 'app' }]);
    const real = await start((port) => scanner(port, []));
    const growing = await start((port) => scanner(port, ['--proc', tree.path]));
    writeFileSync(
      join(folder, 'rules.yaml'),
      JSON.stringify(readManifest('monitoring/alerts.yaml')[0]?.spec),
    );
    const target = (port: number, node: string) => ({ targets: [`127.0.0.1:${port}`], labels: { node } });
    writeFileSync(
      join(folder, 'prometheus.yaml'),
      JSON.stringify({
        global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
        rule_files: ['rules.yaml'],
        scrape_configs: [
          {
            job_name: 'gravekeeper-scanner',
            honor_labels: true,
            static_configs: [target(real, 'real'), target(growing, 'growing')],
          },
        ],
      }),
    );
    const port = await start((port) => [
      'prometheus',
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ]);
    base = `http://127.0.0.1:${port}`;
    await eventually(async () => {
      const answer = await query('count(up == 1) == 2').catch(() => null);
      return answer !== null && answer.length > 0;
    }, 'a scrape of both scanners');
  }, 60_000);

  afterAll(async () => {
    const ends = children.map((child) => child.exitCode === null && once(child, 'close'));
    for (const child of children) child.kill();
    await Promise.all(ends);
    await emulation?.stop();
    tree?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it('reads the zombies of a node', async () => {
    const kinds = await query('sum by (kind) (gravekeeper_zombies{node="real"})');
    const counts = Object.fromEntries(kinds.map(({ metric, value }) => [metric.kind, Number(value[1])]));
    expect(counts.orphan).toBeGreaterThanOrEqual(5);
    expect(counts['unreaped-child']).toBeGreaterThanOrEqual(3);
  });

  it.each(queries)('answers what the dashboard asks in $of', async ({ expr }) => {
    if (isOfFaults(expr)) {
      expect(await query(expr)).toEqual([]);
      return;
    }
    await eventually(async () => {
      // The leak goes on, so that there is growth, and an end in sight.
      zombies += 1;
      tree.add({ pid: 1000 + zombies, ppid: 200, comm: 'sh', state: 'Z' });
      const samples = await query(expr);
      return samples.some(({ value }) => Number.isFinite(Number(value[1])));
    }, expr);
  });

  it('evaluates each of the alerts', async () => {
    const rules = await eventually(async () => {
      const found = rulesSchema.parse(await get('rules')).data.groups.flatMap(({ rules }) => rules);
      return found.every(({ health }) => health !== 'unknown') && found;
    }, 'an evaluation of the rules');
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });
});
