// 1. tini by image volume: the kubelet mounts the image, and nothing is copied.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { version } from '../../../src/version.ts';
import { create } from '../kit/api.ts';
import { namespace } from '../kit/namespaces.ts';
import { container, leavingOrphans, podSpec, processesIn, readyPods, workload } from '../kit/pods.ts';
import { scanOf, statusOf } from '../kit/product.ts';
import { withConfiguration } from '../kit/webhook.ts';
import { eventually } from '../wait.ts';

const configuration = `tini: {image: 'ghcr.io/gravekeeper/tini:${version}', delivery: image-volume}`;

describe('a Deployment whose program leaves five orphans, with tini by image volume', () => {
  it('collects none, has no copier, and the scanner says that it works', async () => {
    const name = await namespace({ inject: 'auto' });
    const pod = await withConfiguration(configuration, async () => {
      await create(workload('Deployment', name, 'shop', podSpec([container(leavingOrphans(5))])));
      return (await readyPods(name, 'name=shop'))[0];
    });
    assert.ok(pod);
    assert.equal(statusOf(pod)?.remedy, 'tini');
    assert.equal(pod.spec?.initContainers, undefined);
    assert.ok(pod.spec?.volumes?.some(({ image }) => image?.reference?.includes('gravekeeper/tini')));
    await eventually('the children to die', async () => {
      const { living } = await processesIn(name, pod.metadata?.name ?? '');
      return living.filter((comm) => comm === 'sleep').length === 1;
    });
    const { zombies, pid1 } = await processesIn(name, pod.metadata?.name ?? '');
    assert.deepEqual({ zombies, pid1 }, { zombies: 0, pid1: 'tini' });
    // A pod with zombies that it does not know makes the scanner ask for the pods of its node.
    const plain = await namespace();
    await create(workload('Deployment', plain, 'shop', podSpec([container(leavingOrphans(5))])));
    const [leaking] = await readyPods(plain, 'name=shop');
    const { remedies, groups } = await eventually('the scanner to see that it works', async () => {
      const report = await scanOf(pod);
      const isKnown = report.groups.some(
        ({ podUid, count }) => podUid === leaking?.metadata?.uid && count >= 5,
      );
      const works = report.remedies.some((check) => check.podUid === pod.metadata?.uid && check.works);
      return isKnown && works && report;
    });
    assert.partialDeepStrictEqual(
      remedies.find(({ podUid }) => podUid === pod.metadata?.uid),
      { remedy: 'tini', pod: pod.metadata?.name, namespace: name, owner: 'Deployment/shop' },
    );
    assert.deepEqual(
      groups.filter(({ podUid }) => podUid === pod.metadata?.uid),
      [],
    );
    assert.partialDeepStrictEqual(
      groups.find(({ podUid }) => podUid === leaking?.metadata?.uid),
      {
        count: 5,
        kind: 'orphan',
        container: 'app',
        namespace: plain,
        owner: 'Deployment/shop',
        fixableBy: 'init',
      },
    );
  });
});
