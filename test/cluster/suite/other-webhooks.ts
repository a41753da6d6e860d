// 6. Other webhooks, before ours and after it; fields that ours does not know; applying again; copies for debugging.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { makeCertificates } from '../../../src/commands/certs.ts';
import { create, get, type KubeObject, remove, tryCreate } from '../kit/api.ts';
import { kubectl, tryKubectl } from '../kit/kubectl.ts';
import { namespace } from '../kit/namespaces.ts';
import { notOurs } from '../kit/own.ts';
import { container, inPhase, pod, podSpec, readyPods, sleeping, workload } from '../kit/pods.ts';
import { statusOf } from '../kit/product.ts';
import { nodeAddress } from '../place.ts';
import { eventually } from '../wait.ts';

const mark = 'test.gravekeeper.dev/sidecar';
const sidecar = container(['sleep', '86401'], { name: 'mesh' });

/** Adds a sidecar to each pod that lacks it, as a mesh does. */
function answer(text: string): string {
  const { uid, object } = JSON.parse(text).request;
  const has = object.spec.containers.some(({ name }: { name: string }) => name === sidecar.name);
  const patch = [{ op: 'add', path: '/spec/containers/-', value: sidecar }];
  const change = has ? {} : { patchType: 'JSONPatch', patch: btoa(JSON.stringify(patch)) };
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: true, ...change },
  });
}

describe('a webhook that adds a sidecar', { skip: notOurs }, () => {
  let server: Server;
  let ca: string;
  let opted: string;
  before(async () => {
    const made = await makeCertificates({ names: [nodeAddress] });
    ca = made.ca;
    server = createServer({ cert: made.cert, key: made.key }, async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      response.setHeader('content-type', 'application/json');
      response.end(answer(text));
    });
    server.listen(0, nodeAddress);
    await once(server, 'listening');
    opted = await namespace({ inject: 'auto' }, { [mark]: 'yes' });
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  for (const [order, name, reason] of [
    ['before ours', 'aa-test-sidecar', 'bare-pod'],
    ['after ours', 'zzz-test-sidecar', 'sidecar-arrived'],
  ] as const) {
    describe(`that runs ${order}`, () => {
      before(async () => {
        const { port } = server.address() as AddressInfo;
        await create({
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'MutatingWebhookConfiguration',
          metadata: { name },
          webhooks: [
            {
              name: 'sidecar.test.gravekeeper.dev',
              clientConfig: { url: `https://${nodeAddress}:${port}/`, caBundle: btoa(ca) },
              namespaceSelector: { matchLabels: { [mark]: 'yes' } },
              rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
              admissionReviewVersions: ['v1'],
              sideEffects: 'None',
              failurePolicy: 'Fail',
            },
          ],
        } as KubeObject);
        await eventually('the sidecar to be added', async () => {
          const { body } = await tryCreate(
            pod(opted, 'probe', podSpec([container(sleeping)])),
            '?dryRun=All',
          );
          return body.spec?.containers.length === 2;
        });
      });
      after(() => remove('MutatingWebhookConfiguration', name));

      it('gets tini too, and nothing is wrapped twice', async () => {
        const deployment = `web-${order.split(' ')[0]}`;
        await create(workload('Deployment', opted, deployment, podSpec([container(sleeping)])));
        const [found] = await readyPods(opted, `name=${deployment}`);
        assert.ok(found);
        assert.equal(statusOf(found)?.remedy, 'tini');
        const commands = found.spec?.containers.map(({ name, command, args }) => [
          name,
          command?.slice(1),
          args,
        ]);
        assert.deepEqual(commands, [
          ['app', ['-s', '--'], ['sleep', '86400']],
          ['mesh', ['-s', '--'], ['sleep', '86401']],
        ]);
        assert.equal(found.spec?.initContainers?.length, 1);
        assert.equal(found.spec?.volumes?.filter(({ name }) => name.startsWith('gravekeeper')).length, 1);
      });

      it('is not exposed by share-pid, which a bare pod of one container would get', async () => {
        const { body, warnings } = await tryCreate(
          pod(opted, 'bare', podSpec([container(sleeping)])),
          '?dryRun=All',
        );
        assert.equal(body.spec?.containers.length, 2);
        assert.ok(!body.spec?.shareProcessNamespace);
        assert.equal(statusOf(body), null);
        assert.ok(
          warnings.some((text) => text.startsWith(`gravekeeper ${reason}:`)),
          `${warnings}`,
        );
      });
    });
  }
});

describe('what an injected pod is otherwise', () => {
  let opted: string;
  before(async () => {
    opted = await namespace({ inject: 'auto' });
  });
  const controlled = {
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: '1', controller: true }],
  };

  it('has the fields that are newer than what the webhook knows', async () => {
    const newer = {
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
      resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }],
    };
    const ofPod = {
      resources: { requests: { cpu: '20m' }, limits: { cpu: '50m', memory: '64Mi' } },
      hostnameOverride: 'other',
    };
    const spec = podSpec([container(sleeping, newer as never)], ofPod as never);
    const plain = await namespace();
    const before = await tryCreate(pod(plain, 'newer', spec, controlled), '?dryRun=All');
    const after = await tryCreate(pod(opted, 'newer', spec, controlled), '?dryRun=All');
    assert.equal(statusOf(after.body)?.remedy, 'tini');
    // Some depend on feature gates: what the API server keeps without us, it keeps with us.
    const kept = ({ spec: found }: V1Pod) => {
      const { restartPolicyRules, restartPolicy, resizePolicy } = { ...found?.containers[0] } as Partial<
        typeof newer
      >;
      const { resources, hostnameOverride } = { ...found } as Partial<typeof ofPod>;
      return { restartPolicyRules, restartPolicy, resizePolicy, resources, hostnameOverride };
    };
    assert.deepEqual(kept(after.body), kept(before.body));
    assert.ok(kept(after.body).restartPolicyRules && kept(after.body).resources, 'they were there');
  });

  it('is not changed by applying the same manifests again', async () => {
    const items = [
      workload('Deployment', opted, 'twice', podSpec([container(sleeping)])),
      workload('StatefulSet', opted, 'twice-too', podSpec([container(sleeping)])),
      pod(opted, 'twice-bare', podSpec([container(sleeping)])),
    ];
    const manifests = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await kubectl(['apply', '-f', '-'], manifests);
    await readyPods(opted, 'name=twice');
    const again = await kubectl(['apply', '-f', '-'], manifests);
    assert.deepEqual(
      again
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[1]),
      ['unchanged', 'unchanged', 'unchanged'],
      again,
    );
    const diff = await tryKubectl(['diff', '-f', '-'], manifests);
    assert.equal(diff.status, 0, diff.stdout);
    const server = await tryKubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], manifests);
    assert.equal(server.status, 0, server.stderr);
    assert.equal((await get<V1Pod>('Pod', 'twice-bare', opted)).spec?.shareProcessNamespace, true);
  });

  it('can be copied for debugging, and the copy runs', async () => {
    await create(workload('Deployment', opted, 'copied', podSpec([container(sleeping)])));
    const [found] = await readyPods(opted, 'name=copied');
    const image = '--image=docker.io/library/busybox:1.37';
    const words = ['-n', opted, 'debug', found?.metadata?.name ?? '', '--copy-to=the-copy', image];
    const { status, stderr } = await tryKubectl([...words, '--container=debugger', '--', 'sleep', '86400']);
    assert.equal(status, 0, stderr);
    const copy = await inPhase(opted, 'the-copy', 'Running');
    assert.deepEqual(
      copy.spec?.containers.map(({ name }) => name),
      ['app', 'debugger'],
    );
    const app = copy.spec?.containers[0];
    assert.deepEqual(
      [app?.command?.slice(1), app?.args],
      [
        ['-s', '--'],
        ['sleep', '86400'],
      ],
      'wrapped once',
    );
  });

  it('can be copied with another command', async () => {
    const words = ['-n', opted, 'debug', 'twice-bare', '--copy-to=other-command', '--container=app'];
    const { status, stderr } = await tryKubectl([...words, '--', 'sleep', '1000']);
    assert.equal(status, 0, stderr);
    await inPhase(opted, 'other-command', 'Running');
  });
});
