// node test/bench/api-clients.ts — what it costs a process to know the pods of its node: each client is bundled as for
// the image, and lists 110 pods of 15 kB five times from a server on this machine. The last line is JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { pods, servePods } from './pods-server.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const lists = 5;
const path = '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1&resourceVersion=0';

/** Each is the body of a function that lists the pods once and returns how many there are. */
const clients = {
  'plain node': `const list = async () => ${pods};`,
  'src/kube, in a pod': `
    import { inClusterApiServer } from './src/kube/in-cluster.ts';
    import { listNodePods } from './src/kube/node-pods.ts';
    const api = inClusterApiServer(process.env, process.env.SERVICE_ACCOUNT);
    const list = async () => (await listNodePods(api, 'n1', (pod) => pod.metadata.uid)).pods.length;`,
  'src/kube, in a pod, and the facts': `
    import { inClusterApiServer } from './src/kube/in-cluster.ts';
    import { listNodePods } from './src/kube/node-pods.ts';
    import { directoryOf, podFacts } from './src/scanner/pod-facts.ts';
    const api = inClusterApiServer(process.env, process.env.SERVICE_ACCOUNT);
    const list = async () => {
      const directory = directoryOf((await listNodePods(api, 'n1', podFacts)).pods);
      globalThis.directory = directory;
      return [...directory.all()].length;
    };`,
  'src/kube, by kubeconfig': `
    import { openApiServer } from './src/kube/open-api-server.ts';
    import { listNodePods } from './src/kube/node-pods.ts';
    const api = await openApiServer(process.env.KUBECONFIG_FILE);
    const list = async () => (await listNodePods(api, 'n1', (pod) => pod.metadata.uid)).pods.length;`,
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
  const { port, ca, listBytes, serviceAccount, close } = await servePods(folder);
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
  close();

  process.stdout.write(
    `list: ${(listBytes / 1e6).toFixed(2)} MB, ${lists} times; median of ${rounds} runs\n`,
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
