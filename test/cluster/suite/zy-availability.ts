// 8. Pods are always created, and changed as long as a replica of the webhook answers: through rollouts, deletions,
// kills, changes of the certificate, and a restart of the API server.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { clusterProcesses } from '../cgroups.ts';
import { awaitApiServer, startApiServer } from '../control-plane.ts';
import { applySecret, caCertificate, makeCertificates, trust } from '../install.ts';
import { patch, remove, tryCreate } from '../kit/api.ts';
import { kubectl } from '../kit/kubectl.ts';
import { labelsOf, namespace } from '../kit/namespaces.ts';
import { notOurs } from '../kit/own.ts';
import { container, pod, podSpec, readyPods, sleeping } from '../kit/pods.ts';
import { statusOf } from '../kit/product.ts';
import { streamPods } from '../kit/stream.ts';
import {
  apiServerMetric,
  matchConditionErrors,
  nudge,
  ownNamespace,
  webhookMetric,
  webhookPods,
} from '../kit/webhook.ts';
import { stop } from '../stage.ts';
import { eventually } from '../wait.ts';

const selector = 'app.kubernetes.io/component=webhook';
const twoReady = () => readyPods(ownNamespace, selector, 2);

let opted: string;
before(async () => {
  opted = await namespace({ inject: 'auto' });
});

describe('under a steady stream of pods', () => {
  it('a rollout of the webhook fails none and misses none, of a thousand', async () => {
    const stream = streamPods(opted);
    await stream.reach(100);
    await kubectl(['-n', ownNamespace, 'rollout', 'restart', 'deployment/gravekeeper-webhook']);
    await kubectl([
      '-n',
      ownNamespace,
      'rollout',
      'status',
      'deployment/gravekeeper-webhook',
      '--timeout=180s',
    ]);
    await twoReady();
    await stream.reach(1000);
    const { created, unmutated, failed } = await stream.end();
    assert.deepEqual({ unmutated, failed }, { unmutated: 0, failed: [] });
    assert.ok(created >= 1000, `${created}`);
  });

  it('the deletion of each replica fails none and misses none', async () => {
    const next = await namespace({ inject: 'auto' });
    const stream = streamPods(next);
    for (const { metadata } of await webhookPods()) {
      await stream.reach(stream.count() + 50);
      await kubectl(['-n', ownNamespace, 'delete', 'pod', metadata?.name ?? '', '--wait=true']);
      await twoReady();
    }
    await stream.reach(1000);
    const { unmutated, failed } = await stream.end();
    assert.deepEqual({ unmutated, failed }, { unmutated: 0, failed: [] });
  });

  it('SIGKILL of a replica fails none, and each that is missed is counted by the API server', {
    skip: notOurs,
  }, async (test) => {
    const next = await namespace({ inject: 'auto' });
    const before = await failedCalls();
    const stream = streamPods(next);
    await stream.reach(100);
    const [victim] = await twoReady();
    const restartsOf = ({ status }: V1Pod) => status?.containerStatuses?.[0]?.restartCount ?? 0;
    assert.ok(victim);
    process.kill(mainProcessOf(victim), 'SIGKILL');
    await eventually('the kubelet to start it again', async () => {
      const found = (await webhookPods()).find(({ metadata }) => metadata?.uid === victim.metadata?.uid);
      return found !== undefined && restartsOf(found) > restartsOf(victim);
    });
    await twoReady();
    await stream.reach(stream.count() + 100);
    const { created, unmutated, failed } = await stream.end();
    assert.deepEqual(failed, []);
    assert.equal((await failedCalls()) - before, unmutated);
    test.diagnostic(`${unmutated} of ${created} pods were missed`);
    assert.ok(unmutated < created / 2, `${unmutated} of ${created}: the other replica was there`);
  });

  it('another CA and another certificate fail none and miss none', { skip: notOurs }, async () => {
    const next = await namespace({ inject: 'auto' });
    const pods = await twoReady();
    const reloadsOf = ({ metadata }: V1Pod) =>
      webhookMetric(metadata?.name ?? '', 'gravekeeper_certificate_reloads_total', { result: 'success' });
    const before = await Promise.all(pods.map(reloadsOf));
    const stream = streamPods(next);
    const oldCa = caCertificate();
    makeCertificates();
    trust(oldCa + caCertificate());
    applySecret();
    for (const [index, one] of pods.entries()) {
      await eventually(`${one.metadata?.name} to take the pair over`, async () => {
        await nudge(one);
        return (await reloadsOf(one)) > (before[index] ?? 0);
      });
    }
    await stream.reach(stream.count() + 50);
    trust(caCertificate());
    await stream.reach(stream.count() + 200);
    const { unmutated, failed } = await stream.end();
    assert.deepEqual({ unmutated, failed }, { unmutated: 0, failed: [] });
  });

  it('the deletion of the Secret fails none and misses none', { skip: notOurs }, async () => {
    const next = await namespace({ inject: 'auto' });
    const stream = streamPods(next);
    await remove('Secret', 'gravekeeper-webhook-tls', ownNamespace);
    try {
      for (const one of await webhookPods()) await nudge(one);
      await stream.reach(300);
    } finally {
      applySecret();
    }
    const { unmutated, failed } = await stream.end();
    assert.deepEqual({ unmutated, failed }, { unmutated: 0, failed: [] });
  });

  it('the loss of the Secret and of every replica fails none, and each that is missed is counted', {
    skip: notOurs,
  }, async () => {
    const next = await namespace({ inject: 'auto' });
    const before = await failedCalls();
    const stream = streamPods(next);
    await remove('Secret', 'gravekeeper-webhook-tls', ownNamespace);
    try {
      for (const { metadata } of await webhookPods()) await remove('Pod', metadata?.name ?? '', ownNamespace);
      await eventually('no replica to be called', async () => (await failedCalls()) - before >= 100);
    } finally {
      applySecret();
    }
    await twoReady();
    const { created, unmutated, failed } = await stream.end();
    assert.deepEqual(failed, []);
    assert.equal((await failedCalls()) - before, unmutated, `of ${created}`);
    const after = streamPods(await namespace({ inject: 'auto' }));
    await after.reach(100);
    const { unmutated: stillUnmutated } = await after.end();
    assert.equal(stillUnmutated, 0, 'it is back');
  });

  it('no match condition has failed in all that came before', async () => {
    assert.equal(await matchConditionErrors(), 0);
  });

  it('a restart of the API server fails none for our sake, and each that is missed is counted', {
    skip: notOurs,
  }, async (test) => {
    const next = await namespace({ inject: 'auto' });
    const stream = streamPods(next, 4, true);
    await stream.reach(50);
    // Asked to end, it would wait a minute for its watches.
    await stop('kube-apiserver', 'SIGKILL');
    const created = stream.count();
    startApiServer();
    await awaitApiServer();
    await stream.reach(created + 200);
    const { unmutated, failed } = await stream.end();
    assert.deepEqual(
      failed.filter((text) => /webhook|gravekeeper/.test(text)),
      [],
    );
    test.diagnostic(`${unmutated} were missed, ${failed.length} refused`);
    assert.equal(await failedCalls(), unmutated, 'its counts begin anew');
  });

  it('after all that, the labels of namespaces are followed as before', async () => {
    const next = await namespace({ inject: 'auto' });
    const remedyNow = async () => {
      const { body } = await tryCreate(pod(next, 'probe', podSpec([container(sleeping)])), '?dryRun=All');
      return statusOf(body)?.remedy ?? null;
    };
    assert.equal(await remedyNow(), 'share-pid');
    for (const [inject, remedy] of [
      ['tini', 'tini'],
      ['none', null],
      ['share-pid', 'share-pid'],
    ] as const) {
      await patch('Namespace', next, undefined, { metadata: { labels: labelsOf({ inject }) } });
      await eventually(`${inject} to hold`, async () => (await remedyNow()) === remedy);
    }
  });
});

/** Calls of /mutate that failed, after which the API server went on without it. */
const failedCalls = () =>
  apiServerMetric('apiserver_admission_webhook_fail_open_count', {
    name: 'namespace-inject.mutate.gravekeeper.dev',
  });

/** The PID of a container's first process. */
function mainProcessOf({ status }: V1Pod): number {
  const id = status?.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? 'none';
  const found = clusterProcesses()
    .filter((pid) => cgroupOf(pid).includes(id))
    .sort((a, b) => a - b);
  if (found[0] === undefined) throw new Error(`no process in ${id}`);
  return found[0];
}

/** Nothing where the process has ended in the meantime. */
function cgroupOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return '';
  }
}
