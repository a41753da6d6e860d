// 3. probes: deny refuses what is new, and blocks nothing that runs.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { V1CronJob, V1Deployment, V1Job, V1PodSpec } from '@kubernetes/client-node';
import { labelKeys } from '../../../src/policy/keys.ts';
import {
  ask,
  create,
  folderOf,
  get,
  type KubeObject,
  list,
  patch,
  remove,
  tryCreate,
  tryPatch,
} from '../kit/api.ts';
import { kubectl, tryKubectl } from '../kit/kubectl.ts';
import { namespace } from '../kit/namespaces.ts';
import { notOurs } from '../kit/own.ts';
import { container, inPhase, pod, podSpec, readyPods, sleeping, template, workload } from '../kit/pods.ts';
import { nodeName } from '../place.ts';
import { eventually } from '../wait.ts';

const image = 'docker.io/library/rabbitmq:4';
const probe = {
  exec: { command: ['rabbitmqctl', 'node_health_check'] },
  periodSeconds: 5,
  timeoutSeconds: 4,
};

/** sleep is PID 1 and never waits, so the probe is an error. */
function offender(more: Partial<V1PodSpec> = {}): V1PodSpec {
  return podSpec([container(sleeping, { image, readinessProbe: probe })], more);
}
const innocent = (): V1PodSpec => podSpec([container(sleeping, { image })]);

const refusal =
  /^admission webhook "namespace-\w+\.validate\.gravekeeper\.dev" denied the request: .*rabbitmq-node-health-check.*app/s;

describe('probes: deny, for what is new', () => {
  let denied: string;
  before(async () => {
    denied = await namespace({ probes: 'deny' });
  });

  const newOnes = {
    Pod: () => pod(denied, 'bare', offender()),
    Deployment: () => workload('Deployment', denied, 'web', offender()),
    StatefulSet: () => workload('StatefulSet', denied, 'db', offender()),
    DaemonSet: () => workload('DaemonSet', denied, 'agent', offender()),
    ReplicaSet: () => workload('ReplicaSet', denied, 'set', offender()),
    ReplicationController: () => ({
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { namespace: denied, name: 'set' },
      spec: { replicas: 1, selector: { app: 'app' }, template: template(offender()) },
    }),
    PodTemplate: () => ({
      apiVersion: 'v1',
      kind: 'PodTemplate',
      metadata: { namespace: denied, name: 'kept' },
      template: template(offender()),
    }),
    Job: () => job(denied, 'once', offender({ restartPolicy: 'Never' })),
    CronJob: () => cronJob(denied, 'nightly', offender({ restartPolicy: 'Never' }), '0 0 1 1 *'),
  };
  for (const [kind, object] of Object.entries<() => KubeObject>(newOnes)) {
    it(`refuses a ${kind} that offends, with the reason`, async () => {
      const { status, body } = await tryCreate(object());
      assert.equal(status, 403);
      assert.match(messageOf(body), refusal);
      assert.match(messageOf(body), /rabbitmq-diagnostics/, 'it says what to write instead');
    });
  }

  it('refuses an update that adds the offence', async () => {
    await create(workload('Deployment', denied, 'good', innocent()));
    const change = {
      spec: { template: { spec: { containers: [{ name: 'app', image, readinessProbe: probe }] } } },
    };
    const { status, body } = await tryPatch('Deployment', 'good', denied, change);
    assert.equal(status, 403);
    assert.match(messageOf(body), refusal);
  });

  it('lets the offence pass that the author says to ignore, and why', async () => {
    const annotations = { 'gravekeeper.dev/ignore': 'rabbitmq-node-health-check=gone with the next release' };
    const { status, body } = await tryCreate(pod(denied, 'excused', offender(), { annotations }));
    assert.equal(status, 201, messageOf(body));
  });

  it('is told by kubectl', async () => {
    const { status, stderr } = await tryKubectl(['apply', '-f', '-'], JSON.stringify(newOnes.Deployment()));
    assert.notEqual(status, 0);
    assert.match(stderr, /denied the request: .*rabbitmq-node-health-check/s);
  });
});

describe('probes: deny, set on a namespace full of offenders that run', () => {
  let live: string;
  before(async () => {
    live = await namespace();
    await Promise.all([
      create(workload('Deployment', live, 'web', offender())),
      create(workload('StatefulSet', live, 'db', offender())),
      create(job(live, 'once', offender({ restartPolicy: 'Never' }), endable)),
      create(cronJob(live, 'minutely', offender({ restartPolicy: 'Never' }), '* * * * *')),
      create(workload('DaemonSet', live, 'agent', offender())),
      create(pod(live, 'held', offender(), { finalizers })),
      create({
        ...workload('Deployment', live, 'leaving', offender()),
        metadata: { namespace: live, name: 'leaving', finalizers },
      } as never),
    ]);
    await Promise.all([
      readyPods(live, 'name=web'),
      readyPods(live, 'name=db'),
      readyPods(live, 'name=agent'),
      readyPods(live, 'job-name=once'),
      inPhase(live, 'held', 'Running'),
    ]);
    await patch('Namespace', live, undefined, { metadata: { labels: { [labelKeys.probes]: 'deny' } } });
    await eventually('deny to hold', async () => {
      const { status } = await tryCreate(pod(live, 'new', offender()), '?dryRun=All');
      return status === 403;
    });
    // It is always a minute old by the time that its Job is looked for.
    await patch('CronJob', 'minutely', live, { spec: { suspend: false } });
  });

  it('scales', async () => {
    await kubectl(['-n', live, 'scale', 'deployment/web', '--replicas=3']);
    await readyPods(live, 'name=web', 3);
    await kubectl(['-n', live, 'scale', 'statefulset/db', '--replicas=2']);
    await readyPods(live, 'name=db', 2);
  });

  it('rolls out another image', async () => {
    const other = 'docker.io/library/rabbitmq:4.1';
    for (const name of ['deployment/web', 'statefulset/db']) {
      await kubectl(['-n', live, 'set', 'image', name, `app=${other}`]);
      await kubectl(['-n', live, 'rollout', 'status', name, '--timeout=60s']);
    }
    const pods = await readyPods(live, 'name=web', 3);
    assert.deepEqual([...new Set(pods.map(({ spec }) => spec?.containers[0]?.image))], [other]);
  });

  it('restarts a rollout', async () => {
    await kubectl(['-n', live, 'rollout', 'restart', 'deployment/web']);
    await kubectl(['-n', live, 'rollout', 'status', 'deployment/web', '--timeout=60s']);
  });

  it('has the pod of a node replaced that is lost', async () => {
    const [lost] = await readyPods(live, 'name=agent');
    await remove('Pod', lost?.metadata?.name ?? '', live);
    await eventually('another pod of the DaemonSet', async () => {
      const [found] = await readyPods(live, 'name=agent');
      return found?.metadata?.uid !== lost?.metadata?.uid;
    });
  });

  it('lets a Job finish', async () => {
    const [running] = await list('Pod', live, 'job-name=once');
    const words = ['-n', live, 'exec', running?.metadata?.name ?? '', '--', 'touch', '/tmp/end'];
    await kubectl(words);
    await eventually(
      'the Job to be complete',
      async () => (await get<V1Job>('Job', 'once', live)).status?.succeeded === 1,
    );
  });

  it('drains the node', { skip: notOurs }, async () => {
    const before = (await readyPods(live, 'name=web', 3)).map(({ metadata }) => metadata?.uid);
    try {
      await kubectl([
        'drain',
        nodeName,
        '--pod-selector=name=web',
        '--timeout=60s',
        '--delete-emptydir-data',
      ]);
    } finally {
      await kubectl(['uncordon', nodeName]);
    }
    const after = (await readyPods(live, 'name=web', 3)).map(({ metadata }) => metadata?.uid);
    assert.ok(after.every((uid) => !before.includes(uid)));
  });

  it('deletes what has finalizers, and lets them be taken away', async () => {
    for (const [kind, name] of [
      ['Pod', 'held'],
      ['Deployment', 'leaving'],
    ] as const) {
      await remove(kind, name, live);
      const { metadata } = await get(kind, name, live);
      assert.ok((metadata as { deletionTimestamp?: string }).deletionTimestamp, `${kind} is being deleted`);
      await patch(kind, name, live, { metadata: { finalizers: null } });
      await eventually(`the ${kind} to be gone`, async () => {
        const { status } = await ask('GET', `${folderOf(kind, live)}/${name}`);
        return status === 404;
      });
    }
  });

  it('lets a CronJob make its Jobs, and these their pods', async () => {
    const [made] = await eventually('a Job of the CronJob', async () => {
      const jobs = await list<V1Job & KubeObject>('Job', live);
      const those = jobs.filter(({ metadata }) => metadata?.name?.startsWith('minutely-'));
      return those.length > 0 && those;
    });
    await readyPods(live, `job-name=${made?.metadata?.name}`);
  });

  it('takes changes of other fields of the offenders', async () => {
    const change = { spec: { template: { metadata: { annotations: { note: 'changed' } } } } };
    const { status, body, warnings } = await tryPatch<V1Deployment>('Deployment', 'web', live, change);
    assert.equal(status, 200, messageOf(body));
    assert.ok(
      warnings.some((text) => text.startsWith('gravekeeper rabbitmq-node-health-check:')),
      `${warnings}`,
    );
  });
});

const finalizers = ['test.gravekeeper.dev/hold'];

/** Ends well once there is a file. */
const endable = ['sh', '-c', 'until [ -e /tmp/end ]; do sleep 0.2; done'];

function job(namespace: string, name: string, spec: V1PodSpec, command: readonly string[] = sleeping): V1Job {
  const containers = spec.containers.map((one) => ({ ...one, command: [...command] }));
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { namespace, name },
    spec: { backoffLimit: 0, template: template({ ...spec, containers }) },
  };
}

/** It makes no Job before it is told to. */
function cronJob(namespace: string, name: string, spec: V1PodSpec, schedule: string): V1CronJob {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { namespace, name },
    spec: {
      schedule,
      suspend: true,
      concurrencyPolicy: 'Forbid',
      jobTemplate: { spec: job(namespace, name, spec).spec ?? {} },
    } as V1CronJob['spec'],
  };
}

function messageOf(body: unknown): string {
  return (body as { message?: string }).message ?? '';
}
