import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeRegistry, startFakeRegistry } from '../../../support/fake-registry.ts';

let registry: FakeRegistry;
let folder: string;
let config: string;
beforeAll(async () => {
  registry = await startFakeRegistry();
  registry.image('team/app', 'v1', { Entrypoint: ['/app'] });
  registry.image('team/proxy', 'v1', { Cmd: ['nginx'] });
  folder = mkdtempSync(join(tmpdir(), 'gravekeeper-resolve-'));
  const host = `localhost:${registry.port}`;
  config = file('config.yaml', {
    images: { registries: [host], hosts: { [host]: { privateAddress: true, ca: registry.ca } } },
  });
});
afterAll(async () => {
  await registry.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => registry.reset());

const image = (rest: string) => `localhost:${registry.port}/${rest}`;

function file(name: string, content: object): string {
  writeFileSync(join(folder, name), JSON.stringify(content));
  return join(folder, name);
}

function deployment(name: string, from: string, fields: object = {}): object {
  const containers = [{ name: 'app', image: from, ...fields }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { template: { spec: { containers } } },
  };
}

const list = (items: readonly object[]) => ({ apiVersion: 'v1', kind: 'List', items });

/** Beside this process, which is the registry. */
function run(...words: readonly string[]): Promise<{ status: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, NO_COLOR: '1' } };
    execFile(process.execPath, ['src/main.js', ...words], options, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? 0, stdout, stderr }),
    );
  });
}

const auto = ['--assume', 'inject=auto'] as const;

/** Name, remedy and reason of each object, in order. */
function decisions(json: string): readonly string[] {
  const { objects } = JSON.parse(json) as {
    objects: { name: string; remedy: { kind: string | null; reason: string } }[];
  };
  return objects.map(({ name, remedy }) => `${name} ${remedy.kind} ${remedy.reason}`);
}

describe('audit', () => {
  it('asks for each image once, keeps the order, and says what it could not find out', async () => {
    const names = Array.from({ length: 150 }, (_, index) => `app-${index}`);
    const one = file('1.json', list(names.map((name) => deployment(name, image('team/app:v1')))));
    const two = file('2.json', deployment('proxy', image('team/proxy:v1')));
    const three = file(
      '3.json',
      list([
        deployment('none', image('team/none:v1')),
        deployment('elsewhere', 'registry.elsewhere.example/app'),
        deployment('odd', 'Not\u001b An Image'),
        deployment('known', 'x', { command: ['/serve'] }),
      ]),
    );
    const files = ['-f', one, two, three, '--config', config, ...auto, '-o', 'json'];
    const { status, stdout, stderr } = await run('audit', ...files, '--resolve-images');
    expect(decisions(stdout)).toEqual([
      ...names.map((name) => `${name} tini argv-known`),
      'proxy null pid1-reaps',
      'none null argv-unknown',
      'elsewhere null argv-unknown',
      'odd null argv-unknown',
      'known tini argv-known',
    ]);
    expect(stderr).toBe(
      [
        '3 of 5 images could not be looked up; what they start stays unknown:',
        '  invalid-reference: it is no reference to an image',
        '    Not\\x1b An Image',
        '  not-found: the registry has no such image',
        `    ${image('team/none:v1')}`,
        '  registry-not-allowed: its registry is not among images.registries of the configuration',
        '    registry.elsewhere.example/app',
        '',
      ].join('\n'),
    );
    expect(status).toBe(0);
    expect(registry.arrived.map(({ path }) => path.replace(/sha256.*/, '')).toSorted()).toEqual([
      '/v2/team/app/blobs/',
      '/v2/team/app/manifests/v1',
      '/v2/team/none/manifests/v1',
      '/v2/team/proxy/blobs/',
      '/v2/team/proxy/manifests/v1',
    ]);
  });

  it('asks nobody unless it is told to', async () => {
    const path = file('app.json', deployment('app', image('team/app:v1')));
    const { stdout, stderr } = await run('audit', '-f', path, '--config', config, ...auto, '-o', 'json');
    expect(decisions(stdout)).toEqual(['app null argv-unknown']);
    expect(stderr).toBe('');
    expect(registry.arrived).toEqual([]);
  });

  it('asks with the credentials that it is given, and without them otherwise', async () => {
    registry.behave(({ authorization }, response) => {
      if (authorization === `Basic ${Buffer.from('alice:p').toString('base64')}`) return false;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      return true;
    });
    const path = file('app.json', deployment('app', image('team/app:v1')));
    const auths = { [`localhost:${registry.port}`]: { username: 'alice', password: 'p' } };
    const words = ['-f', path, '--config', config, ...auto, '-o', 'json', '--resolve-images'];
    const without = await run('audit', ...words);
    expect(decisions(without.stdout)).toEqual(['app null argv-unknown']);
    expect(without.stderr).toContain('1 of 1 image could not be looked up');
    expect(without.stderr).toContain('denied');
    const given = await run('audit', ...words, '--docker-config', file('docker.json', { auths }));
    expect(decisions(given.stdout)).toEqual(['app tini argv-known']);
    expect(given.stderr).toBe('');
  });

  it('says where there was nothing to ask for', async () => {
    const path = file('app.json', deployment('app', image('team/app:v1')));
    const { stderr } = await run('audit', '-f', path, '--config', config, '--resolve-images');
    expect(stderr).toContain('no image was looked up: of the pods that opted in, none');
    expect(registry.arrived).toEqual([]);
  });

  it.each([
    [['--pull-secrets'], '--pull-secrets is of use only with --resolve-images'],
    [['--docker-config', 'x.json'], '--docker-config is of use only with --resolve-images'],
    [['--resolve-images', '--pull-secrets'], '--pull-secrets are read from a cluster'],
    [['--resolve-images', '--docker-config', 'no-such.json'], 'no-such.json cannot be read'],
  ])('refuses %j in words', async (words, message) => {
    const { status, stdout, stderr } = await run('audit', '-f', config, ...words);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('fix', () => {
  it('writes what it knows of an image only if it asks', async () => {
    const dropped = { securityContext: { capabilities: { drop: ['ALL'] } } };
    const paths = [1, 2].map((index) =>
      file(`fix-${index}.yaml`, deployment(`app-${index}`, image('team/app:v1'), dropped)),
    );
    const words = ['-f', ...paths, '--config', config, ...auto];
    const without = await run('fix', ...words);
    expect(without.stdout).not.toContain('shareProcessNamespace');
    const { stdout, stderr } = await run('fix', ...words, '--resolve-images');
    expect(stdout.match(/"shareProcessNamespace": ?true/g)).toHaveLength(2);
    expect(stderr).toBe(
      [
        ...paths.map(
          (path, index) =>
            `${path}:1: Deployment default/app-${index + 1}: shareProcessNamespace: true (uid-change): fixed in the output`,
        ),
        '2 fixed in the output, 0 left to you',
        '',
      ].join('\n'),
    );
    expect(registry.arrived).toHaveLength(2);
  });
});
