// npm run bench:webhook — the whole path (TLS, judging, logging, metrics) against a bare node:https + JSON.parse.
// Both are loaded in turn in one run; the last line is JSON with the ratios.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { makeCertificates } from '../../src/commands/certs.ts';
import { realisticReview } from '../support/review.ts';
import { type Round, run, type Target } from './load.ts';
import { median } from './median.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 7);
const requests = Number(process.env.BENCH_REQUESTS ?? 4_000);
const warmUp = Number(process.env.BENCH_WARM_UP ?? 30_000);
const connections = 16;
const entry = process.argv[2] ?? 'dist/main.js';
/** Node's flags in the image, which the webhook gets here too. */
const nodeFlags = readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8')
  .split('\n')
  .filter((line) => /^(ENV NODE_OPTIONS=|ENTRYPOINT \["node")/.test(line))
  .flatMap((line) => line.match(/--[\w=-]+/g) ?? []);

const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-bench-'));
const children: ChildProcess[] = [];

try {
  await bench();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const { ca, cert, key } = await makeCertificates();
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const pair = [file('tls.crt', cert), file('tls.key', key)] as const;
  const namespaces = file(
    'namespaces.yaml',
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {gravekeeper.dev/inject: auto}}\n',
  );

  const bare = await startBare(pair);
  const begin = performance.now();
  const webhook = await startWebhook([
    ...['webhook', '--port', '0', '--metrics-port', '0', '--namespaces', namespaces],
    ...['--cert', pair[0], '--key', pair[1]],
  ]);
  await untilReady(webhook.port, ca);
  const readySeconds = (performance.now() - begin) / 1000;

  const body = JSON.stringify(realisticReview('shop'));
  const targets: Record<'bare' | 'webhook', Target> = {
    bare: { port: bare.port, path: '/mutate', ca },
    webhook: { port: webhook.port, path: '/mutate', ca },
  };
  // V8 goes on optimizing for some ten thousand requests; a webhook runs for weeks.
  for (const target of Object.values(targets)) await run(target, body, { connections, requests: warmUp });

  const throughput = await alternate(
    targets,
    (target) => run(target, body, { connections, requests }),
    ({ perSecond }) => perSecond,
  );
  const latency = await alternate(
    targets,
    (target) => run(target, body, { connections: 1, requests: requests / 4 }),
    ({ latencies }) => latencies[Math.floor(latencies.length / 2)] ?? Number.NaN,
  );
  const rssMiB = residentMiB(webhook.pid);

  process.stdout.write(
    `body ${Buffer.byteLength(body)} B, ${rounds} rounds of ${requests} requests in turn, median of the rounds\n` +
      `throughput at ${connections} connections: bare ${throughput.bare.toFixed(0)}/s, webhook ${throughput.webhook.toFixed(0)}/s\n` +
      `p50 at 1 connection: bare ${latency.bare.toFixed(3)} ms, webhook ${latency.webhook.toFixed(3)} ms\n` +
      `${JSON.stringify({
        bench: 'webhook',
        throughputRatio: round(throughput.ratio),
        p50Ratio: round(latency.ratio),
        readySeconds: round(readySeconds),
        rssMiB: round(rssMiB),
      })}\n`,
  );
}

/** Runs bare and webhook in turn; the ratio is the median of the rounds' own ratios. */
async function alternate(
  targets: Record<'bare' | 'webhook', Target>,
  load: (target: Target) => Promise<Round>,
  figure: (round: Round) => number,
): Promise<{ bare: number; webhook: number; ratio: number }> {
  const pairs: { bare: number; webhook: number }[] = [];
  for (let number = 0; number < rounds; number += 1) {
    const first = figure(await load(targets.bare));
    pairs.push({ bare: first, webhook: figure(await load(targets.webhook)) });
  }
  return {
    bare: median(pairs.map(({ bare }) => bare)),
    webhook: median(pairs.map(({ webhook }) => webhook)),
    ratio: median(pairs.map(({ bare, webhook }) => webhook / bare)),
  };
}

function round(value: number): number {
  return Number(value.toFixed(3));
}

async function startBare(pair: readonly [string, string]): Promise<{ port: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare-server.ts'), ...pair], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = await once(createInterface(child.stdout), 'line');
  return { port: Number(JSON.parse(line).port) };
}

/** Starts the webhook with its log in a file, as a container runtime takes it, and reads its port from there. */
async function startWebhook(args: readonly string[]): Promise<{ port: number; pid: number }> {
  const log = join(folder, 'webhook.log');
  const child = spawn(process.execPath, [...nodeFlags, entry, ...args], {
    stdio: ['ignore', openSync(log, 'w'), 'inherit'],
  });
  children.push(child);
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the webhook ended with ${child.exitCode}`);
    const port = readFileSync(log, 'utf8')
      .split('\n')
      .flatMap((line) => /"port":(\d+)/.exec(line)?.[1] ?? [])[0];
    if (port && child.pid) return { port: Number(port), pid: child.pid };
    await delay(5);
  }
}

async function untilReady(port: number, ca: string): Promise<void> {
  for (;;) {
    const status = await new Promise<number>((resolve) => {
      const call = get({ host: '127.0.0.1', port, path: '/readyz', ca }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      call.on('error', () => resolve(0));
    });
    if (status === 200) return;
    await delay(5);
  }
}

function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1]) / 1024;
}
