import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ImagesConfig } from '../../../src/config/images.ts';
import {
  createImageLookup,
  createRunLookup,
  type ImageLookup,
  type LookupTools,
} from '../../../src/images/image-lookup.ts';
import type { LookupMetrics } from '../../../src/images/metrics.ts';
import type { PullSecret } from '../../../src/images/pull-secrets.ts';
import { readPod } from '../../../src/pod/pod.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { causeOf, configFor, guardedFor } from './harness.ts';

let registry: FakeRegistry;
const lookups: ImageLookup[] = [];
beforeAll(async () => {
  registry = await startFakeRegistry();
});
afterAll(() => registry.close());
beforeEach(() => registry.reset());
afterEach(() => {
  for (const lookup of lookups.splice(0)) lookup.close();
});

function start(config: ImagesConfig = configFor(registry), tools: LookupTools = {}): ImageLookup {
  const lookup = createImageLookup(config, { guarded: guardedFor(config), ...tools });
  lookups.push(lookup);
  return lookup;
}

const image = (rest: string) => `registry.test:${registry.port}/${rest}`;
const none: readonly PullSecret[] = [];

function secretOf(user: string): PullSecret {
  const auths = { [`registry.test:${registry.port}`]: { username: user, password: 'p' } };
  return {
    type: 'kubernetes.io/dockerconfigjson',
    data: new Map([['.dockerconfigjson', JSON.stringify({ auths })]]),
  };
}

/** Lets only some users in; `anonymous` is one who says nothing. */
function letIn(...users: string[]): void {
  registry.behave(({ authorization = '' }, response) => {
    const [user] = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':');
    if (users.includes(user || 'anonymous')) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    return true;
  });
}

/** Holds every answer back until it is released. */
function holdBack(): () => void {
  const held: (() => void)[] = [];
  let open = false;
  registry.behave((arrived, response, request) => {
    if (open) return false;
    held.push(() => {
      response.writeHead(307, { location: arrived.path, connection: 'close' }).end();
      request.resume();
    });
    return true;
  });
  return () => {
    open = true;
    for (const release of held) release();
  };
}

const paths = () =>
  registry.arrived.map(({ method, path }) => `${method} ${path.replace(/sha256:.*/, 'sha256')}`);
const cold = ['GET /v2/team/app/manifests/v1', 'GET /v2/team/app/blobs/sha256'];

describe('find', () => {
  it('asks the registry once, and knows it from then on', async () => {
    registry.image('team/app', 'v1', { Cmd: ['x'] });
    const lookup = start();
    const first = await lookup.find(image('team/app:v1'), none, null);
    const second = await lookup.find(image('team/app:v1'), none, null);
    expect([first.cached, second.cached]).toEqual([false, true]);
    expect(second.image).toEqual(first.image);
    expect(paths()).toEqual(cold);
  });

  it('asks once for many at a time', async () => {
    registry.image('team/app', 'v1', { Cmd: ['x'] });
    const lookup = start();
    await Promise.all(Array.from({ length: 50 }, () => lookup.find(image('team/app:v1'), none, null)));
    expect(paths()).toEqual(cold);
  });

  it('asks with one small request whether a tag has moved, and takes what it moved to', async () => {
    registry.image('team/app', 'v1', { Cmd: ['old'] });
    const lookup = start(configFor(registry, { cache: { tagSeconds: 0 } }));
    await lookup.find(image('team/app:v1'), none, null);
    await lookup.find(image('team/app:v1'), none, null);
    expect(paths()).toEqual([...cold, 'HEAD /v2/team/app/manifests/v1']);
    registry.image('team/app', 'v1', { Cmd: ['new'] });
    const { image: moved } = await lookup.find(image('team/app:v1'), none, null);
    expect(moved.details.cmd).toEqual(['new']);
    expect(paths().slice(3)).toEqual([
      'HEAD /v2/team/app/manifests/v1',
      'GET /v2/team/app/manifests/sha256',
      'GET /v2/team/app/blobs/sha256',
    ]);
  });

  it('asks for the manifest of a tag where the registry does not know HEAD', async () => {
    registry.image('team/app', 'v1', { Cmd: ['x'] });
    registry.behave(({ method }, response) => {
      if (method === 'HEAD') response.writeHead(405).end();
      return method === 'HEAD';
    });
    const lookup = start(configFor(registry, { cache: { tagSeconds: 0 } }));
    for (const _ of [1, 2]) {
      expect((await lookup.find(image('team/app:v1'), none, null)).image.details.cmd).toEqual(['x']);
    }
    expect(paths()).toEqual([...cold, 'HEAD /v2/team/app/manifests/v1', ...cold]);
  });

  it('never asks again for a digest', async () => {
    const digest = registry.image('team/app', null, { Cmd: ['x'] });
    const lookup = start(configFor(registry, { cache: { tagSeconds: 0, failureSeconds: 0 } }));
    for (const _ of [1, 2, 3]) await lookup.find(image(`team/app:moved@${digest}`), none, null);
    expect(paths()).toEqual(['GET /v2/team/app/manifests/sha256', 'GET /v2/team/app/blobs/sha256']);
  });

  it('remembers a failure for a while', async () => {
    const lookup = start();
    expect(await causeOf(lookup.find(image('team/none:v1'), none, null))).toBe('not-found');
    expect(await causeOf(lookup.find(image('team/none:v1'), none, null))).toBe('not-found');
    expect(paths()).toEqual(['GET /v2/team/none/manifests/v1']);
    const forgetful = start(configFor(registry, { cache: { failureSeconds: 0 } }));
    for (const _ of [1, 2]) await causeOf(forgetful.find(image('team/none:v1'), none, null));
    expect(paths()).toHaveLength(3);
  });

  it('leaves a registry alone that is over its limit, for whoever was told so', async () => {
    registry.image('team/app', 'v1', { Cmd: ['x'] });
    registry.behave(({ authorization }, response) => {
      if (authorization) return false;
      response.writeHead(429, { 'retry-after': '60' }).end();
      return true;
    });
    const lookup = start();
    expect(await causeOf(lookup.find(image('team/app:v1'), none, null))).toBe('rate-limited');
    expect(await causeOf(lookup.find(image('team/other:v2'), none, null))).toBe('rate-limited');
    expect(paths()).toHaveLength(1);
  });

  it('leaves a registry alone after three look-ups in a row that nobody answered', async () => {
    const config = configFor(
      registry,
      { registries: ['dead.test:1'] },
      { 'dead.test:1': { privateAddress: true } },
    );
    const fetched: string[] = [];
    const lookup = start(config, {
      metrics: { lookedUp() {}, fetched: (result) => void fetched.push(result) },
    });
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      expect(await causeOf(lookup.find(`dead.test:1/${name}`, none, null))).toBe('unreachable');
    }
    expect(fetched).toEqual(['unreachable', 'unreachable', 'unreachable']);
  });

  it.each([
    ['Nonsense', 'invalid-reference'],
    ['quay.example/a', 'registry-not-allowed'],
    ['redis', 'registry-not-allowed'],
    ['localhost/a', 'registry-not-allowed'],
    ['169.254.169.254/a', 'registry-not-allowed'],
  ])('does not ask for %s', async (reference, cause) => {
    expect(await causeOf(start().find(reference, none, null))).toBe(cause);
    expect(registry.arrived).toEqual([]);
  });

  it.each(['169.254.169.254/a', '127.0.0.1:1/a', '[::1]:1/a', '0x7f.1/a', 'localhost:1/a'])(
    'does not ask for %s even where every registry is allowed',
    async (reference) => {
      const config = configFor(registry, { registries: ['*'] });
      const guarded = guardedFor(config);
      const lookup = createImageLookup(config, { guarded });
      expect(await causeOf(lookup.find(reference, none, null))).toBe('address-not-allowed');
      lookup.close();
    },
  );

  it('asks the mirror, without the credentials of the registry', async () => {
    registry.image('hub/library/redis', '7', { Cmd: ['redis-server'] });
    const mirror = `mirror.test:${registry.port}`;
    const config = configFor(
      registry,
      { mirrors: { 'docker.io': `${mirror}/hub` } },
      { [mirror]: { privateAddress: true } },
    );
    const auths = { 'https://index.docker.io/v1/': { username: 'u', password: 'p' } };
    const secret = {
      type: 'kubernetes.io/dockerconfigjson',
      data: new Map([['.dockerconfigjson', JSON.stringify({ auths })]]),
    };
    const { image: found } = await start(config).find('redis:7', [secret], null);
    expect(found.details.cmd).toEqual(['redis-server']);
    expect(new Set(registry.arrived.map(({ host, authorization }) => [host, authorization].join()))).toEqual(
      new Set([`${mirror},`]),
    );
  });
});

describe('credentials', () => {
  beforeEach(() => void registry.image('team/app', 'v1', { Cmd: ['private'] }));

  it('does not give a private image to whoever may not read it', async () => {
    letIn('alice');
    const digest = registry.image('team/app', 'v1', { Cmd: ['private'] });
    const lookup = start();
    for (const version of [':v1', `@${digest}`]) {
      const found = await lookup.find(image(`team/app${version}`), [secretOf('alice')], null);
      expect(found.image.details.cmd).toEqual(['private']);
      expect(await causeOf(lookup.find(image(`team/app${version}`), [secretOf('bob')], null))).toBe('denied');
      expect(await causeOf(lookup.find(image(`team/app${version}`), none, null))).toBe('denied');
    }
  });

  it('does not let the failure of one keep another from it', async () => {
    letIn('alice');
    const lookup = start();
    expect(await causeOf(lookup.find(image('team/app:v1'), none, null))).toBe('denied');
    expect(await causeOf(lookup.find(image('team/app:v1'), [secretOf('bob')], null))).toBe('denied');
    expect((await lookup.find(image('team/app:v1'), [secretOf('alice')], null)).image.details.cmd).toEqual([
      'private',
    ]);
  });

  it('does not share a look-up that is under way', async () => {
    const release = holdBack();
    const lookup = start();
    const alice = lookup.find(image('team/app:v1'), [secretOf('alice')], null);
    const bob = causeOf(lookup.find(image('team/app:v1'), [secretOf('bob')], null));
    release();
    letIn('alice');
    expect((await alice).image.details.cmd).toEqual(['private']);
    expect(await bob).toBe('denied');
  });

  it('shares what the same credential has read, wherever it is kept', async () => {
    letIn('alice');
    const lookup = start();
    await lookup.find(image('team/app:v1'), [secretOf('alice')], null);
    const before = registry.arrived.length;
    const found = await lookup.find(image('team/app:v1'), [secretOf('bob'), secretOf('alice')], null);
    expect(found.cached).toBe(true);
    expect(
      registry.arrived.slice(before).every(({ authorization }) => !authorization?.includes('alice')),
    ).toBe(true);
  });

  it('tries each credential, then none', async () => {
    registry.behave(({ authorization }, response) => {
      if (!authorization) return false;
      response.writeHead(401).end();
      return true;
    });
    const lookup = start();
    const found = await lookup.find(image('team/app:v1'), [secretOf('alice'), secretOf('bob')], null);
    expect(found.image.details.cmd).toEqual(['private']);
  });
});

describe('answer', () => {
  const pod = (spec: object = {}) => readPod({ metadata: {}, spec });
  const outcomesInto = (list: string[]): LookupMetrics => ({
    lookedUp: (outcome) => void list.push(outcome),
    fetched() {},
  });

  it('answers for each container, and leaves out what is not found', async () => {
    registry.image('team/app', 'v1', { Entrypoint: ['/e'], Cmd: ['c'], User: '1000:1000' });
    const outcomes: string[] = [];
    const told: string[] = [];
    const lookup = start(configFor(registry), {
      metrics: outcomesInto(outcomes),
      failed: (name, cause) => void told.push(`${name} ${cause}`),
    });
    const questions = [
      { container: 'a', image: image('team/app:v1') },
      { container: 'b', image: image('team/app:v1') },
      { container: 'c', image: image('team/none:v1') },
      { container: 'd', image: 'Nonsense' },
    ];
    for (const _ of [1, 2]) {
      const answers = await lookup.answer(questions, { pod: pod(), namespace: 'shop' });
      expect([...answers]).toEqual([
        ['a', { entrypoint: ['/e'], cmd: ['c'], user: '1000:1000' }],
        ['b', { entrypoint: ['/e'], cmd: ['c'], user: '1000:1000' }],
      ]);
    }
    expect(outcomes.toSorted()).toEqual([
      'cached',
      'cached',
      'fetched',
      'fetched',
      'invalid-reference',
      'invalid-reference',
      'not-found',
      'not-found',
    ]);
    expect(told.toSorted()).toEqual(['Nonsense invalid-reference', `${image('team/none:v1')} not-found`]);
  });

  it('does not wait longer than the deadline, and knows the answer when the next pod asks', async () => {
    registry.image('team/app', 'v1', { Cmd: ['x'] });
    const release = holdBack();
    const outcomes: string[] = [];
    const fetched = Promise.withResolvers<string>();
    const lookup = start(configFor(registry, { deadlineSeconds: 0.05 }), {
      metrics: { ...outcomesInto(outcomes), fetched: (result) => fetched.resolve(result) },
    });
    const questions = [{ container: 'a', image: image('team/app:v1') }];
    expect([...(await lookup.answer(questions, { pod: pod(), namespace: 'shop' }))]).toEqual([]);
    release();
    expect(await fetched.promise).toBe('success');
    expect([...(await lookup.answer(questions, { pod: pod(), namespace: 'shop' }))]).toEqual([
      ['a', { entrypoint: undefined, cmd: ['x'], user: '' }],
    ]);
    expect(outcomes).toEqual(['late', 'cached']);
  });

  it('asks with the pull secrets of the pod in its namespace', async () => {
    letIn('alice');
    registry.image('team/app', 'v1', { Cmd: ['x'] });
    const alices = pod({ imagePullSecrets: [{ name: 'good' }] });
    const lookup = start(configFor(registry), {
      secretsOf: async (asking, namespace) =>
        asking === alices && namespace === 'shop' ? [secretOf('alice')] : [],
    });
    const questions = [{ container: 'a', image: image('team/app:v1') }];
    const sizeFor = async (about: Parameters<ImageLookup['answer']>[1]) =>
      (await lookup.answer(questions, about)).size;
    expect(await sizeFor({ pod: alices, namespace: 'shop' })).toBe(1);
    expect(await sizeFor({ pod: alices, namespace: 'other' })).toBe(0);
    expect(await sizeFor({ pod: pod(), namespace: 'shop' })).toBe(0);
  });

  it('does not wait longer than the deadline for pull secrets either', async () => {
    const outcomes: string[] = [];
    const lookup = start(configFor(registry, { deadlineSeconds: 0.05 }), {
      metrics: outcomesInto(outcomes),
      secretsOf: () => new Promise(() => {}),
    });
    const questions = [{ container: 'a', image: image('team/app:v1') }];
    expect((await lookup.answer(questions, { pod: pod(), namespace: 'shop' })).size).toBe(0);
    expect(outcomes).toEqual(['late']);
    expect(registry.arrived).toEqual([]);
  });

  it('asks for the architecture that the pod asks for', async () => {
    const arm = registry.image('team/app', null, { Cmd: ['arm'] }, { architecture: 'arm64' });
    const amd = registry.image('team/app', null, { Cmd: ['amd'] });
    const manifests = [
      { digest: amd, platform: { os: 'linux', architecture: 'amd64' } },
      { digest: arm, platform: { os: 'linux', architecture: 'arm64' } },
    ];
    registry.manifest(
      'team/app',
      'v1',
      { schemaVersion: 2, manifests },
      'application/vnd.oci.image.index.v1+json',
    );
    const lookup = start();
    const questions = [{ container: 'a', image: image('team/app:v1') }];
    const cmdFor = async (spec: object) =>
      (await lookup.answer(questions, { pod: pod(spec), namespace: 'shop' })).get('a')?.cmd;
    expect(await cmdFor({ nodeSelector: { 'kubernetes.io/arch': 'arm64' } })).toEqual(['arm']);
    expect(await cmdFor({})).toEqual(['amd']);
  });
});

describe('for a run', () => {
  it('has no deadline, and asks for each image once, also where that fails or its tag would be old', async () => {
    registry.image('team/app', 'v1', { Cmd: ['x'] });
    const release = holdBack();
    const config = configFor(registry, {
      deadlineSeconds: 0.0001,
      cache: { tagSeconds: 0, failureSeconds: 0 },
    });
    const told: string[] = [];
    const lookup = createRunLookup(config, {
      guarded: guardedFor(config),
      failed: (name, cause) => void told.push(`${name} ${cause}`),
    });
    lookups.push(lookup);
    const questions = ['app', 'none'].map((name) => ({ container: name, image: image(`team/${name}:v1`) }));
    const about = { pod: readPod({}), namespace: 'shop' };
    const first = lookup.answer(questions, about);
    // A handshake takes longer than the deadline of a pod.
    await vi.waitFor(() => expect(registry.arrived).toHaveLength(2));
    release();
    for (const answers of [await first, await lookup.answer(questions, about)]) {
      expect([...answers.keys()]).toEqual(['app']);
    }
    // Each was sent back to itself once, when it was held back.
    expect(paths().toSorted()).toEqual(
      [
        ...cold,
        'GET /v2/team/app/manifests/v1',
        'GET /v2/team/none/manifests/v1',
        'GET /v2/team/none/manifests/v1',
      ].toSorted(),
    );
    expect(told).toEqual([`${image('team/none:v1')} not-found`]);
  });

  it('lets any number of images wait for their turn', async () => {
    const config = configFor(registry);
    const causes: string[] = [];
    const lookup = createRunLookup(config, {
      guarded: guardedFor(config),
      failed: (_, cause) => void causes.push(cause),
    });
    lookups.push(lookup);
    const questions = Array.from({ length: 200 }, (_, index) => ({
      container: String(index),
      image: image(`team/none:${index}`),
    }));
    await lookup.answer(questions, { pod: readPod({}), namespace: 'shop' });
    expect(causes).toEqual(questions.map(() => 'not-found'));
  });
});
