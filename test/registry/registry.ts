// npm run test:registry — looks images up in real registries, and runs what comes of it with a real runc.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Certificates, makeCertificates } from '../../src/commands/certs.ts';
import { type ContainerFields, environmentOf, executedArgv } from '../support/kubelet.ts';
import { type Container, runContainer } from './containers.ts';
import { digestIn, type ImageConfig, Layout, makeRoot, push } from './layout.ts';
import { obstacle } from './obstacles.ts';
import {
  basicAuth,
  type MeddlingProxy,
  type Server,
  startProxy,
  startRegistry,
  startServer,
  startTokenServer,
  type TokenServer,
  upload,
  user,
} from './servers.ts';
import { startTestWebhook, type Webhook } from './webhook.ts';

const missing = obstacle();
if (missing !== null) {
  process.stderr.write(`test:registry cannot run: ${missing}\n`);
  process.exit(1);
}

/** Images that are pushed to each registry, by name. */
const images: Readonly<Record<string, ImageConfig>> = {
  'exec-form': { Entrypoint: ['/bin/report', 'from the image'] },
  'shell-form': { Entrypoint: ['/bin/sh', '-c', 'exec report "$0" "$HOME" $(echo hello)'] },
  'cmd-only': { Cmd: ['report', 'a b', ''] },
  both: { Entrypoint: ['/bin/report', '-x'], Cmd: ['one', 'two'] },
  'empty-entrypoint': { Entrypoint: [''], Cmd: ['report'] },
  dollars: {
    Entrypoint: ['report', '$(A)', '$$(A)', '$$', '$'],
    Cmd: ['$A', '$[A]', '$(', '$(NOT_SET)', 'a$'],
  },
  'not-root': {
    Entrypoint: ['report'],
    User: '1000',
    WorkingDir: '/srv/data',
    Env: ['PATH=/bin', 'IMAGE=set'],
  },
  server: { Entrypoint: ['server'], Cmd: ['--flag'] },
  orphans: { Entrypoint: ['/bin/orphans'] },
  nothing: {},
};

const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-registry-'));
const servers: { close(): Promise<void> }[] = [];
const containers: Container[] = [];
let certificates: Certificates;
let root: string;
let layout: Layout;
let open: Server;
let basic: Server;
let token: Server;
let tokens: TokenServer;
let proxy: MeddlingProxy;

const opened = <T extends { close(): Promise<void> }>(server: T): T => {
  servers.push(server);
  return server;
};
const credentials = `${user.name}:${user.password}`;

before(async () => {
  certificates = await makeCertificates();
  root = makeRoot(folder);
  layout = new Layout(folder, root);
  for (const [name, config] of Object.entries(images)) layout.image(name, config);
  layout.image('arm64-only', { Cmd: ['report', 'arm'] }, 'arm64');
  layout.index('index', { arm64: { Cmd: ['report', 'arm'] }, amd64: { Cmd: ['report', 'amd'] } });
  open = opened(await startRegistry('open', { folder, certificates }));
  basic = opened(await startRegistry('basic', { folder, certificates, auth: basicAuth(folder) }));
  tokens = opened(await startTokenServer(folder, certificates));
  token = opened(await startRegistry('token', { folder, certificates, auth: tokens.auth }));
  proxy = opened(await startProxy(open, certificates));
  for (const name of Object.keys(images)) await push(layout, name, `${open.host}/team/${name}:v1`);
  await push(layout, 'arm64-only', `${open.host}/team/arm64-only:v1`);
  await push(layout, 'index', `${open.host}/team/index:v1`, { all: true });
  await push(layout, 'both', `${open.host}/team/docker-types:v1`, { format: 'v2s2' });
  await push(layout, 'both', `${open.host}/team/schema1:v1`, { format: 'v2s1' });
  await push(layout, 'both', `${basic.host}/team/private:v1`, { credentials });
  await push(layout, 'both', `${token.host}/team/private:v1`, { credentials });
  await push(layout, 'both', `${token.host}/public/app:v1`, { credentials });
});

after(async () => {
  for (const container of containers) container.remove();
  for (const server of servers.reverse()) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the configuration says of the test's hosts: all of them are on this machine. */
function imagesConfig(more: object = {}): object {
  const hosts = [open, basic, token, proxy].map(({ host }) => host);
  const allowed = (host: string) => [
    host,
    { privateAddress: true, tokenHosts: host === token.host ? [tokens.host] : [] },
  ];
  return {
    registries: hosts,
    ca: certificates.ca,
    hosts: Object.fromEntries([...hosts, tokens.host].map(allowed)),
    deadlineSeconds: 2.5,
    ...more,
  };
}

async function webhookWith(more: object = {}, api?: Server): Promise<Webhook> {
  return opened(
    await startTestWebhook({ folder, certificates, images: imagesConfig(more), ...(api ? { api } : {}) }),
  );
}

describe('what a registry has', () => {
  let webhook: Webhook;
  before(async () => {
    webhook = await webhookWith();
  });

  const argvOf = async (image: string, spec: object = {}) => {
    const { container, wrapped } = await webhook.admit({ image: `${open.host}/team/${image}` }, spec);
    return wrapped ? (container.args ?? []) : null;
  };

  for (const [name, config] of Object.entries(images)) {
    it(`is put behind tini: ${name}`, async () => {
      const entrypoint = config.Entrypoint?.join() === '' ? [] : (config.Entrypoint ?? []);
      const expected = [...entrypoint, ...(config.Cmd ?? [])].map((word) => word.replaceAll('$', '$$$$'));
      assert.deepEqual(await argvOf(`${name}:v1`), expected.length > 0 ? expected : null);
    });
  }

  it('is found by its digest', async () => {
    const digest = await digestIn(`${open.host}/team/both:v1`);
    assert.deepEqual(await argvOf(`both@${digest}`), ['/bin/report', '-x', 'one', 'two']);
    assert.deepEqual(await argvOf(`both:no-such-tag@${digest}`), ['/bin/report', '-x', 'one', 'two']);
  });

  it('is found with the media types of Docker', async () => {
    assert.deepEqual(await argvOf('docker-types:v1'), ['/bin/report', '-x', 'one', 'two']);
  });

  it('is taken for another architecture where there is no other', async () => {
    assert.deepEqual(await argvOf('arm64-only:v1'), ['report', 'arm']);
  });

  it('is chosen from an index by architecture, attestations left out', async () => {
    assert.deepEqual(await argvOf('index:v1'), ['report', 'amd']);
    assert.deepEqual(await argvOf('index:v1', { nodeSelector: { 'kubernetes.io/arch': 'arm64' } }), [
      'report',
      'arm',
    ]);
  });

  it('is left alone in the first version of the manifest', async () => {
    assert.equal(await argvOf('schema1:v1'), null);
  });

  it('keeps the args of the pod byte for byte, in place of CMD', async () => {
    const { container } = await webhook.admit({
      image: `${open.host}/team/dollars:v1`,
      args: ['$(A)', '$$'],
    });
    assert.deepEqual(container.args, ['report', '$$(A)', '$$$$(A)', '$$$$', '$$', '$(A)', '$$']);
  });

  it('is left alone where there is none', async () => {
    assert.equal(await argvOf('none:v1'), null);
    assert.equal(await argvOf('both:none'), null);
  });

  it('is not read where a config has 100 MiB', async () => {
    await upload(open, certificates.ca, 'team/huge', 'v1', Buffer.alloc(100 * 1024 * 1024, ' '));
    assert.equal(await argvOf('huge:v1'), null);
    assert.match(
      (await webhook.metrics('gravekeeper_image_fetches_total{result="too-large"}')).join(),
      / 1$/,
    );
  });

  it('is told by the command line too', async () => {
    const config = join(folder, 'config.yaml');
    writeFileSync(config, JSON.stringify({ images: imagesConfig() }));
    const words = ['src/main.js', 'image', `${open.host}/team/not-root:v1`, '--config', config, '-o', 'json'];
    const { stdout, stderr, status } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const { argv, user, digest, platform, auto } = JSON.parse(stdout);
    assert.deepEqual(argv, ['report']);
    assert.equal(user, '1000');
    assert.equal(digest, await digestIn(`${open.host}/team/not-root:v1`));
    assert.deepEqual(platform, { os: 'linux', architecture: 'amd64' });
    assert.equal(auto.remedy, 'tini');
  });

  it('is what a tag has moved to, once what is remembered of the tag is over', async () => {
    const image = `${open.host}/team/moving:v1`;
    await push(layout, 'exec-form', image);
    const forgetful = await webhookWith({ cache: { tagSeconds: 0 } });
    const admitted = async (at: Webhook) => (await at.admit({ image })).container.args;
    assert.deepEqual(await admitted(forgetful), ['/bin/report', 'from the image']);
    assert.deepEqual(await admitted(webhook), ['/bin/report', 'from the image']);
    await push(layout, 'both', image);
    assert.deepEqual(await admitted(forgetful), ['/bin/report', '-x', 'one', 'two']);
    assert.deepEqual(await admitted(webhook), ['/bin/report', 'from the image']);
  });
});

describe('who may read it', () => {
  let webhook: Webhook;
  before(async () => {
    const secret = (registry: Server, password: string) => ({
      kind: 'Secret',
      type: 'kubernetes.io/dockerconfigjson',
      data: {
        '.dockerconfigjson': Buffer.from(
          JSON.stringify({
            auths: {
              [`https://${registry.host}/v2/`]: {
                auth: Buffer.from(`${user.name}:${password}`).toString('base64'),
              },
            },
          }),
        ).toString('base64'),
      },
    });
    const secrets: Readonly<Record<string, object>> = {
      basic: secret(basic, user.password),
      token: secret(token, user.password),
      'wrong-basic': secret(basic, 'wrong'),
      'wrong-token': secret(token, 'wrong'),
    };
    const api = opened(
      await startServer(certificates, (request, response) => {
        const found = secrets[request.url?.match(/^\/api\/v1\/namespaces\/shop\/secrets\/(.+)$/)?.[1] ?? ''];
        response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
        response.end(JSON.stringify(found ?? { kind: 'Status' }));
      }),
    );
    webhook = await webhookWith({}, api);
  });

  const wrapped = async (image: string, ...secrets: string[]) =>
    (await webhook.admit({ image }, { imagePullSecrets: secrets.map((name) => ({ name })) })).wrapped;

  for (const kind of ['basic', 'token'] as const) {
    it(`whoever has the right ${kind} credential, before and after others have asked`, async () => {
      const image = `${{ basic, token }[kind].host}/team/private:v1`;
      assert.equal(await wrapped(image), false);
      assert.equal(await wrapped(image, `wrong-${kind}`), false);
      assert.equal(await wrapped(image, kind), true);
      assert.equal(await wrapped(image), false);
      assert.equal(await wrapped(image, `wrong-${kind}`), false);
      assert.equal(await wrapped(image, 'absent', `wrong-${kind}`, kind), true);
    });
  }

  it('everyone, where a token is given to everyone', async () => {
    assert.equal(await wrapped(`${token.host}/public/app:v1`), true);
    assert.equal(await wrapped(`${token.host}/public/app:v1`, 'wrong-token'), true);
  });

  it('nobody gets a credential sent to a realm on another host that is not listed', async () => {
    const hosts = Object.fromEntries([token, tokens].map(({ host }) => [host, { privateAddress: true }]));
    const api = servers.at(-2);
    assert.ok(api);
    const before = tokens.given.filter((name) => name === user.name).length;
    const strict = await webhookWith({ hosts }, api as Server);
    const spec = { imagePullSecrets: [{ name: 'token' }] };
    assert.equal((await strict.admit({ image: `${token.host}/team/private:v1` }, spec)).wrapped, false);
    assert.equal(tokens.given.filter((name) => name === user.name).length, before);
  });
});

describe('a registry that misbehaves', () => {
  const cases: readonly (readonly [
    title: string,
    cause: string,
    meddle: Parameters<MeddlingProxy['meddle']>[0],
  ])[] = [
    [
      'lies about a manifest',
      'digest-mismatch',
      (request, response) => {
        if (!request.url?.includes('/blobs/')) return false;
        response.end('{"os":"linux","config":{"Cmd":["evil"]}}');
        return true;
      },
    ],
    [
      'sends to the metadata service',
      'http-not-allowed',
      (request, response) => {
        if (!request.url?.includes('/blobs/')) return false;
        response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
        return true;
      },
    ],
    [
      'sends to the metadata service over TLS',
      'address-not-allowed',
      (_request, response) => {
        response.writeHead(307, { location: 'https://169.254.169.254/' }).end();
        return true;
      },
    ],
    [
      'sends to a host of the cluster',
      'address-not-allowed',
      (_request, response) => {
        response.writeHead(307, { location: 'https://localhost:1/' }).end();
        return true;
      },
    ],
    [
      'has a realm at the metadata service',
      'http-not-allowed',
      (_request, response) => {
        response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://169.254.169.254/token"' }).end();
        return true;
      },
    ],
    ...(
      [
        [401, 'denied'],
        [403, 'denied'],
        [404, 'not-found'],
        [429, 'rate-limited'],
        [500, 'registry-error'],
      ] as const
    ).map(
      ([status, cause]) =>
        [
          `answers ${status}`,
          cause,
          (_request: unknown, response: import('node:http').ServerResponse) => {
            response.writeHead(status, { 'retry-after': '5' }).end('a secret of the registry');
            return true;
          },
        ] as const,
    ),
    ['never answers', 'timeout', () => true],
    [
      'drips',
      'timeout',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
        const timer = setInterval(() => response.write(' '), 200);
        response.once('close', () => clearInterval(timer));
        return true;
      },
    ],
    [
      'sends without end',
      'too-large',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
        const more = (): void => {
          while (!response.destroyed && response.write(' '.repeat(65_536)));
          response.once('drain', more);
        };
        more();
        return true;
      },
    ],
  ];

  for (const [title, cause, meddle] of cases) {
    it(`${title}: the pod is admitted as it is, and the cause is counted`, async () => {
      proxy.meddle(meddle);
      const webhook = await webhookWith({ deadlineSeconds: 0.5 });
      const { wrapped, answer } = await webhook.admit({ image: `${proxy.host}/team/both:v1` });
      assert.equal(wrapped, false);
      assert.equal(answer.allowed, true);
      assert.deepEqual(answer.patch, []);
      assert.doesNotMatch(JSON.stringify(answer), /secret of the registry/);
      const line = `gravekeeper_image_fetches_total{result="${cause}"} 1`;
      // A look-up goes on behind the deadline of its pod, for five seconds at most.
      for (let tries = 0; !(await webhook.metrics(line)).includes(line); tries += 1) {
        assert.ok(tries < 200, `no ${line}: ${await webhook.metrics('gravekeeper_image')}`);
        await delay(50);
      }
    });
  }

  it('may send to another host that is allowed', async () => {
    proxy.meddle((request, response) => {
      if (!request.url?.includes('/blobs/')) return false;
      response.writeHead(307, { location: `https://${open.host}${request.url}` }).end();
      return true;
    });
    const webhook = await webhookWith();
    assert.equal((await webhook.admit({ image: `${proxy.host}/team/both:v1` })).wrapped, true);
  });

  it('does no harm once it behaves again', async () => {
    proxy.meddle(() => false);
    const webhook = await webhookWith();
    assert.equal((await webhook.admit({ image: `${proxy.host}/team/both:v1` })).wrapped, true);
  });
});

describe('200 pods of 20 images', () => {
  it('ask a registry for each image once, however they come', async () => {
    for (let index = 0; index < 20; index += 1)
      await push(layout, 'both', `${open.host}/load/app${index}:v1`);
    proxy.meddle(() => false);
    proxy.arrived.length = 0;
    const webhook = await webhookWith({ deadlineSeconds: 2.5 });
    const clients = await Promise.all(Array.from({ length: 8 }, () => clientOf(webhook)));
    const round = async () => {
      const started = performance.now();
      const pods = Array.from({ length: 200 }, (_, index) =>
        clients[index % clients.length]?.(`${proxy.host}/load/app${index % 20}:v1`),
      );
      const wrapped = (await Promise.all(pods)).filter(Boolean).length;
      return { wrapped, seconds: (performance.now() - started) / 1000 };
    };
    const cold = await round();
    const asked = proxy.arrived.length;
    const warm = await round();
    console.log(JSON.stringify({ cold, warm, requests: asked }));
    assert.equal(asked, 40, 'a manifest and a config for each image');
    assert.equal(proxy.arrived.length, asked, 'nothing more when they are known');
    assert.equal(warm.wrapped, 200);
    assert.equal(cold.wrapped, 200);
  });

  /** A connection of its own, so that pods come at the same time. */
  async function clientOf(webhook: Webhook): Promise<(image: string) => Promise<boolean>> {
    const { connect } = await import('../../src/commands/demo/review.ts');
    const client = connect(webhook.running.port, certificates.ca);
    servers.push({ close: async () => client.close() });
    return async (image) => {
      const object = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: 'x', controller: true },
          ],
        },
        spec: { containers: [{ name: 'app', image }] },
      };
      const { patch } = await client.ask({
        webhook: 'mutate',
        operation: 'CREATE',
        namespace: 'shop',
        object,
      });
      return patch.length > 0;
    };
  }
});

describe('what is put behind tini', () => {
  let webhook: Webhook;
  before(async () => {
    webhook = await webhookWith();
  });

  /** The container as the runtime would run it, without and with what the webhook does. */
  async function bothWays(
    name: string,
    fields: ContainerFields = {},
  ): Promise<readonly [plain: Container, wrapped: Container]> {
    const config = images[name] ?? {};
    const image = `${open.host}/team/${name}:v1`;
    const env = [{ name: 'A', value: 'expanded' }, ...(fields.env ?? [])];
    const pod = { ...fields, env };
    const { container, wrapped } = await webhook.admit({ ...pod, image });
    assert.ok(wrapped);
    const ofImage = {
      entrypoint: config.Entrypoint?.join() === '' ? [] : (config.Entrypoint ?? []),
      cmd: config.Cmd ?? [],
    };
    const start = (own: ContainerFields) => {
      const [program = '', ...words] = executedArgv(own, ofImage);
      const started = runContainer(folder, root, {
        argv: [program.endsWith('/tini') ? '/gravekeeper/tini' : program, ...words],
        env: [
          ...(config.Env ?? ['PATH=/bin', 'HOME=/']),
          ...[...environmentOf(own)].map((pair) => pair.join('=')),
        ],
        cwd: own.workingDir ?? (config.WorkingDir || '/'),
        user: Number(config.User ?? 0),
      });
      containers.push(started);
      return started;
    };
    return [start(pod), start(container)];
  }

  const reporting = [
    'exec-form',
    'shell-form',
    'cmd-only',
    'both',
    'empty-entrypoint',
    'dollars',
    'not-root',
  ];
  for (const name of reporting) {
    it(`sees the same argv, environment, working directory and user, and ends the same: ${name}`, async () => {
      const [plain, wrapped] = await bothWays(name);
      const codes = await Promise.all([plain.exited, wrapped.exited]);
      assert.deepEqual(codes, [7, 7], plain.output() + wrapped.output());
      assert.equal(wrapped.output(), plain.output());
      assert.match(plain.output(), /^\/bin\/sh\n/);
    });
  }

  it('sees the same args of the pod', async () => {
    const [plain, wrapped] = await bothWays('dollars', { args: ['$(A)', '$$(A)', '$'] });
    await Promise.all([plain.exited, wrapped.exited]);
    assert.equal(wrapped.output(), plain.output());
    assert.match(plain.output(), /\nexpanded\n\$\(A\)\n\$\n--/);
  });

  it('reacts to TERM in the same way', async () => {
    for (const container of await bothWays('server')) {
      await container.said('ready --flag');
      container.signal('TERM');
      assert.equal(await container.exited, 9);
      assert.match(container.output(), /got TERM/);
    }
  });

  it('has no orphans left, where it had them all', async () => {
    const count = (comm: string, state: string) =>
      `for process in /proc/[0-9]*; do read -r _ name state _ < $process/stat && [ "$name $state" = "(${comm}) ${state}" ] && echo; done 2>/dev/null | wc -l`;
    const zombiesOf = async (container: Container) => {
      const number = (comm: string, state: string) => Number(container.exec(count(comm, state)));
      // tail is there once the three were started; it sleeps, and so do they until they end.
      for (let tries = 0; number('tail', 'S') === 0 || number('sleep', 'S') > 0; tries += 1) {
        assert.ok(tries < 100, 'the three never ended');
        await delay(50);
      }
      return number('sleep', 'Z');
    };
    const [plain, wrapped] = await bothWays('orphans');
    assert.equal(await zombiesOf(plain), 3);
    assert.equal(await zombiesOf(wrapped), 0);
    for (const container of [plain, wrapped]) container.signal('KILL');
    await Promise.all([plain.exited, wrapped.exited]);
  });
});
