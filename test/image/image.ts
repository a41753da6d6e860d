// npm run test:image — builds the images of the Dockerfile and runs them as a restricted pod would.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makeCertificates } from '../../src/commands/certs.ts';
import { version } from '../../src/version.ts';
import { type Container, type RunOptions, runContainer } from './container.ts';
import { buildImages, type Image, obstacle, removeContainers } from './images.ts';

const missing = obstacle();
if (missing !== null) {
  process.stderr.write(`test:image cannot run: ${missing}\n`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-image-'));
chmodSync(folder, 0o755);
const started: Container[] = [];
let images: { readonly tini: Image; readonly gravekeeper: Image };

before(() => {
  images = buildImages(folder);
});
after(() => {
  for (const container of started) container.remove();
  removeContainers();
  rmSync(folder, { recursive: true, force: true });
});

function start(image: Image, options: RunOptions): Container {
  const container = runContainer(image, folder, options);
  started.push(container);
  return container;
}

describe('the image of tini', () => {
  /** A folder as an emptyDir is to a pod: any user may write to it. */
  function volume(name: string): string {
    const path = join(folder, name);
    mkdirSync(path);
    chmodSync(path, 0o777);
    return path;
  }

  it('holds tini, the copier and the licences, less than 3 MiB', () => {
    const { rootfs } = images.tini;
    const paths = readdirSync(rootfs, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(paths.sort(), [
      'copier',
      'licenses',
      'licenses/glibc',
      'licenses/gravekeeper',
      'licenses/tini',
      'tini',
    ]);
    for (const name of ['copier', 'tini']) {
      assert.equal(statSync(join(rootfs, name)).mode & 0o7777, 0o555, name);
    }
    const bytes = paths.reduce((sum, path) => sum + statSync(join(rootfs, path)).size, 0);
    assert.ok(bytes < 3 * 1024 * 1024, `${bytes} bytes`);
    assert.match(readFileSync(join(rootfs, 'licenses/tini'), 'utf8'), /Permission is hereby granted/);
  });

  it('runs the copier as a numeric user that is not root', () => {
    const { config } = images.tini;
    assert.equal(config.User, '65532:65532');
    assert.deepEqual(config.Entrypoint, ['/copier']);
    assert.equal(config.Labels?.['org.opencontainers.image.version'], version);
  });

  for (const user of [undefined, { uid: 1_000_650_000, gid: 0 }]) {
    it(`puts tini into a volume as user ${user?.uid ?? 'of the image'}`, async () => {
      const from = volume(`for-${user?.uid ?? 'image'}`);
      const container = start(images.tini, {
        args: ['/volume'],
        mounts: { '/volume': { from, options: ['nosuid', 'nodev'] } },
        ...(user ? { user } : {}),
      });
      assert.equal(await container.exited, 0, container.stderr());
      assert.equal(container.stderr(), '');
      const outcome = spawnSync(join(from, 'tini'), ['-s', '--', 'sh', '-c', 'exit 7']);
      assert.equal(outcome.status, 7);
    });
  }

  it('says in one line that a volume is mounted noexec', async () => {
    const container = start(images.tini, {
      args: ['/volume'],
      mounts: { '/volume': { from: volume('noexec'), options: ['noexec'] } },
    });
    assert.equal(await container.exited, 1);
    assert.match(container.stderr(), /^gravekeeper-copier: cannot run .*: Permission denied; .* noexec.*\n$/);
  });

  it('serves as an image volume: tini at its root starts a program', async () => {
    const { rootfs } = images.tini;
    const image = {
      ...images.gravekeeper,
      config: { ...images.gravekeeper.config, Entrypoint: ['/volume/tini'] },
    };
    const container = start(image, {
      args: ['-s', '--', 'node', '-p', '1 + 1'],
      mounts: { '/volume': { from: rootfs, options: ['ro'] } },
    });
    await container.exited;
    assert.equal(container.stdout(), '2\n', container.stderr());
  });
});

describe('the image of the program', () => {
  it('holds the bundle, and no package manager', () => {
    const { rootfs } = images.gravekeeper;
    assert.ok(existsSync(join(rootfs, 'app/main.js')));
    assert.ok(existsSync(join(rootfs, 'app/THIRD-PARTY-LICENSES')));
    for (const path of ['app/node_modules', 'app/src', 'usr/local/bin/npm', 'usr/local/lib/node_modules']) {
      assert.ok(!existsSync(join(rootfs, path)), path);
    }
  });

  it('runs as a numeric user that is not root', () => {
    const { config } = images.gravekeeper;
    assert.equal(config.User, '65532:65532');
    assert.equal(config.Labels?.['org.opencontainers.image.version'], version);
  });

  it('runs commands', async () => {
    const container = start(images.gravekeeper, { args: ['--version'] });
    assert.equal(await container.exited, 0, container.stderr());
    assert.equal(container.stdout(), `${version}\n`);
  });

  it('serves the webhook over TLS, and ends gracefully at SIGTERM', async () => {
    const { ca, cert, key } = await makeCertificates();
    const files = join(folder, 'files');
    mkdirSync(files);
    writeFileSync(join(files, 'tls.crt'), cert);
    writeFileSync(join(files, 'tls.key'), key, { mode: 0o444 });
    cpSync(join(import.meta.dirname, '../../manifests/demo/namespace.yaml'), join(files, 'namespaces.yaml'));
    const container = start(images.gravekeeper, {
      args: [
        ...['webhook', '--host', '127.0.0.1', '--port', '0', '--metrics-port', '0', '--shutdown-delay', '0'],
        ...['--cert', '/files/tls.crt', '--key', '/files/tls.key', '--namespaces', '/files/namespaces.yaml'],
      ],
      mounts: { '/files': { from: files, options: ['ro'] } },
      memoryMiB: 512,
    });
    const port = await portOf(container);
    assert.equal((await send(port, ca, 'GET', '/readyz')).status, 200);

    const { status, body } = await send(port, ca, 'POST', '/mutate/namespace-inject', review());
    assert.equal(status, 200, body);
    const { response } = JSON.parse(body);
    assert.equal(response.uid, 'from-the-image-test');
    assert.equal(response.allowed, true);
    const patch = JSON.parse(Buffer.from(response.patch, 'base64').toString());
    assert.ok(
      patch.some(({ path }: { path: string }) => path === '/spec/containers/0/command'),
      JSON.stringify(patch),
    );

    container.signal('TERM');
    assert.equal(await container.exited, 0, container.stderr());
  });
});

/** A pod of a ReplicaSet, whose program would be PID 1 and never wait. */
function review(): string {
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'from-the-image-test',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      operation: 'CREATE',
      namespace: 'gravekeeper-demo',
      userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          generateName: 'app-',
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'app', uid: '1', controller: true },
          ],
        },
        spec: { containers: [{ name: 'app', image: 'python:3', command: ['python3', 'app.py'] }] },
      },
    },
  });
}

/** The port that the webhook says it listens on. */
async function portOf(container: Container): Promise<number> {
  for (let tries = 0; tries < 400; tries += 1) {
    const port = /"port":\s*(\d+)/.exec(container.stdout())?.[1];
    if (port) return Number(port);
    if (container.process.exitCode !== null) break;
    await delay(50);
  }
  throw new Error(`the webhook does not listen: ${container.stdout()}${container.stderr()}`);
}

function send(port: number, ca: string, method: string, path: string, body?: string) {
  return new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port, method, path, ca, headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, body: text }));
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}
