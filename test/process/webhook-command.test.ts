import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../src/commands/certs.ts';
import { silent, startFakeApiServer } from '../support/fake-api-server.ts';
import { type MountedFiles, mountFiles } from '../support/mounted-files.ts';
import { realisticReview } from '../support/review.ts';
import { saysReady, startLoad } from '../support/webhook-load.ts';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const children: ChildProcess[] = [];
let mounted: MountedFiles;
let ca: string;

beforeAll(async () => {
  const certificates = await makeCertificates();
  ca = certificates.ca;
  mounted = mountFiles({
    'tls.crt': certificates.cert,
    'tls.key': certificates.key,
    'ns.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n',
    'bad.yaml': 'rules:\n  erlang-cli:\n    severity: terrible\n',
  });
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => mounted.remove());

/** Starts the command as a user does. */
function gravekeeper(args: readonly string[], nodeOptions: readonly string[] = []) {
  const env = { PATH: process.env.PATH };
  const child = spawn(process.execPath, [...nodeOptions, main, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return {
    child,
    stderr: text(child.stderr),
    exit: once(child, 'exit').then(([code, signal]) => code ?? signal),
  };
}

const files = () => [
  ...['--cert', mounted.path('tls.crt'), '--key', mounted.path('tls.key')],
  ...['--namespaces', mounted.path('ns.yaml'), '--metrics-port', '0', '--host', '127.0.0.1'],
];

/** Starts a webhook and reads its log. */
function webhook(args: readonly string[], nodeOptions: readonly string[] = []) {
  const running = gravekeeper(['webhook', ...files(), '--port', '0', ...args], nodeOptions);
  const lines = createInterface({ input: running.child.stdout })[Symbol.asyncIterator]();
  const line = async (message: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`it ended before it said "${message}": ${await running.stderr}`);
      const parsed: Record<string, unknown> = JSON.parse(value);
      if (String(parsed.msg).startsWith(message)) return parsed;
    }
  };
  return { ...running, line };
}

describe('a webhook as a process', () => {
  it('breaks no connection, however large its answers', async () => {
    const { line } = webhook([]);
    const { port } = await line('listening');
    const reviews = [0, 70, 200, 0, 0].map((kilobytes) => {
      const review = JSON.stringify(realisticReview('shop'))
        .replace('"labels":{', '"labels":{"gravekeeper.dev/inject":"auto",')
        .replace('"--listen"', JSON.stringify('x'.repeat(1024 * kilobytes)));
      return Buffer.from(review);
    });
    const load = startLoad({ ports: () => [Number(port)], ca, clients: 16, keepAlive: true, reviews });
    await load.more(1_500);
    await load.stop();
    expect(load.failures).toEqual([]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('serves, and ends with 0 at %s', async (signal) => {
    const { child, line, exit, stderr } = webhook(['--shutdown-delay', '0']);
    const { port } = await line('listening');
    expect(await saysReady(Number(port), ca)).toBe(true);
    child.kill(signal);
    await line('ended');
    expect(await exit).toBe(0);
    expect(await stderr).toBe('');
  });

  it('serves on after the signal, though not ready, until a second signal', async () => {
    const { child, line, exit } = webhook(['--shutdown-delay', '3600']);
    const { port } = await line('listening');
    child.kill('SIGTERM');
    expect(await line('ending')).toMatchObject({ delaySeconds: 3600 });
    expect(await saysReady(Number(port), ca)).toBe(false);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });

  it('ends although the API server never answers', async () => {
    const api = await startFakeApiServer();
    const kubeconfig = mountFiles({ config: api.kubeconfig });
    api.always('watch', silent);
    const watching = api.next('watch');
    const pair = ['--cert', mounted.path('tls.crt'), '--key', mounted.path('tls.key')];
    const { child, exit } = gravekeeper([
      ...['webhook', ...pair, '--port', '0', '--metrics-port', '0', '--shutdown-delay', '0'],
      ...['--kubeconfig', kubeconfig.path('config')],
    ]);
    child.stdout.resume();
    await watching;
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    kubeconfig.remove();
    await api.close();
  });

  it('does not load the API client where it needs no cluster', async () => {
    const report = [
      'import { registerHooks } from "node:module";',
      'registerHooks({ resolve(name, context, next) {',
      '  if (name.startsWith("@kubernetes/") || name === "express") process.stderr.write("loads " + name + "\\n");',
      '  return next(name, context);',
      '} });',
    ].join('\n');
    const options = ['--import', `data:text/javascript,${encodeURIComponent(report)}`];
    const { child, line, exit, stderr } = webhook(['--shutdown-delay', '0'], options);
    await line('listening');
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(await stderr).toBe('loads express\n');

    const explain = gravekeeper(['explain', 'bare-pod'], options);
    expect(await explain.exit).toBe(0);
    expect(await explain.stderr).toBe('');
  });
});

describe('what a webhook cannot start with', () => {
  it.each<[string, () => readonly string[], RegExp]>([
    [
      'an unreadable key',
      () => ['--key', '/nowhere/tls.key'],
      /the private key \/nowhere\/tls\.key cannot be read: ENOENT/,
    ],
    ['a key that is none', () => ['--key', mounted.path('ns.yaml')], /ns\.yaml is no private key in PEM/],
    [
      'a broken configuration',
      () => ['--config', mounted.path('bad.yaml')],
      /bad\.yaml:3: rules\.erlang-cli\.severity: /,
    ],
    [
      'no namespaces',
      () => ['--namespaces', mounted.path('bad.yaml')],
      /bad\.yaml holds no Namespace of v1:\n {2}.*bad\.yaml:1: /,
    ],
    [
      'pods to preview without a cluster',
      () => ['--relabel-preview'],
      /'--relabel-preview' cannot be used with option '--namespaces <file>'/,
    ],
    ['a bad port', () => ['--port', '70000'], /Expected a port from 0 to 65535/],
    ['an unknown option', () => ['--prot', '1'], /unknown option '--prot'\n\(Did you mean --port\?\)/],
    ['an unknown level', () => ['--log-level', 'loud'], /Allowed choices are debug, info/],
  ])('is %s: exit 2, and words', async (_, args, message) => {
    const { exit, stderr } = gravekeeper(['webhook', ...files(), '--port', '0', ...args()]);
    expect(await exit).toBe(2);
    expect(await stderr).toMatch(message);
    expect(await stderr).not.toMatch(/\n\s+at /);
  });

  it('is a port in use, also that of the metrics', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = String(typeof address === 'object' ? address?.port : '');
    for (const args of [
      ['--port', port],
      ['--port', '0', '--metrics-port', port],
    ]) {
      const { exit, stderr } = gravekeeper(['webhook', ...files(), ...args]);
      expect(await exit).toBe(2);
      expect(await stderr).toMatch(`port ${port} of 127.0.0.1 is in use by another program`);
    }
    server.close();
  });

  it('is a missing cluster', async () => {
    const pair = ['--cert', mounted.path('tls.crt'), '--key', mounted.path('tls.key')];
    const { exit, stderr } = gravekeeper([
      'webhook',
      ...pair,
      '--port',
      '0',
      '--kubeconfig',
      '/nowhere/config',
    ]);
    expect(await exit).toBe(2);
    expect(await stderr).toMatch('the kubeconfig /nowhere/config cannot be used: ENOENT');
  });
});
