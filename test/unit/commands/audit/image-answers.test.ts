import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditContext } from '../../../../src/audit/judged.ts';
import { Audit } from '../../../../src/audit/run.ts';
import { auditCluster } from '../../../../src/commands/audit/cluster.ts';
import { openRunAnswers, type RunAnswers } from '../../../../src/commands/audit/image-answers.ts';
import { defaultConfig } from '../../../../src/config/config.ts';
import { imagesSchema } from '../../../../src/config/images.ts';
import type { ApiServer } from '../../../../src/kube/api-server.ts';
import type { JsonObject } from '../../../../src/pod/json.ts';
import { type FakeRegistry, startFakeRegistry } from '../../../support/fake-registry.ts';

let registry: FakeRegistry;
const opened: RunAnswers[] = [];
beforeAll(async () => {
  registry = await startFakeRegistry();
  registry.image('team/app', 'v1', { Cmd: ['/app'] });
});
afterAll(() => registry.close());
beforeEach(() => registry.reset());
afterEach(() => {
  for (const answers of opened.splice(0)) answers.close();
});

const host = () => `localhost:${registry.port}`;
const image = (rest: string) => `${host()}/${rest}`;

function open(cluster: ApiServer | null = null, said: string[] = []): RunAnswers {
  const images = imagesSchema.parse({
    registries: [host()],
    hosts: { [host()]: { privateAddress: true, ca: registry.ca } },
  });
  const progress = { show: (_: string, text: string) => void said.push(text), clear() {} };
  const answers = openRunAnswers(images, { credentials: [], cluster, progress });
  opened.push(answers);
  return answers;
}

const context: AuditContext = {
  config: defaultConfig,
  labelsOf: () => new Map([['gravekeeper.dev/inject', 'auto']]),
  assumed: new Map(),
  defaultNamespace: 'default',
  podsRun: false,
};

function deployment(from: string, spec: object = {}, name = 'app'): JsonObject {
  const containers = [{ name: 'app', image: from }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop' },
    spec: { template: { spec: { containers, ...spec } } },
  };
}

/** Only alice may read anything. */
function keepPrivate(): void {
  registry.behave(({ authorization }, response) => {
    if (authorization === `Basic ${Buffer.from('alice:p').toString('base64')}`) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    return true;
  });
}

/** A cluster that holds objects by path; a number is a status. */
function clusterOf(objects: Readonly<Record<string, unknown>>): { api: ApiServer; asked: string[] } {
  const asked: string[] = [];
  const api: ApiServer = {
    async request(_method, path, _body, options) {
      const [plain = ''] = path.split('?');
      asked.push(plain);
      const held = objects[plain];
      const answer = { text: '', retryAfterMs: null };
      if (typeof held === 'number') return { ...answer, status: held, body: { message: 'told to refuse' } };
      if (!options?.eachItem) return { ...answer, status: held ? 200 : 404, body: held ?? {} };
      for (const item of Array.isArray(held) ? held : []) options.eachItem(item);
      return { ...answer, status: 200, body: { metadata: {}, items: [] } };
    },
  };
  return { api, asked };
}

const pullSecret = () => ({
  type: 'kubernetes.io/dockerconfigjson',
  data: {
    '.dockerconfigjson': Buffer.from(
      JSON.stringify({ auths: { [host()]: { username: 'alice', password: 'p' } } }),
    ).toString('base64'),
  },
});

describe('openRunAnswers', () => {
  it('asks for nothing where an object leaves nothing to its image', async () => {
    const { answersOf, problems } = open();
    const service = { apiVersion: 'v1', kind: 'Service' };
    expect((await answersOf(service, context)).size).toBe(0);
    expect(
      (await answersOf(deployment(image('team/app:v1')), { ...context, labelsOf: () => null })).size,
    ).toBe(0);
    expect(problems()).toEqual([expect.stringContaining('no image was looked up')]);
    expect(registry.arrived).toEqual([]);
  });

  it('says how far it has come, and cuts a long list short', async () => {
    const said: string[] = [];
    const { answersOf, problems } = open(null, said);
    await answersOf(deployment(image('team/app:v1')), context);
    expect(said).toEqual(['look-ups of images: 1']);
    expect(problems()).toEqual([]);
    const more = Array.from({ length: 12 }, (_, index) => deployment(image(`team/none:${index + 10}`)));
    await Promise.all(more.map((object) => answersOf(object, context)));
    expect(said.at(-1)).toBe('look-ups of images: 13');
    expect(problems()).toEqual([
      '12 of 13 images could not be looked up; what they start stays unknown:',
      '  not-found: the registry has no such image',
      ...Array.from({ length: 10 }, (_, index) => `    ${image(`team/none:${index + 10}`)}`),
      '    and 2 more',
    ]);
  });

  it('reads no pull secret unless it is given the cluster', async () => {
    keepPrivate();
    const { answersOf, problems } = open();
    await answersOf(deployment(image('team/app:v1'), { imagePullSecrets: [{ name: 'pull' }] }), context);
    expect(problems()[1]).toMatch(/^ {2}denied:/);
  });
});

describe('auditCluster', () => {
  const audited = async (answers: RunAnswers, api: ApiServer) => {
    const audit = await auditCluster(api, {}, defaultConfig, {
      toAudit: (context) => new Audit({ context }),
      answersOf: answers.answersOf,
    });
    return {
      ...audit.report(),
      objects: audit.report().objects.map(({ name, remedy }) => `${name} ${remedy.reason}`),
    };
  };
  const namespaces = [{ metadata: { name: 'shop', labels: { 'gravekeeper.dev/inject': 'auto' } } }];

  it('asks with the pull secrets that pods name or get from their service account, each read once', async () => {
    keepPrivate();
    const deployments = [
      deployment(image('team/app:v1'), { imagePullSecrets: [{ name: 'pull' }] }, 'named'),
      deployment(image('team/app:v1'), {}, 'by-account'),
      deployment(image('team/app:v1'), { serviceAccountName: 'other' }, 'forbidden'),
      deployment(image('team/app:v1'), { imagePullSecrets: [{ name: 'absent' }] }, 'absent'),
    ];
    const { api, asked } = clusterOf({
      '/api/v1/namespaces': namespaces,
      '/apis/apps/v1/deployments': deployments,
      '/api/v1/namespaces/shop/secrets/pull': pullSecret(),
      '/api/v1/namespaces/shop/serviceaccounts/default': { imagePullSecrets: [{ name: 'pull' }] },
      '/api/v1/namespaces/shop/serviceaccounts/other': 403,
    });
    const answers = open(api);
    const { objects, problems } = await audited(answers, api);
    expect(objects).toEqual([
      'named argv-known',
      'by-account argv-known',
      'forbidden argv-unknown',
      'absent argv-unknown',
    ]);
    expect(problems).toEqual([]);
    expect(asked.filter((path) => path.startsWith('/api/v1/namespaces/')).toSorted()).toEqual([
      '/api/v1/namespaces/shop/secrets/absent',
      '/api/v1/namespaces/shop/secrets/pull',
      '/api/v1/namespaces/shop/serviceaccounts/default',
      '/api/v1/namespaces/shop/serviceaccounts/other',
    ]);
    expect(answers.problems()).toEqual([
      expect.stringContaining('1 of 1 image could not be looked up'),
      expect.stringContaining('denied'),
      `    ${image('team/app:v1')}`,
      '1 pull secret or service account could not be read, and images were looked up without: HTTP 403 for /api/v1/namespaces/shop/serviceaccounts/other: told to refuse',
    ]);
  });

  it('keeps what it has of a list that broke off', async () => {
    const { api } = clusterOf({ '/api/v1/namespaces': namespaces });
    const breaking: ApiServer = {
      async request(method, path, body, options) {
        if (!path.startsWith('/apis/apps/v1/deployments'))
          return await api.request(method, path, body, options);
        options?.eachItem?.(deployment(image('team/app:v1')));
        throw new Error('it broke off');
      },
    };
    const { objects, problems } = await audited(open(), breaking);
    expect(objects).toEqual(['app argv-known']);
    expect(problems).toMatchObject([{ message: 'it broke off' }]);
  });
});
