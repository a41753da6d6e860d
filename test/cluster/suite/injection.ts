// 1. A namespace is labelled, and what is created in it is mutated, runs, and collects no zombies.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { create } from '../kit/api.ts';
import { namespace, type OwnLabels } from '../kit/namespaces.ts';
import { container, leavingOrphans, podSpec, processesIn, readyPods, workload } from '../kit/pods.ts';
import { scanCluster, scanOf, statusOf } from '../kit/product.ts';
import { eventually } from '../wait.ts';

const orphans = 5;

/** A Deployment that leaves orphans, in a namespace with these labels, when its children have died. */
async function deploy(own: OwnLabels): Promise<V1Pod> {
  const name = await namespace(own);
  await create(workload('Deployment', name, 'shop', podSpec([container(leavingOrphans(orphans))])));
  const [pod] = await readyPods(name, 'name=shop');
  assert.ok(pod);
  await eventually('the children to die', async () => {
    const { living } = await processesIn(name, pod.metadata?.name ?? '');
    return living.filter((comm) => comm === 'sleep').length === 1;
  });
  return pod;
}

const uidOf = ({ metadata }: V1Pod) => metadata?.uid;
const seenIn = ({ metadata }: V1Pod) => processesIn(metadata?.namespace ?? '', metadata?.name ?? '');

describe('a Deployment whose program leaves five orphans', () => {
  let plain: V1Pod;
  let auto: V1Pod;
  let shared: V1Pod;
  before(async () => {
    [auto, shared] = await Promise.all([deploy({ inject: 'auto' }), deploy({ inject: 'share-pid' })]);
    // Last, since zombies that it cannot name make the scanner ask for the pods of its node.
    plain = await deploy({});
  });

  it('collects them where the namespace has no label', async () => {
    assert.equal(statusOf(plain), null);
    const { zombies, pid1 } = await seenIn(plain);
    assert.deepEqual({ zombies, pid1 }, { zombies: orphans, pid1: 'sleep' });
  });

  it('collects none where the namespace says auto: tini is put in front by the copier', async () => {
    assert.equal(statusOf(auto)?.remedy, 'tini');
    assert.equal(auto.spec?.initContainers?.length, 1);
    const { zombies, pid1 } = await seenIn(auto);
    assert.deepEqual({ zombies, pid1 }, { zombies: 0, pid1: 'tini' });
  });

  it('collects none where the namespace says share-pid', async () => {
    assert.equal(statusOf(shared)?.remedy, 'share-pid');
    assert.equal(shared.spec?.shareProcessNamespace, true);
    const { zombies, pid1 } = await seenIn(shared);
    assert.deepEqual({ zombies, pid1 }, { zombies: 0, pid1: 'pause' });
  });

  it('is seen by the scanner of its node, with names, kind and cause, and what was injected works', async () => {
    const report = await eventually('the scanner to know the pods', async () => {
      const found = await scanOf(plain);
      const works = (pod: V1Pod) =>
        found.remedies.some(({ podUid, works }) => podUid === uidOf(pod) && works);
      return (
        found.groups.some(({ podUid, count }) => podUid === uidOf(plain) && count >= orphans) &&
        works(auto) &&
        works(shared) &&
        found
      );
    });
    const [group, ...others] = report.groups.filter(({ podUid }) => podUid === uidOf(plain));
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(group, {
      count: orphans,
      kind: 'orphan',
      parent: { comm: 'sleep', isPid1: true },
      container: 'app',
      containerId: plain.status?.containerStatuses?.[0]?.containerID?.replace('containerd://', ''),
      pod: plain.metadata?.name,
      namespace: plain.metadata?.namespace,
      owner: 'Deployment/shop',
      fixableBy: 'init',
    });
    assert.match(group?.advice ?? '', /gravekeeper\.dev\/inject=auto/);
    for (const [pod, remedy] of [
      [auto, 'tini'],
      [shared, 'share-pid'],
    ] as const) {
      assert.deepEqual(
        report.groups.filter(({ podUid }) => podUid === uidOf(pod)),
        [],
      );
      assert.partialDeepStrictEqual(
        report.remedies.find(({ podUid }) => podUid === uidOf(pod)),
        {
          remedy,
          pod: pod.metadata?.name,
          namespace: pod.metadata?.namespace,
          owner: 'Deployment/shop',
        },
      );
    }
  });

  it('is the only one of the three that scan --cluster names, with its owner', async () => {
    const namespaces = [plain, auto, shared].map(({ metadata }) => metadata?.namespace);
    const [workload, ...others] = await eventually('scan --cluster to count them', async () => {
      const { workloads } = await scanCluster();
      const those = workloads.filter(({ namespace }) => namespaces.includes(namespace ?? ''));
      return those.some(({ count }) => count >= orphans) && those;
    });
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(workload, {
      namespace: plain.metadata?.namespace,
      owner: 'Deployment/shop',
      count: orphans,
      kinds: { orphan: orphans, 'unreaped-child': 0, runtime: 0 },
      pods: [plain.metadata?.name],
      fixableBy: 'init',
    });
  });
});
