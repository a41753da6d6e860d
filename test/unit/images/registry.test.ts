import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ImagesConfig } from '../../../src/config/images.ts';
import type { GuardedGet } from '../../../src/images/guarded-get.ts';
import { anonymous, identityOf } from '../../../src/images/identity.ts';
import { locate } from '../../../src/images/location.ts';
import { parseReference } from '../../../src/images/reference.ts';
import { createRegistryClient, type FoundImage } from '../../../src/images/registry.ts';
import {
  dockerConfig,
  dockerList,
  dockerManifest,
  type FakeRegistry,
  ociConfig,
  ociIndex,
  ociManifest,
  sha256,
  startFakeRegistry,
} from '../../support/fake-registry.ts';
import { causeOf, configFor, guardedFor } from './harness.ts';

let registry: FakeRegistry;
let guarded: GuardedGet | null = null;
beforeAll(async () => {
  registry = await startFakeRegistry();
});
afterAll(() => registry.close());
beforeEach(() => registry.reset());
afterEach(() => guarded?.close());

const alice = identityOf({ username: 'alice', password: 'p:w' });
const basicOfAlice = `Basic ${Buffer.from('alice:p:w').toString('base64')}`;

interface Asking {
  readonly config?: ImagesConfig;
  readonly who?: typeof anonymous;
  readonly architecture?: string;
}

async function find(
  version: string,
  { config = configFor(registry), who = anonymous, architecture = 'amd64' }: Asking = {},
): Promise<FoundImage> {
  guarded = guardedFor(config);
  const reference = parseReference(`registry.test:${registry.port}/team/app`);
  if (!reference) throw new Error('no reference');
  const client = createRegistryClient(guarded, config);
  return await client.imageOf(
    locate(reference, config),
    version,
    architecture,
    who,
    AbortSignal.timeout(10_000),
  );
}

const paths = () => registry.arrived.map(({ method, path }) => `${method} ${path}`);

describe('imageOf', () => {
  it('reads what a tag stands for in two requests', async () => {
    const digest = registry.image('team/app', 'v1', { Entrypoint: ['/e'], Cmd: ['c'], User: '1000:1000' });
    expect(await find('v1')).toEqual({
      digest,
      details: { entrypoint: ['/e'], cmd: ['c'], user: '1000:1000', os: 'linux', architecture: 'amd64' },
    });
    expect(paths()).toEqual([
      'GET /v2/team/app/manifests/v1',
      expect.stringMatching(/^GET \/v2\/team\/app\/blobs\/sha256:/),
    ]);
  });

  it.each([
    ['of OCI', ociManifest, ociConfig],
    ['of Docker', dockerManifest, dockerConfig],
  ])('reads media types %s', async (_title, type, configType) => {
    const config = registry.blob('{"os":"linux","architecture":"amd64","config":{"Cmd":["x"]}}');
    registry.manifest(
      'team/app',
      'v1',
      { schemaVersion: 2, mediaType: type, config: { mediaType: configType, digest: config } },
      type,
    );
    expect((await find('v1')).details.cmd).toEqual(['x']);
  });

  it.each([
    ['OCI', ociIndex],
    ['Docker', dockerList],
  ])('chooses from an index of %s, and never an attestation', async (_title, type) => {
    const attestation = registry.image(
      'team/app',
      null,
      { Cmd: ['attestation'] },
      { os: 'unknown', architecture: 'unknown' },
    );
    const windows = registry.image('team/app', null, { Cmd: ['windows'] }, { os: 'windows' });
    const arm = registry.image('team/app', null, { Cmd: ['arm'] }, { architecture: 'arm64' });
    const amd = registry.image('team/app', null, { Cmd: ['amd'] });
    const index = registry.manifest(
      'team/app',
      'v1',
      {
        schemaVersion: 2,
        mediaType: type,
        manifests: [
          { digest: attestation, platform: { os: 'unknown', architecture: 'unknown' } },
          { digest: windows, platform: { os: 'windows', architecture: 'amd64' } },
          { digest: arm, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
          { digest: amd, platform: { os: 'linux', architecture: 'amd64' } },
        ],
      },
      type,
    );
    expect(await find('v1')).toMatchObject({ digest: index, details: { cmd: ['amd'] } });
    expect(await find('v1', { architecture: 'arm64' })).toMatchObject({
      digest: index,
      details: { cmd: ['arm'] },
    });
    expect(await find('v1', { architecture: 's390x' })).toMatchObject({ details: { cmd: ['arm'] } });
    expect(await find(index)).toMatchObject({ digest: index, details: { cmd: ['amd'] } });
  });

  it('does not find Linux in an index of Windows and attestations', async () => {
    const manifests = [
      { digest: sha256('a'), platform: { os: 'windows', architecture: 'amd64' } },
      { digest: sha256('b'), platform: { os: 'unknown', architecture: 'unknown' } },
    ];
    registry.manifest('team/app', 'v1', { schemaVersion: 2, manifests }, ociIndex);
    expect(await causeOf(find('v1'))).toBe('no-linux-image');
  });

  it('does not take an image of Windows', async () => {
    registry.image('team/app', 'v1', { Cmd: ['cmd.exe'] }, { os: 'windows' });
    expect(await causeOf(find('v1'))).toBe('no-linux-image');
  });

  it('reads an image that says nothing', async () => {
    registry.image('team/app', 'v1', {});
    expect((await find('v1')).details).toMatchObject({ entrypoint: null, cmd: null, user: '' });
  });

  it.each([
    [
      'the first version',
      { schemaVersion: 1, history: [] },
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      'unsupported-manifest',
    ],
    ['the first version under another name', { schemaVersion: 1 }, ociManifest, 'unsupported-manifest'],
    [
      'an artifact',
      {
        schemaVersion: 2,
        config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: sha256('') },
      },
      ociManifest,
      'unsupported-manifest',
    ],
    [
      'a type nobody knows',
      { schemaVersion: 2, mediaType: 'application/x' },
      'application/x',
      'unsupported-manifest',
    ],
    ['two types', { schemaVersion: 2, mediaType: ociIndex, manifests: [] }, ociManifest, 'bad-answer'],
    [
      'both kinds at once',
      { schemaVersion: 2, manifests: [], config: { mediaType: ociConfig, digest: sha256('') } },
      ociIndex,
      'bad-answer',
    ],
    [
      'an image with manifests',
      { schemaVersion: 2, manifests: [], config: { mediaType: ociConfig, digest: sha256('') } },
      ociManifest,
      'bad-answer',
    ],
    ['no JSON', '<html>', ociManifest, 'bad-answer'],
    ['a list', '[]', ociManifest, 'bad-answer'],
    [
      'a digest that is a path',
      { schemaVersion: 2, config: { mediaType: ociConfig, digest: '../../../secret' } },
      ociManifest,
      'bad-answer',
    ],
    [
      'a digest that nobody can verify',
      { schemaVersion: 2, config: { mediaType: ociConfig, digest: `md5:${'0'.repeat(32)}` } },
      ociManifest,
      'bad-answer',
    ],
    [
      'an index in an index',
      {
        schemaVersion: 2,
        manifests: [{ digest: sha256('{"schemaVersion":2,"manifests":[]}'), platform: null }],
      },
      ociIndex,
      'unsupported-manifest',
    ],
  ])('refuses a manifest of %s', async (_title, body, type, cause) => {
    registry.manifest('team/app', null, '{"schemaVersion":2,"manifests":[]}', ociIndex);
    registry.manifest('team/app', 'v1', body, type);
    expect(await causeOf(find('v1'))).toBe(cause);
  });

  it.each([
    ['no JSON', 'x', 'bad-answer'],
    ['a word that is no text', '{"config":{"Entrypoint":["a",1]}}', 'bad-answer'],
    ['an ENTRYPOINT that is no list', '{"config":{"Entrypoint":"a"}}', 'bad-answer'],
    ['a word with a NUL', '{"config":{"Cmd":["a\\u0000b"]}}', 'bad-answer'],
    ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'bad-answer'],
    ['a megabyte of words', JSON.stringify({ config: { Cmd: ['x'.repeat(900_000)] } }), 'too-large'],
    ['100 MiB', Buffer.alloc(100 * 1024 * 1024, 'x'), 'too-large'],
  ])('refuses a config of %s', async (_title, bytes, cause) => {
    const config = registry.blob(bytes);
    registry.manifest(
      'team/app',
      'v1',
      { schemaVersion: 2, config: { mediaType: ociConfig, digest: config } },
      ociManifest,
    );
    expect(await causeOf(find('v1'))).toBe(cause);
  });

  it('refuses a manifest of more than 4 MiB', async () => {
    registry.manifest('team/app', 'v1', `{"schemaVersion":2}${' '.repeat(4 * 1024 * 1024)}`, ociManifest);
    expect(await causeOf(find('v1'))).toBe('too-large');
  });

  it.each([
    ['manifest', 'manifests/sha256'],
    ['config', 'blobs/sha256'],
    ['manifest by its tag, with the digest of another', 'manifests/v1'],
  ])('refuses a %s that is not what its digest says', async (_title, part) => {
    const digest = registry.image('team/app', 'v1', { Cmd: ['true'] });
    const other = JSON.stringify({ schemaVersion: 2, config: { mediaType: ociConfig, digest } });
    registry.behave(({ path }, response) => {
      if (!path.includes(part)) return false;
      response.writeHead(200, { 'content-type': ociManifest, 'docker-content-digest': digest }).end(other);
      return true;
    });
    expect(await causeOf(find(part === 'manifests/sha256' ? digest : 'v1'))).toBe('digest-mismatch');
  });

  it('verifies by SHA-512 too', async () => {
    const manifest = JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: ociConfig, digest: registry.blob('{}') },
    });
    const digest = `sha512:${createHash('sha512').update(manifest).digest('hex')}`;
    registry.behave(({ path }, response) => {
      if (!path.includes('manifests')) return false;
      response.writeHead(200, { 'content-type': ociManifest }).end(manifest);
      return true;
    });
    expect((await find(digest)).digest).toBe(digest);
    expect(await causeOf(find(`sha512:${'0'.repeat(128)}`))).toBe('digest-mismatch');
  });

  it.each([
    [401, 'denied'],
    [403, 'denied'],
    [404, 'not-found'],
    [429, 'rate-limited'],
    [400, 'registry-error'],
    [500, 'registry-error'],
    [503, 'registry-error'],
    [204, 'bad-answer'],
  ])('takes the status %i as %s', async (status, cause) => {
    registry.behave((_arrived, response) => {
      response.writeHead(status).end(status === 204 ? undefined : 'a secret of the registry');
      return true;
    });
    const failure = await find('v1').catch((error: Error) => error);
    expect(failure).toMatchObject({ failure: cause });
    expect(String(failure)).not.toContain('secret');
  });

  it.each([
    ['seconds', () => '7', 7_000],
    ['more than five minutes', () => '86400', 300_000],
    ['a date in the past', () => 'Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['nonsense', () => 'soon', null],
  ])('reads Retry-After in %s', async (_title, header, expected) => {
    registry.behave((_arrived, response) => {
      response.writeHead(429, { 'retry-after': header() }).end();
      return true;
    });
    expect(await find('v1').catch((error: unknown) => error)).toMatchObject({ retryAfterMs: expected });
  });
});

describe('redirections', () => {
  /** Sends blobs to another host. */
  function redirectBlobs(to: (path: string) => string, status = 307): void {
    registry.behave(({ host, path }, response) => {
      if (!host.startsWith('registry.test') || !path.includes('/blobs/')) return false;
      response.writeHead(status, { location: to(path) }).end();
      return true;
    });
  }

  it.each([301, 302, 303, 307, 308])('follows a %i to another host, without credentials', async (status) => {
    registry.image('team/app', 'v1', { Cmd: ['x'] });
    const before = registry.arrived.length;
    registry.behave(({ host, path, authorization }, response) => {
      if (host.startsWith('cdn.test')) return false;
      if (authorization !== basicOfAlice) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
        return true;
      }
      if (!path.includes('/blobs/')) return false;
      response.writeHead(status, { location: `https://cdn.test:${registry.port}${path}` }).end();
      return true;
    });
    const config = configFor(registry, {}, { [`cdn.test:${registry.port}`]: { privateAddress: true } });
    expect((await find('v1', { config, who: alice })).details.cmd).toEqual(['x']);
    const atCdn = registry.arrived.slice(before).filter(({ host }) => host.startsWith('cdn.test'));
    expect(atCdn.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('keeps the credentials on the same origin', async () => {
    registry.image('team/app', 'v1', { Cmd: ['x'] });
    registry.behave(({ path, authorization }, response) => {
      if (authorization !== basicOfAlice) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
        return true;
      }
      if (!path.includes('/blobs/') || path.endsWith('?again')) return false;
      response.writeHead(302, { location: `${path}?again` }).end();
      return true;
    });
    // The query is no part of what is stored, so nothing is found; what matters is who asked.
    await find('v1', { who: alice }).catch(() => {});
    expect(registry.arrived.find(({ path }) => path.endsWith('?again'))?.authorization).toBe(basicOfAlice);
  });

  it('never gives them back after a detour', async () => {
    registry.image('team/app', 'v1', { Cmd: ['x'] });
    registry.behave(({ host, path, authorization }, response) => {
      const detour = path.includes('/detour');
      if (host.startsWith('cdn.test')) {
        response.writeHead(302, { location: `https://registry.test:${registry.port}/detour` }).end();
      } else if (!detour && authorization !== basicOfAlice) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      } else if (path.includes('/blobs/')) {
        response.writeHead(302, { location: `https://cdn.test:${registry.port}/x` }).end();
      } else if (detour) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      } else {
        return false;
      }
      return true;
    });
    const config = configFor(registry, {}, { [`cdn.test:${registry.port}`]: { privateAddress: true } });
    expect(await causeOf(find('v1', { config, who: alice }))).toBe('denied');
    const detours = registry.arrived.filter(({ path }) => path === '/detour');
    expect(detours.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it.each([
    ['the metadata service', 'http://169.254.169.254/latest/meta-data/', 'http-not-allowed'],
    ['the metadata service over TLS', 'https://169.254.169.254/', 'address-not-allowed'],
    ['this machine', 'https://localhost:1/', 'address-not-allowed'],
    ['plain HTTP', 'http://cdn.test/', 'http-not-allowed'],
    ['a file', 'file:///etc/passwd', 'bad-answer'],
    ['nowhere', 'https://', 'bad-answer'],
  ])('does not follow to %s', async (_title, to, cause) => {
    registry.image('team/app', 'v1', { Cmd: ['x'] });
    redirectBlobs(() => to);
    expect(await causeOf(find('v1'))).toBe(cause);
  });

  it('does not follow for ever', async () => {
    registry.image('team/app', 'v1', { Cmd: ['x'] });
    redirectBlobs((path) => path);
    expect(await causeOf(find('v1'))).toBe('too-many-redirects');
    expect(paths().filter((path) => path.includes('/blobs/'))).toHaveLength(6);
  });
});

describe('authorization', () => {
  /** The registry wants a token of a realm; the realm gives one to whoever `mayHave`. */
  function wantToken(
    realm: string,
    mayHave: (authorization: string | undefined) => boolean,
    answer: object = { token: 'good' },
  ): void {
    registry.behave(({ path, authorization }, response) => {
      if (path.startsWith('/token')) {
        if (mayHave(authorization)) response.end(JSON.stringify(answer));
        else response.writeHead(401).end();
        return true;
      }
      if (authorization === 'Bearer good') return false;
      const challenge = `Bearer realm="${realm}",service="the registry",scope="repository:team/app:pull,push"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return true;
    });
  }
  const realmAt = (host: string) => `https://${host}:${registry.port}/token`;
  const everyone = () => true;
  const aliceOnly = (authorization: string | undefined) => authorization === basicOfAlice;

  beforeEach(() => void registry.image('team/app', 'v1', { Cmd: ['x'] }));

  it.each([
    { token: 'good' },
    { access_token: 'good' },
    { token: 'good', access_token: 'other', expires_in: 300 },
  ])('fetches a token %j for nobody in particular, once', async (answer) => {
    wantToken(realmAt('registry.test'), everyone, answer);
    await find('v1');
    expect(paths()).toEqual([
      'GET /v2/team/app/manifests/v1',
      'GET /token?service=the+registry&scope=repository%3Ateam%2Fapp%3Apull',
      'GET /v2/team/app/manifests/v1',
      expect.stringContaining('/blobs/'),
    ]);
  });

  it('fetches a token for a credential', async () => {
    wantToken(realmAt('registry.test'), aliceOnly);
    expect((await find('v1', { who: alice })).details.cmd).toEqual(['x']);
    expect(await causeOf(find('v1'))).toBe('denied');
  });

  it.each([
    [{}, 'bad-answer'],
    [{ token: 'a\r\nb: c' }, 'bad-answer'],
    [{ token: 1 }, 'bad-answer'],
    [{ token: 'x'.repeat(20_000) }, 'bad-answer'],
    [{ token: 'wrong' }, 'denied'],
  ])('does not get along with the token answer %j', async (answer, cause) => {
    wantToken(realmAt('registry.test'), everyone, answer);
    expect(await causeOf(find('v1'))).toBe(cause);
  });

  it.each([
    ['another host', 'other.test'],
    ['a neighbour', 'cdn.test'],
  ])('does not send a credential to a realm on %s', async (_title, host) => {
    wantToken(realmAt(host), aliceOnly);
    const config = configFor(registry, {}, { [`${host}:${registry.port}`]: { privateAddress: true } });
    expect(await causeOf(find('v1', { config, who: alice }))).toBe('foreign-realm');
    expect(registry.arrived.filter((one) => one.host.startsWith(host))).toEqual([]);
    expect(registry.arrived.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('asks a realm on another host for nobody in particular', async () => {
    wantToken(realmAt('other.test'), everyone);
    const config = configFor(registry, {}, { [`other.test:${registry.port}`]: { privateAddress: true } });
    expect((await find('v1', { config })).details.cmd).toEqual(['x']);
  });

  it('sends a credential to a realm that is listed, or below the registry', async () => {
    const hosts = (settings: object) => ({
      [`registry.test:${registry.port}`]: { privateAddress: true, ...settings },
      '*.test': { privateAddress: true },
      [`other.test:${registry.port}`]: { privateAddress: true },
      [`auth.registry.test:${registry.port}`]: { privateAddress: true },
    });
    wantToken(realmAt('other.test'), aliceOnly);
    const listed = configFor(registry, {}, hosts({ tokenHosts: [`other.test:${registry.port}`] }));
    expect((await find('v1', { config: listed, who: alice })).details.cmd).toEqual(['x']);
    wantToken(realmAt('auth.registry.test'), aliceOnly);
    expect(
      (await find('v1', { config: configFor(registry, {}, hosts({})), who: alice })).details.cmd,
    ).toEqual(['x']);
  });

  it.each([
    ['the metadata service', 'http://169.254.169.254/token', 'http-not-allowed'],
    ['an address', 'https://10.0.0.1/token', 'address-not-allowed'],
    ['a name for this machine', 'https://localhost:1/token', 'address-not-allowed'],
    ['nothing', '', 'bad-answer'],
  ])('does not ask a realm that is %s', async (_title, realm, cause) => {
    wantToken(realm, everyone);
    expect(await causeOf(find('v1'))).toBe(cause);
  });

  it('does not give a credential to a realm over plain HTTP, listed or not', async () => {
    wantToken(`http://registry.test:${registry.port}/token`, everyone);
    const config = configFor(registry, {}, { 'registry.test:1': { privateAddress: true, plainHttp: true } });
    expect(await causeOf(find('v1', { config, who: alice }))).toBe('foreign-realm');
  });

  it('does not answer a basic challenge without a credential', async () => {
    registry.behave((_arrived, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      return true;
    });
    expect(await causeOf(find('v1'))).toBe('denied');
  });
});
