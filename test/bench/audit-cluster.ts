/**
 * The audit of 10,000 pods in an API server against `kubectl get pods -A -o json`, in turns: wall time and peak memory.
 * The control plane is that of test/cluster, without a node: nothing runs the pods. The last line is JSON: the ratios.
 *
 * BENCH_PODS sets another number of pods, BENCH_ROUNDS of rounds. Needs root, GNU time, and what test/cluster needs.
 */
import { join } from 'node:path';
import { makeCgroups } from '../cluster/cgroups.ts';
import { awaitApiServer, startApiServer, startEtcd, writeCredentials } from '../cluster/control-plane.ts';
import { becomeOwner, cannotRun, say } from '../cluster/guard.ts';
import { create } from '../cluster/kit/api.ts';
import { kubectlCommand } from '../cluster/kubectl.ts';
import { obstacle } from '../cluster/obstacles.ts';
import { place } from '../cluster/place.ts';
import { attempt } from '../cluster/run.ts';
import { inside, makeStage } from '../cluster/stage.ts';
import { buildTools, versions } from '../cluster/tools.ts';
import { auditedPod, namespaces } from './audited-pod.ts';
import { median } from './median.ts';

const pods = Number(process.env.BENCH_PODS ?? 10_000);
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const atOnce = 32;
const root = join(import.meta.dirname, '../..');

/** What one run of a program took. */
interface Cost {
  readonly seconds: number;
  readonly mebibytes: number;
  readonly bytes: number;
}

if (process.argv[2] === '--fill') await fill();
else process.exitCode = await main();

async function main(): Promise<number> {
  const why =
    obstacle() ?? (attempt(['/usr/bin/time', '--version']).status === 0 ? null : 'GNU time is missing');
  if (why !== null) {
    say(`this benchmark CANNOT RUN here: ${why}`);
    return cannotRun;
  }
  if (!becomeOwner()) return 1;
  await bringControlPlaneUp();
  const started = performance.now();
  passOn(inTheCluster([process.execPath, import.meta.filename, '--fill']));
  log(
    `${pods} pods created in ${((performance.now() - started) / 1000).toFixed(0)} s, Kubernetes ${versions.kubernetes}`,
  );
  compare();
  return 0;
}

async function bringControlPlaneUp(): Promise<void> {
  buildTools(say);
  makeCgroups();
  await makeStage();
  writeCredentials();
  startEtcd();
  startApiServer();
  await awaitApiServer();
}

/** Creates the pods. Without a controller manager, somebody has to make each namespace's service account. */
async function fill(): Promise<void> {
  for (const name of namespaces) {
    await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: name },
    });
  }
  let next = 0;
  const createPods = async (): Promise<void> => {
    for (let index = next++; index < pods; index = next++) {
      await create(auditedPod(index));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, createPods));
}

function compare(): void {
  const audit = [process.execPath, join(root, 'dist/main.js'), 'audit', '--cluster', '--fail-on', 'never'];
  const programs = {
    kubectl: kubectlCommand(['get', 'pods', '-A', '-o', 'json']),
    audit: [...audit, '-o', 'json'],
    auditOptedIn: [...audit, '--assume', 'inject=auto', '-o', 'json'],
  };
  const { stdout, stderr } = attempt(inTheCluster(programs.audit));
  const { objects } = JSON.parse(stdout || '{"summary":{}}').summary;
  if (objects !== pods) throw new Error(`the audit tells of ${objects} of ${pods} pods: ${stderr}`);
  const names = Object.keys(programs) as (keyof typeof programs)[];
  // The first run of each warms the server's cache and the page cache.
  const costs = Array.from({ length: rounds + 1 }, (_, round) => {
    const order = names.map((_, index) => names[(index + round) % names.length] ?? 'kubectl');
    const ofRound = Object.fromEntries(order.map((name) => [name, costOf(programs[name])]));
    log(
      `${round === 0 ? 'warm-up' : `round ${round}`}: ${names.map((name) => shown(name, ofRound[name])).join('; ')}`,
    );
    return ofRound as Readonly<Record<keyof typeof programs, Cost>>;
  }).slice(1);
  const ratio = (name: keyof typeof programs, field: keyof Cost) =>
    rounded(median(costs.map((cost) => cost[name][field] / cost.kubectl[field])));
  const absolute = (name: keyof typeof programs) => ({
    seconds: rounded(median(costs.map((cost) => cost[name].seconds))),
    mebibytes: Math.round(median(costs.map((cost) => cost[name].mebibytes))),
  });
  log(
    JSON.stringify({
      bench: 'audit-cluster',
      pods,
      toKubectl: {
        time: ratio('audit', 'seconds'),
        peak: ratio('audit', 'mebibytes'),
        timeOptedIn: ratio('auditOptedIn', 'seconds'),
        peakOptedIn: ratio('auditOptedIn', 'mebibytes'),
      },
      kubectl: absolute('kubectl'),
      audit: absolute('audit'),
      auditOptedIn: absolute('auditOptedIn'),
    }),
  );
}

/** Runs a program in the cluster's network, its output counted and dropped. */
function costOf(words: readonly string[]): Cost {
  const timed = ['/usr/bin/time', '--quiet', '-f', '%e %M', ...words];
  const { status, stdout, stderr } = attempt(
    inTheCluster(['sh', '-c', '"$@" | wc -c; exit 0', 'sh', ...timed]),
  );
  const [, seconds, kibibytes] = /(?:^|\n)(\S+) (\d+)\n$/.exec(stderr) ?? [];
  if (status !== 0 || seconds === undefined || Number(stdout) < 1000)
    throw new Error(`${words.join(' ')}: ${stderr}`);
  return { seconds: Number(seconds), mebibytes: Number(kibibytes) / 1024, bytes: Number(stdout) };
}

function inTheCluster(words: readonly string[]): string[] {
  return inside(['env', `KUBECONFIG=${place.kubeconfig}`, ...words]);
}

function passOn(words: readonly string[]): void {
  const { status, stderr } = attempt(words);
  if (status !== 0) throw new Error(stderr);
}

function shown(name: string, cost: Cost | undefined): string {
  const { seconds = 0, mebibytes = 0, bytes = 0 } = cost ?? {};
  return `${name} ${seconds.toFixed(2)} s, ${mebibytes.toFixed(0)} MiB, ${(bytes / 1024 / 1024).toFixed(1)} MiB written`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function log(line: string): void {
  process.stdout.write(`${line}\n`);
}
