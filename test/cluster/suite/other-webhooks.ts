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

/** Where a mesh puts its container: beside the others, or before the init containers as one that stays. */
const sorts = {
  container: { folder: 'containers', value: sidecar, at: '-' },
  native: { folder: 'initContainers', value: { ...sidecar, restartPolicy: 'Always' }, at: '0' },
} as const;
type Sort = keyof typeof sorts;

/** Adds a sidecar to each pod that lacks it, as a mesh does. */
function answer(sort: Sort, text: string): string {
  const { uid, object } = JSON.parse(text).request;
  const { folder, value, at } = sorts[sort];
  const present: readonly { name: string }[] | undefined = object.spec[folder];
  const has = present?.some(({ name }) => name === sidecar.name);
  const path = `/spec/${folder}`;
  const patch = [{ op: 'add', ...(present ? { path: `${path}/${at}`, value } : { path, value: [value] }) }];
  const change = has ? {} : { patchType: 'JSONPatch', patch: btoa(JSON.stringify(patch)) };
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: true, ...change },
  });
}

/** Name, wrapper and own command of every container that stays. */
function stayingContainers({ spec }: V1Pod) {
  const native = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...native, ...(spec?.containers ?? [])].map(({ name, command, args }) => [
    name,
    command?.slice(1),
    args,
  ]);
}

describe('a webhook that adds a sidecar', { skip: notOurs }, () => {
  let server: Server;
  let ca: string;
  before(async () => {
    const made = await makeCertificates({ names: [nodeAddress] });
    ca = made.ca;
    server = createServer({ cert: made.cert, key: made.key }, async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      response.setHeader('content-type', 'application/json');
      // The API server adds its time limit.
      const [, sort = ''] = /^\/(\w+)/.exec(request.url ?? '') ?? [];
      response.end(answer(sort as Sort, text));
    });
    server.listen(0, nodeAddress);
    await once(server, 'listening');
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  for (const sort of Object.keys(sorts) as Sort[]) {
    for (const [order, prefix, reason] of [
      ['before ours', 'aa', 'bare-pod'],
      ['after ours', 'zzz', 'sidecar-arrived'],
    ] as const) {
      describe(`${sort === 'native' ? 'as a native one at the front' : 'beside the others'}, and runs ${order}`, () => {
        const configuration = `${prefix}-test-${sort}`;
        let auto: string;
        let shared: string;
        before(async () => {
          auto = await namespace({ inject: 'auto' }, { [mark]: configuration });
          shared = await namespace({ inject: 'share-pid' }, { [mark]: configuration });
          const { port } = server.address() as AddressInfo;
          await create({
            apiVersion: 'admissionregistration.k8s.io/v1',
            kind: 'MutatingWebhookConfiguration',
            metadata: { name: configuration },
            webhooks: [
              {
                name: 'sidecar.test.gravekeeper.dev',
                clientConfig: { url: `https://${nodeAddress}:${port}/${sort}`, caBundle: btoa(ca) },
                namespaceSelector: { matchLabels: { [mark]: configuration } },
                rules: [
                  { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] },
                ],
                admissionReviewVersions: ['v1'],
                sideEffects: 'None',
                failurePolicy: 'Fail',
              },
            ],
          } as KubeObject);
          await eventually('the sidecar to be added', async () => {
            const { body } = await tryCreate(
              pod(auto, 'probe', podSpec([container(sleeping)])),
              '?dryRun=All',
            );
            return stayingContainers(body).length === 2;
          });
        });
        after(() => remove('MutatingWebhookConfiguration', configuration));

        it('gets tini too, after the copier, and nothing is wrapped twice', async () => {
          await create(workload('Deployment', auto, 'web', podSpec([container(sleeping)])));
          const [found] = await readyPods(auto, 'name=web');
          assert.ok(found);
          assert.equal(statusOf(found)?.remedy, 'tini');
          assert.deepEqual(stayingContainers(found).sort(), [
            ['app', ['-s', '--'], ['sleep', '86400']],
            ['mesh', ['-s', '--'], ['sleep', '86401']],
          ]);
          const inits = (found.spec?.initContainers ?? []).map(({ name }) => name);
          assert.match(inits[0] ?? '', /^gravekeeper/);
          assert.deepEqual(inits.slice(1), sort === 'native' ? ['mesh'] : []);
          assert.equal(found.spec?.volumes?.filter(({ name }) => name.startsWith('gravekeeper')).length, 1);
        });

        it('is not exposed by share-pid, which a bare pod of one container would get', async () => {
          const { body, warnings } = await tryCreate(
            pod(auto, 'bare', podSpec([container(sleeping)])),
            '?dryRun=All',
          );
          assert.equal(stayingContainers(body).length, 2);
          assert.ok(!body.spec?.shareProcessNamespace);
          assert.equal(statusOf(body), null);
          assert.ok(
            warnings.some((text) => text.startsWith(`gravekeeper ${reason}:`)),
            `${warnings}`,
          );
        });

        it('is exposed where the label says share-pid', async () => {
          const { body, warnings } = await tryCreate(
            pod(shared, 'bare', podSpec([container(sleeping)])),
            '?dryRun=All',
          );
          assert.equal(stayingContainers(body).length, 2);
          assert.equal(body.spec?.shareProcessNamespace, true);
          // One that comes later finds the namespace shared already, of which nothing is said.
          const isTold = warnings.some((text) => text.startsWith('gravekeeper shares-secrets:'));
          assert.equal(isTold, order === 'before ours', `${warnings}`);
        });
      });
    }
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
