// 9. No match condition fails, whatever is sent; and the webhook is switched off by the one command of the README.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { labelKeys } from '../../../src/policy/keys.ts';
import { ask, create, folderOf, type KubeObject, tryCreate, tryPatch } from '../kit/api.ts';
import { fixtures } from '../kit/fixtures.ts';
import { kubectl, tryKubectl } from '../kit/kubectl.ts';
import { namespaceWith } from '../kit/label-sets.ts';
import { notOurs } from '../kit/own.ts';
import { container, pod, podSpec, sleeping, template, workload } from '../kit/pods.ts';
import { statusOf } from '../kit/product.ts';
import { apiServerMetric, matchConditionErrors } from '../kit/webhook.ts';
import { place } from '../place.ts';
import { eventually } from '../wait.ts';

/** Of each sort of entry in the webhook configurations. */
const labelSets = [{ [labelKeys.inject]: 'auto' }, { [labelKeys.probes]: 'warn' }, {}] as const;

const evaluations = () => apiServerMetric('apiserver_admission_match_condition_evaluation_seconds_count');

describe('the match conditions of the webhook configurations', () => {
  it('fail on no fixture, as a pod or as a template, created or updated', async () => {
    const before = await evaluations();
    for (const labels of labelSets) {
      const name = await namespaceWith(labels);
      for (const { pod: one } of fixtures) {
        const optIn = labels === labelSets[2] ? { [labelKeys.inject]: 'auto' } : {};
        const metadata = { ...one.metadata, namespace: name, labels: { ...one.metadata?.labels, ...optIn } };
        const bare = {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { ...metadata, name: 'pod' },
          spec: one.spec,
        };
        await tryCreate(bare as KubeObject, '?dryRun=All');
        await tryCreate(podTemplate(name, 'dry', one), '?dryRun=All');
      }
    }
    assert.ok((await evaluations()) - before > 200, 'they were evaluated');
    assert.equal(await matchConditionErrors(), 0);
  });

  it('fail on no kind of object, however bare', async () => {
    for (const labels of labelSets) {
      const name = await namespaceWith(labels);
      const spec = podSpec([container(sleeping)]);
      const job = { template: template({ ...spec, restartPolicy: 'Never' }) };
      const kept: KubeObject[] = [
        workload('Deployment', name, 'kept', spec, { replicas: 0 }),
        workload('StatefulSet', name, 'kept', spec, { replicas: 0 }),
        workload('ReplicaSet', name, 'kept', spec, { replicas: 0 }),
        workload('DaemonSet', name, 'kept', { ...spec, nodeSelector: { no: 'node' } }),
        podTemplate(name, 'kept', { spec }),
        {
          apiVersion: 'v1',
          kind: 'ReplicationController',
          metadata: { namespace: name, name: 'kept' },
          spec: { replicas: 0, selector: { app: 'app' }, template: template(spec) },
        } as KubeObject,
        {
          apiVersion: 'v1',
          kind: 'ReplicationController',
          metadata: { namespace: name, name: 'bare' },
          spec: { replicas: 0, selector: { app: 'app' }, template: template(spec) },
        } as KubeObject,
        {
          apiVersion: 'batch/v1',
          kind: 'Job',
          metadata: { namespace: name, name: 'kept' },
          spec: { ...job, suspend: true },
        } as KubeObject,
        {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          metadata: { namespace: name, name: 'kept' },
          spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: job } },
        } as KubeObject,
      ];
      for (const object of kept) {
        await create(object);
        const { kind = '', metadata } = object;
        const labelled = { metadata: { labels: { some: 'label' } } };
        const { status } = await tryPatch(kind, metadata?.name ?? '', name, labelled);
        assert.equal(status, 200, kind);
      }
      const changed = { spec: { template: { metadata: { annotations: { some: 'annotation' } } } } };
      for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet'])
        await tryPatch(kind, 'kept', name, changed);
    }
    assert.equal(await matchConditionErrors(), 0);
  });
});

/** A PodTemplate, which has its template at the top. */
function podTemplate(namespace: string, name: string, { metadata, spec }: V1Pod): KubeObject {
  const { labels = {}, annotations = {} } = metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: { namespace, name },
    template: { metadata: { labels, annotations }, spec },
  } as KubeObject;
}

describe('the command of the README that switches it off', { skip: notOurs }, () => {
  const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');
  const command = /^kubectl (delete \S*webhookconfiguration\S* zz-gravekeeper)$/m.exec(readme)?.[1] ?? '';
  let opted: string;
  const remedy = async () => {
    const one = pod(opted, 'probe', podSpec([container(sleeping)]));
    const { status, body, warnings } = await tryCreate(one, '?dryRun=All');
    assert.equal(status, 201);
    return { remedy: statusOf(body)?.remedy ?? null, warnings };
  };
  before(async () => {
    opted = await namespaceWith({ [labelKeys.inject]: 'auto' });
  });
  after(async () => {
    await kubectl(['apply', '-k', join(place.install, 'overlay')]);
  });

  it('leaves nothing of it in the way of pods, and applying the manifests brings it back', async () => {
    assert.equal((await remedy()).remedy, 'share-pid');
    const { status, stderr } = await tryKubectl(command.split(' '));
    assert.equal(status, 0, stderr);
    await eventually('no pod to be changed any more', async () => (await remedy()).remedy === null, {
      seconds: 10,
    });
    assert.deepEqual((await remedy()).warnings, []);
    assert.equal(
      (await ask('GET', `${folderOf('MutatingWebhookConfiguration')}/zz-gravekeeper`)).status,
      404,
    );
    await kubectl(['apply', '-k', join(place.install, 'overlay')]);
    await eventually('pods to be changed again', async () => (await remedy()).remedy === 'share-pid', {
      seconds: 10,
    });
  });
});
