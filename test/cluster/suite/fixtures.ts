// 4. Every pod of test/remedies, and some of the fuzzer's, is accepted by the API server after injection if it was
// before: also under Pod Security "restricted", under a quota and limits, as root, and with the same QoS class.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import fjp, { type Operation } from 'fast-json-patch';
import { type Answer, create, type KubeObject, tryCreate } from '../kit/api.ts';
import { type Fixture, fixtures } from '../kit/fixtures.ts';
import { namespace } from '../kit/namespaces.ts';
import { statusOf } from '../kit/product.ts';

/** Where the API server is asked what it would make of a pod; nobody opted in there. */
const places = {
  plain: {},
  restricted: { 'pod-security.kubernetes.io/enforce': 'restricted' },
  limited: {},
} as const;
type Place = keyof typeof places;
const names = {} as Record<Place, string>;

before(async () => {
  await Promise.all(
    Object.entries(places).map(async ([place, labels]) => {
      names[place as Place] = await namespace({}, labels);
    }),
  );
  await Promise.all([create(quota(names.limited)), create(limitRange(names.limited))]);
});

const quota = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { namespace: name, name: 'quota' },
  spec: {
    hard: {
      'requests.cpu': '2',
      'requests.memory': '2Gi',
      'limits.cpu': '4',
      'limits.memory': '4Gi',
      pods: '20',
    },
  },
});

const limitRange = (name: string) => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { namespace: name, name: 'limits' },
  spec: {
    limits: [
      {
        type: 'Container',
        default: { cpu: '500m', memory: '256Mi' },
        defaultRequest: { cpu: '100m', memory: '64Mi' },
        min: { cpu: '10m', memory: '8Mi' },
        max: { cpu: '2', memory: '1Gi' },
      },
      { type: 'Pod', max: { cpu: '3', memory: '2Gi' } },
    ],
  },
});

/** The pod of a fixture as it stands, or as it comes out, in another namespace. */
function podIn(name: string, { workload }: Fixture, change: readonly object[] = []): V1Pod & KubeObject {
  const operations = structuredClone(change) as Operation[];
  const changed = fjp.applyPatch(structuredClone(workload), operations, true).newDocument as Fixture['workload'];
  const { spec, metadata } = changed as { spec: { template?: V1Pod }; metadata: V1Pod['metadata'] };
  const pod = spec.template ?? (changed as V1Pod);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...pod.metadata, name: pod.metadata?.name ?? metadata?.name ?? 'pod', namespace: name },
    spec: pod.spec,
  } as V1Pod & KubeObject;
}
const ask = (pod: V1Pod & KubeObject) => tryCreate(pod, '?dryRun=All');

it('explore', async () => {
  for (const fixture of fixtures) {
    const row = [];
    for (const place of ['plain','restricted','limited'] as const) {
      const before = await ask(podIn(names[place], fixture));
      const after = await ask(podIn(names[place], fixture, fixture.expected.patch));
      row.push(`${before.status}/${after.status}/${before.body.status?.qosClass === after.body.status?.qosClass}`);
      if (place !== 'restricted' && before.status !== 201) console.log(fixture.name, (before.body as any).message);
      if (before.status === 201 && after.status !== 201) console.log('XX', fixture.name, place, (after.body as any).message);
    }
    console.log(fixture.name, row.join(' '));
  }
});
