// 2. Exec probes that leave orphans: how they fill a pod's PIDs, how that is prevented, and what kubectl says.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { create, get, list } from '../kit/api.ts';
import { kubectl, tryKubectl } from '../kit/kubectl.ts';
import { namespace, type OwnLabels } from '../kit/namespaces.ts';
import { notOurs } from '../kit/own.ts';
import {
  container,
  pod,
  podSpec,
  processesIn,
  readyPods,
  sleeping,
  template,
  workload,
} from '../kit/pods.ts';
import { scanOf, statusOf } from '../kit/product.ts';
import { podPidsLimit } from '../node.ts';
import { eventually } from '../wait.ts';

/** Leaves ten orphans, which die at once. */
const leaking = {
  exec: { command: ['sh', '-c', 'for i in 0 1 2 3 4 5 6 7 8 9; do (sleep 0.1 >/dev/null 2>&1 &); done'] },
  periodSeconds: 1,
  timeoutSeconds: 10,
  // What it does when no process can be started any more is not the matter.
  failureThreshold: 1000,
};

const leakingContainer = () => container(sleeping, { livenessProbe: leaking });

async function deploy(own: OwnLabels): Promise<V1Pod> {
  const name = await namespace(own);
  await create(workload('Deployment', name, 'shop', podSpec([leakingContainer()])));
  const [found] = await readyPods(name, 'name=shop');
  assert.ok(found);
  return found;
}

const uidOf = ({ metadata }: V1Pod) => metadata?.uid;

describe('an exec probe that leaves ten orphans every second', () => {
  let plain: V1Pod;
  let injected: readonly V1Pod[];
  before(async () => {
    const [first, ...others] = await Promise.all([
      deploy({}),
      deploy({ inject: 'auto' }),
      deploy({ inject: 'share-pid' }),
    ]);
    plain = first;
    injected = others;
  });

  it('fills the PIDs of the plain pod, so that nothing starts in it any more', {
    skip: notOurs,
  }, async () => {
    const { namespace = '', name = '' } = plain.metadata ?? {};
    const full = await eventually('the PIDs to be used up', async () => {
      const { limits } = await scanOf(plain);
      const limit = limits.find(({ scope, podUid }) => scope === 'pod' && podUid === uidOf(plain));
      return limit && limit.used >= limit.limit - 5 && limit;
    });
    assert.equal(full.limit, podPidsLimit);
    const { groups } = await scanOf(plain);
    const group = groups.find(({ podUid }) => podUid === uidOf(plain));
    assert.ok(group && group.count > podPidsLimit * 0.8, JSON.stringify(group));
    await eventually('exec to fail', async () => {
      const { status, stderr } = await tryKubectl([
        '-n',
        namespace,
        'exec',
        name,
        '--',
        'sh',
        '-c',
        'true | true',
      ]);
      return status !== 0 && /Resource temporarily unavailable|can't fork/.test(stderr);
    });
  });

  it('leaves none in the injected ones, all the while', async () => {
    for (let look = 0; look < 5; look += 1) {
      for (const { metadata } of injected) {
        const [namespace, name] = [metadata?.namespace ?? '', metadata?.name ?? ''];
        // Those of a run of the probe may be caught between their death and their burial.
        await eventually('a look that sees none', async () => {
          const { zombies } = await processesIn(namespace, name);
          return zombies === 0;
        });
        const { status } = await get<V1Pod>('Pod', name, namespace);
        assert.equal(status?.containerStatuses?.[0]?.restartCount, 0);
      }
    }
  });

  it('is forecast, and the probe is named that the growth keeps step with', async () => {
    const group = await eventually('the scanner to have seen enough', async () => {
      const { groups } = await scanOf(plain);
      const found = groups.find(({ podUid }) => podUid === uidOf(plain));
      return found?.probe ? found : null;
    });
    assert.partialDeepStrictEqual(group.probe, { container: 'app', kind: 'liveness', periodSeconds: 1 });
    assert.equal(group.owner, 'Deployment/shop');
    assert.equal(group.fixableBy, 'init');
  });
});

describe('what kubectl shows', () => {
  let opted: string;
  before(async () => {
    opted = await namespace({ inject: 'auto', probes: 'warn' });
  });

  // A probe that costs an Erlang VM each time is worth a warning whatever PID 1 is.
  const offending = () =>
    podSpec([
      container(['rabbitmq-server'], {
        image: 'docker.io/library/rabbitmq:4',
        livenessProbe: { exec: { command: ['rabbitmqctl', 'node_health_check'] }, periodSeconds: 10 },
      }),
    ]);
  const applyWords = (...more: string[]) => ['apply', '-f', '-', ...more];

  const objects = () => ({
    Pod: pod(opted, 'bare', offending()),
    Deployment: workload('Deployment', opted, 'web', offending()),
    StatefulSet: workload('StatefulSet', opted, 'db', offending()),
    CronJob: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { namespace: opted, name: 'nightly' },
      spec: {
        schedule: '0 0 1 1 *',
        jobTemplate: { spec: { template: template({ ...offending(), restartPolicy: 'Never' }) } },
      },
    },
  });

  for (const kind of ['Pod', 'Deployment', 'StatefulSet', 'CronJob'] as const) {
    it(`warns about a ${kind}`, async () => {
      const { status, stderr } = await tryKubectl(applyWords(), JSON.stringify(objects()[kind]));
      assert.equal(status, 0, stderr);
      assert.match(stderr, /^Warning: gravekeeper rabbitmq-node-health-check: app: .*deprecated/m);
    });
  }

  it('warns nobody twice when the same is applied again', async () => {
    const { stdout, stderr } = await tryKubectl(applyWords(), JSON.stringify(objects().Deployment));
    assert.match(stdout, /unchanged/);
    assert.equal(stderr, '');
  });

  it('shows with --dry-run=server what would be, and stores nothing', async () => {
    const dry = pod(opted, 'never-made', podSpec([leakingContainer()]));
    const words = applyWords('--dry-run=server', '-o', 'json');
    const { status, stdout, stderr } = await tryKubectl(words, JSON.stringify(dry));
    assert.equal(status, 0, stderr);
    const made: V1Pod = JSON.parse(stdout);
    assert.equal(made.spec?.shareProcessNamespace, true, 'a bare pod of one container gets share-pid');
    await assert.rejects(get('Pod', 'never-made', opted), /404/);
  });

  it('changes nothing under dry-run: true, and reports everything', async () => {
    const reported = await namespace({ inject: 'auto', probes: 'deny', dryRun: 'true' });
    const words = applyWords();
    const bare = pod(reported, 'bare', {
      ...offending(),
      containers: [{ ...offending().containers[0], command: ['sleep', '86400'] } as never],
    });
    const { status, stderr } = await tryKubectl(words, JSON.stringify(bare));
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^Warning: gravekeeper rabbitmq-node-health-check: app:/m);
    assert.match(stderr, /^Warning: gravekeeper dry-run:.*/m);
    assert.match(stderr, /share-pid|shareProcessNamespace/);
    const stored = await get<V1Pod>('Pod', 'bare', reported);
    assert.equal(stored.spec?.shareProcessNamespace, undefined);
    assert.equal(statusOf(stored), null);
  });

  it('changes no pod of a Deployment under dry-run: true, and says what it would', async () => {
    const reported = await namespace({ inject: 'auto', dryRun: 'true' });
    const deployment = workload('Deployment', reported, 'web', podSpec([container(sleeping)]));
    const { status, stderr } = await tryKubectl(applyWords(), JSON.stringify(deployment));
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^Warning: gravekeeper dry-run:.*tini/m);
    const [found] = await readyPods(reported, 'name=web');
    assert.deepEqual(found?.spec?.containers[0]?.command, sleeping);
    assert.equal(found && statusOf(found), null);
  });

  it('is quiet where nobody opted in', async () => {
    const plain = await namespace();
    const { stderr } = await tryKubectl(applyWords(), JSON.stringify(pod(plain, 'bare', offending())));
    assert.equal(stderr, '');
    assert.equal((await list('Pod', plain)).length, 1);
    await kubectl(['-n', plain, 'delete', 'pod', 'bare', '--wait=false']);
  });
});
