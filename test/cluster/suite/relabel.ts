// A namespace's new labels are answered with what they mean for the pods that run in it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { V1Namespace } from '@kubernetes/client-node';
import { labelKeys } from '../../../src/policy/keys.ts';
import { create, get } from '../kit/api.ts';
import { kubectl, tryKubectl } from '../kit/kubectl.ts';
import { namespace } from '../kit/namespaces.ts';
import { notOurs } from '../kit/own.ts';
import { container, pod, podSpec, readyPods, sleeping, workload } from '../kit/pods.ts';
import { ownNamespace } from '../kit/webhook.ts';
import { place } from '../place.ts';
import { eventually } from '../wait.ts';

/** Labels a namespace as its owner does, and answers the warnings that kubectl shows. */
async function label(name: string, ...words: readonly string[]): Promise<readonly string[]> {
  const { status, stderr } = await tryKubectl(['label', '--overwrite', 'namespace', name, ...words]);
  assert.equal(status, 0, stderr);
  return [...stderr.matchAll(/^Warning: (.*)$/gm)].map(([, text = '']) => text);
}

/** The last of the warnings: they hold no names themselves. */
const whichOnes = (name: string) => `gravekeeper: which ones: gravekeeper audit --cluster -n ${name}`;

const probe = { exec: { command: ['rabbitmqctl', 'node_health_check'] }, timeoutSeconds: 10 };

describe('kubectl label namespace', () => {
  let name: string;
  before(async () => {
    name = await namespace();
    const image = 'docker.io/library/rabbitmq:4';
    await create(workload('Deployment', name, 'web', podSpec([container(sleeping)]), { replicas: 2 }));
    await create(
      workload('StatefulSet', name, 'queue', podSpec([container(sleeping, { image, livenessProbe: probe })])),
    );
    await create(pod(name, 'tool', podSpec([container(sleeping)])));
    await readyPods(name, 'app', 4);
  });

  it('says what the pods lack, also in a dry run, which changes nothing', async () => {
    const lacking = [
      'gravekeeper argv-known: 3 pods of 2 owners lack tini, which new ones get',
      'gravekeeper bare-pod: 1 pod lacks a shared PID namespace, which new ones get',
      whichOnes(name),
    ];
    assert.deepEqual(await label(name, '--dry-run=server', `${labelKeys.inject}=auto`), lacking);
    const { metadata } = await get<V1Namespace>('Namespace', name);
    assert.equal(metadata?.labels?.[labelKeys.inject], undefined);
    assert.deepEqual(await label(name, `${labelKeys.inject}=auto`), lacking);
  });

  it('says nothing where no label of ours changes', async () => {
    assert.deepEqual(await label(name, 'team=shop'), []);
  });

  it('says which pods deny would not take again, and no more of those that were made anew', async () => {
    await kubectl(['-n', name, 'rollout', 'restart', 'deployment/web']);
    await kubectl(['-n', name, 'rollout', 'status', 'deployment/web']);
    await readyPods(name, 'name=web', 2);
    assert.deepEqual(await label(name, `${labelKeys.probes}=deny`), []);
    assert.deepEqual(await label(name, `${labelKeys.inject}=none`), [
      'gravekeeper rabbitmq-node-health-check: 1 pod has a probe that deny refuses',
      'gravekeeper opted-out: 2 pods of 1 owner keep what was injected until replaced; new ones get nothing',
      whichOnes(name),
    ]);
  });

  it('labels all the same where the webhook may not list pods, and its log says so', {
    skip: notOurs,
  }, async () => {
    const binding = ['clusterrolebinding', 'gravekeeper-relabel-preview'];
    await kubectl(['delete', ...binding]);
    try {
      await eventually('the right to be gone', async () => {
        const other = await label(name, `${labelKeys.inject}=auto`);
        await label(name, `${labelKeys.inject}-`);
        return other.length === 0;
      });
      const selector = ['-l', 'app.kubernetes.io/component=webhook', '--tail=-1'];
      assert.match(
        await kubectl(['-n', ownNamespace, 'logs', ...selector]),
        new RegExp(`"namespace":"${name}".*pods is forbidden`),
      );
    } finally {
      await kubectl(['apply', '-k', join(place.install, 'overlay')]);
    }
  });
});

describe('a namespace with more pods than a preview looks at', () => {
  const count = 3100;
  let name: string;
  before(async () => {
    name = await namespace();
    // Nobody places them on a node.
    const spec = podSpec([container(sleeping)], { schedulerName: 'nobody' });
    const names = Array.from({ length: count }, (_, index) => `many-${index}`);
    const worker = async () => {
      for (let next = names.pop(); next !== undefined; next = names.pop()) {
        await create(pod(name, next, spec));
      }
    };
    await Promise.all(Array.from({ length: 32 }, worker));
  });

  it('hears of as many as there was time for, and that there are more', async (test) => {
    const [warning, ...others] = await label(name, `${labelKeys.inject}=auto`);
    assert.deepEqual(others, [whichOnes(name)]);
    const found = /^gravekeeper bare-pod: (\d+) of the first (\d+) pods lack a shared PID namespace/.exec(
      warning ?? '',
    );
    const [, lacking, seen] = found ?? [];
    assert.equal(lacking, seen);
    assert.ok(Number(seen) > 0 && Number(seen) <= 3000, warning);
    test.diagnostic(warning ?? '');
  });
});
