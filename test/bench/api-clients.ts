// node test/bench/api-clients.ts — what it costs a process to know the pods of its node: each client is bundled as for
// the image, and lists 110 pods of 15 kB five times from a server on this machine. The last line is JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { makeCertificates } from '../../src/commands/certs.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const pods = 110;
const lists = 5;
const path = '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1&resourceVersion=0';

/** Each is the body of a function that lists the pods once and returns how many there are. */
const clients = {
  'plain node': `const list = async () => ${pods};`,
  'src/kube, in a pod': `
    import { inClusterApiServer } from './src/kube/in-cluster.ts';
    import { listNodePods } from './src/kube/node-pods.ts';
    const api = inClusterApiServer(process.env, process.env.SERVICE_ACCOUNT);
    const list = async () => (await listNodePods(api, 'n1', (pod) => pod.metadata.uid)).length;`,
  'src/kube, in a pod, and the facts': `
    import { inClusterApiServer } from './src/kube/in-cluster.ts';
    import { listNodePods } from './src/kube/node-pods.ts';
    import { directoryOf, podFacts } from './src/scanner/pod-facts.ts';
    const api = inClusterApiServer(process.env, process.env.SERVICE_ACCOUNT);
    const list = async () => {
      const directory = directoryOf(await listNodePods(api, 'n1', podFacts));
      globalThis.directory = directory;
      return [...directory.all()].length;
    };`,
  'src/kube, by kubeconfig': `
    import { openApiServer } from './src/kube/open-api-server.ts';
    import { listNodePods } from './src/kube/node-pods.ts';
    const api = await openApiServer(process.env.KUBECONFIG_FILE);
    const list = async () => (await listNodePods(api, 'n1', (pod) => pod.metadata.uid)).length;`,
  'client-node, GET and JSON.parse': `
    import { HttpMethod, IsomorphicFetchHttpLibrary, KubeConfig, RequestContext } from '@kubernetes/client-node';
    const config = new KubeConfig();
    config.loadFromFile(process.env.KUBECONFIG_FILE);
    const http = new IsomorphicFetchHttpLibrary();
    const list = async () => {
      const request = new RequestContext(config.getCurrentCluster().server + '${path}', HttpMethod.GET);
      await config.applySecurityAuthentication(request);
      return JSON.parse(await (await http.send(request).toPromise()).body.text()).items.length;
    };`,
  'client-node, CoreV1Api': `
    import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
    const config = new KubeConfig();
    config.loadFromFile(process.env.KUBECONFIG_FILE);
    const api = config.makeApiClient(CoreV1Api);
    const query = { fieldSelector: 'spec.nodeName=n1', resourceVersion: '0' };
    const list = async () => (await api.listPodForAllNamespaces(query)).items.length;`,
};

const measured = `
  for (let i = 0; i < ${lists}; i += 1) {
    if ((await list()) !== ${pods}) throw new Error('not all pods were listed');
  }
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({
    rssMiB: process.memoryUsage().rss / 2 ** 20,
    peakMiB: process.resourceUsage().maxRSS / 1024,
    cpuMs: (user + system) / 1000,
    ms: performance.now(),
  }));
  process.exit();`;

type Figures = Record<'rssMiB' | 'peakMiB' | 'cpuMs' | 'ms', number>;

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-bench-'));
try {
  await bench();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const { ca, cert, key } = await makeCertificates();
  const body = JSON.stringify({
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '1' },
    items: Array.from({ length: pods }, (_, index) => aPod(index)),
  });
  const server = createServer({ cert, key }, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const serviceAccount = join(folder, 'service-account');
  mkdirSync(serviceAccount);
  writeFileSync(join(serviceAccount, 'token'), 'a-token');
  writeFileSync(join(serviceAccount, 'ca.crt'), ca);
  const kubeconfig = join(folder, 'kubeconfig');
  const cluster = {
    server: `https://127.0.0.1:${port}`,
    'certificate-authority-data': Buffer.from(ca).toString('base64'),
  };
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token: 'a-token' } }],
    }),
  );
  const env = {
    PATH: process.env.PATH,
    NODE_OPTIONS: process.env.NODE_OPTIONS,
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: String(port),
    SERVICE_ACCOUNT: serviceAccount,
    KUBECONFIG_FILE: kubeconfig,
  };

  const figures = new Map<string, Figures[]>();
  const files = await bundle();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, file] of files) {
      const result: Figures = JSON.parse(await outputOf([file], env));
      figures.set(name, [...(figures.get(name) ?? []), result]);
    }
  }
  server.close();
  server.closeAllConnections();

  process.stdout.write(
    `list: ${(body.length / 1e6).toFixed(2)} MB, ${lists} times; median of ${rounds} runs\n`,
  );
  const medians = [...figures].map(([name, all]) => ({ name, ...medianOf(all) }));
  for (const { name, rssMiB, peakMiB, cpuMs, ms } of medians) {
    process.stdout.write(
      `${name.padEnd(36)} ${rssMiB} MiB resident, ${peakMiB} at most, ${cpuMs} ms of CPU, ${ms} ms\n`,
    );
  }
  process.stdout.write(`${JSON.stringify(medians)}\n`);
}

/** A bundle for each client. */
async function bundle(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const [name, source] of Object.entries(clients)) {
    const outdir = join(folder, String(files.size));
    await build({
      stdin: { contents: source + measured, resolveDir: root, loader: 'ts', sourcefile: 'main.ts' },
      outdir,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node22',
      entryNames: 'main',
      banner: {
        js: "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);",
      },
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: 'none',
      logLevel: 'warning',
    });
    writeFileSync(join(outdir, 'package.json'), '{ "type": "module" }');
    files.set(name, join(outdir, 'main.js'));
  }
  return files;
}

async function outputOf(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const text = Buffer.concat(await child.stdout.toArray()).toString();
  if (child.exitCode === null) await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`${args.join(' ')} ended with ${child.exitCode}`);
  return text;
}

function medianOf(all: readonly Figures[]): Figures {
  const median = (key: keyof Figures) => {
    const sorted = all.map((figures) => figures[key]).sort((a, b) => a - b);
    return Math.round(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN);
  };
  return { rssMiB: median('rssMiB'), peakMiB: median('peakMiB'), cpuMs: median('cpuMs'), ms: median('ms') };
}

/** A pod of about 15 kB, as pods with a sidecar, volumes and managed fields are. */
function aPod(index: number): object {
  const name = `cart-7d9f8b6c5-${String(index).padStart(5, '0')}`;
  const uid = `2f1a3d5e-9f0b-4c1e-8a57-${index.toString(16).padStart(12, '0')}`;
  const env = Array.from({ length: 64 }, (_, i) => ({
    name: `SETTING_${i}`,
    value: `value ${i} of ${name}`,
  }));
  const volumes = Array.from({ length: 12 }, (_, i) => ({
    name: `volume-${i}`,
    configMap: { name: `settings-${i}`, defaultMode: 420, items: [{ key: 'a', path: 'a' }] },
  }));
  const container = (its: string) => ({
    name: its,
    image: `registry.example/team/${its}:1.2.3`,
    command: ['/usr/local/bin/start', '--config', '/etc/app/config.yaml'],
    env,
    volumeMounts: volumes.map((volume) => ({ name: volume.name, mountPath: `/etc/${volume.name}` })),
    livenessProbe: { exec: { command: ['/bin/check', '--deep'] }, periodSeconds: 10, timeoutSeconds: 2 },
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
  });
  const containers = ['app', 'proxy'].map(container);
  return {
    metadata: {
      name,
      namespace: 'shop',
      uid,
      labels: { app: 'cart', 'pod-template-hash': '7d9f8b6c5' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'cart-7d9f8b6c5', uid, controller: true },
      ],
      managedFields: [
        {
          manager: 'kubelet',
          fieldsV1: Object.fromEntries(env.map((e) => [`f:${e.name}`, { '.': {}, 'f:value': {} }])),
        },
      ],
    },
    spec: { nodeName: 'n1', containers, volumes },
    status: {
      phase: 'Running',
      containerStatuses: containers.map((c, i) => ({
        name: c.name,
        containerID: `containerd://${index.toString(16).padStart(63, '0')}${i}`,
        ready: true,
        state: { running: { startedAt: '2026-11-20T10:00:00Z' } },
      })),
    },
  };
}
