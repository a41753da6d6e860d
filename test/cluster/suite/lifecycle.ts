// 7. How programs end: Jobs, exit codes, podFailurePolicy, preStop and SIGTERM are the same with a remedy and without.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type {
  V1Container,
  V1ContainerStateTerminated,
  V1Job,
  V1JobSpec,
  V1Pod,
  V1PodSpec,
} from '@kubernetes/client-node';
import { create, get, type KubeObject, list, patch, remove } from '../kit/api.ts';
import { namespace } from '../kit/namespaces.ts';
import { container, podSpec, readyPods, sleeping, template, workload } from '../kit/pods.ts';
import { statusOf } from '../kit/product.ts';
import { eventually } from '../wait.ts';

/** The label of the namespace, and the remedy that its pods get. */
const ways = { without: null, auto: 'tini', 'share-pid': 'share-pid' } as const;
type Way = keyof typeof ways;
const names = {} as Record<Way, string>;

before(async () => {
  for (const way of Object.keys(ways) as Way[]) {
    names[way] = await namespace(way === 'without' ? {} : { inject: way });
  }
});

/** Does the same in each way, checks that the remedy is there, and answers what came of it. */
async function inEachWay<T>(body: (namespace: string) => Promise<{ pod: V1Pod; outcome: T }>): Promise<T[]> {
  return Promise.all(
    (Object.keys(ways) as Way[]).map(async (way) => {
      const { pod, outcome } = await body(names[way]);
      assert.equal(statusOf(pod)?.remedy ?? null, ways[way]);
      return outcome;
    }),
  );
}

describe('a Job', () => {
  const exits = (code: number) => container(['awk', `BEGIN { exit ${code} }`]);
  const hungry = container(['tail', '/dev/zero'], { resources: { limits: { memory: '24Mi' } } });
  const failOn = { operator: 'In', values: [42] };
  /** It runs as long as the pod does, and does not hear of SIGTERM as PID 1. */
  const sidecar = container(sleeping, { name: 'proxy', restartPolicy: 'Always' });
  const cases: readonly {
    name: string;
    app: V1Container;
    spec?: Partial<V1JobSpec>;
    sidecars?: V1Container[];
    pod?: Partial<V1PodSpec>;
    outcome: object;
  }[] = [
    { name: 'ends well', app: exits(0), outcome: { exitCode: 0, succeeded: 1 } },
    {
      name: 'ends well beside a native sidecar',
      app: exits(0),
      sidecars: [sidecar],
      outcome: { exitCode: 0, succeeded: 1 },
    },
    {
      name: 'fails with a code of its own',
      app: exits(42),
      outcome: { exitCode: 42, failed: 'BackoffLimitExceeded' },
    },
    { name: 'has no memory left', app: hungry, outcome: { exitCode: 137, failed: 'BackoffLimitExceeded' } },
    {
      name: 'fails at once by its podFailurePolicy',
      app: exits(42),
      spec: { backoffLimit: 5, podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: failOn }] } },
      outcome: { exitCode: 42, failed: 'PodFailurePolicy' },
    },
    {
      name: 'runs again and ends well',
      app: container(
        ['awk', 'BEGIN { if ((getline < "/again/f") > 0) exit 0; print "once" >"/again/f"; exit 3 }'],
        { volumeMounts: [{ name: 'again', mountPath: '/again' }] },
      ),
      pod: { restartPolicy: 'OnFailure', volumes: [{ name: 'again', emptyDir: {} }] },
      spec: { backoffLimit: 3 },
      outcome: { exitCode: 0, restarts: 1, succeeded: 1 },
    },
  ];
  for (const [index, { name, app, spec, pod, sidecars = [], outcome }] of cases.entries()) {
    it(`${name}, in each way alike`, async () => {
      const made = podSpec([app], { restartPolicy: 'Never', initContainers: sidecars, ...pod });
      const outcomes = await inEachWay((namespace) => runJob(namespace, `job-${index}`, made, spec));
      for (const one of outcomes) assert.deepEqual(one, { restarts: 0, ...outcome });
    });
  }
});

async function runJob(namespace: string, name: string, pod: V1PodSpec, more: Partial<V1JobSpec> = {}) {
  await create({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { namespace, name },
    spec: { backoffLimit: 0, ...more, template: template(pod) },
  } as KubeObject);
  const { status } = await eventually(`${name} to end`, async () => {
    const found = await get<V1Job>('Job', name, namespace);
    const ended = found.status?.conditions?.some(
      ({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True',
    );
    return ended && found;
  });
  const [made] = await list<V1Pod>('Pod', namespace, `job-name=${name}`);
  assert.ok(made);
  const failed = status?.conditions?.find(({ type }) => type === 'Failed')?.reason;
  const app = made.status?.containerStatuses?.[0];
  return {
    pod: made,
    outcome: {
      exitCode: app?.state?.terminated?.exitCode,
      restarts: app?.restartCount,
      ...(failed ? { failed } : { succeeded: status?.succeeded }),
    },
  };
}

describe('graceful termination', () => {
  it('waits for preStop, and lets a program that handles SIGTERM end as it wants to', async () => {
    const script = `trap 'echo told >>/dev/termination-log; sleep 1; exit 7' TERM; while :; do sleep 0.1; done`;
    const app = container(['sh', '-c', script], {
      lifecycle: {
        preStop: { exec: { command: ['sh', '-c', 'echo warned >>/dev/termination-log; sleep 1'] } },
      },
    });
    const outcomes = await inEachWay((namespace) =>
      terminate(namespace, 'graceful', podSpec([app], { terminationGracePeriodSeconds: 60 })),
    );
    // Had it been left to SIGKILL, the code were 137.
    for (const one of outcomes) assert.deepEqual(one, { exitCode: 7, message: 'warned\ntold\n' });
  });

  it('ends by SIGKILL what does not heed SIGTERM in its grace period', async () => {
    const script = `trap 'echo told >>/dev/termination-log' TERM; while :; do sleep 0.1; done`;
    const outcomes = await inEachWay((namespace) =>
      terminate(
        namespace,
        'stubborn',
        podSpec([container(['sh', '-c', script])], { terminationGracePeriodSeconds: 3 }),
      ),
    );
    for (const one of outcomes) assert.deepEqual(one, { exitCode: 137, message: 'told\n' });
  });
});

/** Deletes a pod, and answers how its container ended. */
async function terminate(namespace: string, name: string, spec: V1PodSpec) {
  await create(workload('StatefulSet', namespace, name, spec));
  const [pod] = await readyPods(namespace, `name=${name}`);
  assert.ok(pod);
  const podName = pod.metadata?.name ?? '';
  // It holds the pod, so that its last status can be read.
  await patch('Pod', podName, namespace, { metadata: { finalizers: ['test.gravekeeper.dev/hold'] } });
  await remove('StatefulSet', name, namespace);
  await remove('Pod', podName, namespace);
  const ended = await eventually(
    'the container to end',
    async (): Promise<V1ContainerStateTerminated | undefined> => {
      const found = await get<V1Pod>('Pod', podName, namespace);
      return found.status?.containerStatuses?.[0]?.state?.terminated;
    },
  );
  await patch('Pod', podName, namespace, { metadata: { finalizers: null } });
  return { pod, outcome: { exitCode: ended.exitCode, message: ended.message } };
}
