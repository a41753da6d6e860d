import { expect, it } from 'vitest';
import { Audit } from '../../../../src/audit/run.ts';
import { auditCluster, type ClusterOptions } from '../../../../src/commands/audit/cluster.ts';
import { defaultConfig } from '../../../../src/config/config.ts';
import type { Answer, ApiServer } from '../../../../src/kube/api-server.ts';
import type { JsonObject } from '../../../../src/pod/json.ts';

const container = { name: 'app', image: 'x', command: ['/app/serve'] };
const template = { spec: { containers: [container] } };
const owned = (apiVersion: string, kind: string, name: string) => [
  { apiVersion, kind, name, controller: true },
];

function pod(name: string, owner: readonly JsonObject[], more: JsonObject = {}): JsonObject {
  return {
    metadata: {
      name,
      namespace: 'shop',
      creationTimestamp: '2026-11-01T00:00:00Z',
      ownerReferences: owner,
      ...more,
    },
    spec: template.spec,
    status: { phase: 'Running' },
  };
}

const labelled = {
  metadata: {
    name: 'shop',
    labels: { 'gravekeeper.dev/inject': 'auto' },
    managedFields: [
      {
        time: '2026-11-10T00:00:00Z',
        fieldsV1: { 'f:metadata': { 'f:labels': { 'f:gravekeeper.dev/inject': {} } } },
      },
    ],
  },
};

/** A cluster that holds objects by path, two to a page; a number is a status. */
function clusterOf(objects: Readonly<Record<string, readonly JsonObject[] | JsonObject | number>>) {
  const asked: string[] = [];
  const answer = (status: number, body: unknown): Answer => ({ status, body, text: '', retryAfterMs: null });
  const api: ApiServer = {
    async request(_method, path, _body, options) {
      asked.push(path);
      const [collection = '', query = ''] = path.split('?');
      const held = objects[collection] ?? [];
      if (typeof held === 'number') return answer(held, { message: 'told to refuse' });
      if (!Array.isArray(held)) return answer(200, held);
      const from = Number(new URLSearchParams(query).get('continue') ?? 0);
      for (const item of held.slice(from, from + 2)) options?.eachItem?.(structuredClone(item));
      const next = from + 2 < held.length ? { continue: String(from + 2) } : {};
      return answer(200, { metadata: next, items: [] });
    },
  };
  return { api, asked };
}

async function reportOn(objects: Parameters<typeof clusterOf>[0], options: ClusterOptions = {}) {
  const { api, asked } = clusterOf(objects);
  const audit = await auditCluster(api, options, defaultConfig, {
    toAudit: (context) => new Audit({ context }),
  });
  return { ...audit.report(), asked };
}

it('reports each workload once, with the pods that lack what they should have got', async () => {
  const hash = { labels: { 'pod-template-hash': '5f6' } };
  const { objects, problems } = await reportOn({
    '/api/v1/namespaces': [labelled],
    '/apis/apps/v1/deployments': [{ metadata: { name: 'web', namespace: 'shop' }, spec: { template } }],
    '/apis/apps/v1/replicasets': [
      {
        metadata: {
          name: 'web-5f6',
          namespace: 'shop',
          ownerReferences: owned('apps/v1', 'Deployment', 'web'),
        },
        spec: { replicas: 3, template },
      },
    ],
    '/api/v1/pods': ['a', 'b', 'c'].map((name) => pod(name, owned('apps/v1', 'ReplicaSet', 'web-5f6'), hash)),
  });
  expect(problems).toEqual([]);
  expect(objects).toMatchObject([
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'web',
      remedy: { kind: 'tini' },
      notInjected: { pods: 3, likelyCause: expect.stringContaining('before the namespace was labelled') },
    },
  ]);
});

it('blames the webhook where a pod is younger than the label', async () => {
  const young = pod('young', owned('apps/v1', 'DaemonSet', 'agent'), {
    creationTimestamp: '2026-11-12T00:00:00Z',
  });
  const { objects } = await reportOn({ '/api/v1/namespaces': [labelled], '/api/v1/pods': [young] });
  expect(objects[0]?.notInjected?.likelyCause).toContain('the webhook was not there');
});

it('groups the pods of owners that it does not know, and leaves out what has ended', async () => {
  const of = owned('postgresql.cnpg.io/v1', 'Cluster', 'orders');
  const done = { ...pod('done', of), status: { phase: 'Succeeded' } };
  const { objects } = await reportOn({
    '/api/v1/namespaces': [labelled],
    '/api/v1/pods': [pod('orders-1', of), pod('orders-2', of), done],
  });
  expect(objects).toMatchObject([
    {
      kind: 'Pod',
      name: 'orders-1',
      owner: 'Cluster/orders',
      pods: 2,
      remedy: { reason: 'foreign-controller' },
    },
  ]);
  expect(objects[0]).not.toHaveProperty('notInjected');
});

it('keeps of a rollout the revision that has pods', async () => {
  const revision = (name: string, replicas: number) => ({
    metadata: { name, namespace: 'shop', ownerReferences: owned('argoproj.io/v1alpha1', 'Rollout', 'web') },
    spec: { replicas, template },
  });
  const { objects } = await reportOn({
    '/api/v1/namespaces': [labelled],
    '/apis/apps/v1/replicasets': [revision('web-1', 0), revision('web-2', 2)],
    '/api/v1/pods': [pod('web-2-a', owned('apps/v1', 'ReplicaSet', 'web-2'))],
  });
  expect(objects).toMatchObject([
    { kind: 'ReplicaSet', name: 'web-2', owner: 'Rollout/web', pods: 1, notInjected: { pods: 1 } },
  ]);
});

it('asks for one namespace and a selector where it is told to', async () => {
  const { asked } = await reportOn(
    { '/api/v1/namespaces/shop': labelled },
    { namespace: 'shop', selector: 'app=web' },
  );
  expect(asked).toContain('/apis/batch/v1/namespaces/shop/cronjobs?limit=500&labelSelector=app%3Dweb');
  expect(asked.some((path) => path.startsWith('/api/v1/namespaces?'))).toBe(false);
});

it('goes on after what it may not list, and fails in words without namespaces', async () => {
  const { objects, problems } = await reportOn({
    '/api/v1/namespaces': [labelled],
    '/apis/apps/v1/daemonsets': 403,
    '/api/v1/pods': [pod('a', [])],
  });
  expect(objects).toHaveLength(1);
  expect(problems).toMatchObject([{ file: 'cluster', message: expect.stringContaining('told to refuse') }]);
  await expect(reportOn({ '/api/v1/namespaces': 403 })).rejects.toThrow(
    /^the labels of namespaces cannot be read: HTTP 403/,
  );
});
