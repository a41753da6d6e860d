// 5. A pause that does not reap: sharing the PID namespace does not help on such a node, and the scanner says so.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { choosePause } from '../images.ts';
import { create } from '../kit/api.ts';
import { namespace } from '../kit/namespaces.ts';
import { notOurs } from '../kit/own.ts';
import { container, leavingOrphans, podSpec, processesIn, readyPods, workload } from '../kit/pods.ts';
import { scanOf, statusOf } from '../kit/product.ts';
import { eventually } from '../wait.ts';

const orphans = 7;

describe('share-pid on a node whose pause does not reap', { skip: notOurs }, () => {
  let pod: V1Pod;
  before(async () => {
    const name = await namespace({ inject: 'share-pid' });
    choosePause('lazy');
    await create(workload('Deployment', name, 'shop', podSpec([container(leavingOrphans(orphans))])));
    const [ready] = await readyPods(name, 'name=shop');
    assert.ok(ready);
    pod = ready;
  });
  after(() => choosePause('reaping'));

  it('leaves zombies under pause', async () => {
    assert.equal(statusOf(pod)?.remedy, 'share-pid');
    const { namespace = '', name = '' } = pod.metadata ?? {};
    const seen = await eventually('the children to die', async () => {
      const found = await processesIn(namespace, name);
      return found.zombies === orphans && found;
    });
    assert.equal(seen.pid1, 'pause');
  });

  it('is what the scanner says, in those words', async () => {
    const isOurs = ({ podUid }: { podUid: string | null }) => podUid === pod.metadata?.uid;
    const { groups, remedies } = await eventually('the scanner to know the pod', async () => {
      const report = await scanOf(pod);
      return report.remedies.some((check) => isOurs(check) && check.works === false) && report;
    });
    assert.partialDeepStrictEqual(remedies.find(isOurs), {
      remedy: 'share-pid',
      works: false,
      owner: 'Deployment/shop',
    });
    assert.match(remedies.find(isOurs)?.message ?? '', /pause .* has left 7 orphans: it does not reap/);
    const [group, ...others] = groups.filter(isOurs);
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(group, {
      count: orphans,
      kind: 'orphan',
      parent: { comm: 'pause', isPid1: true },
    });
    assert.match(group?.advice ?? '', /pause/);
    assert.notEqual(group?.fixableBy, 'app');
  });
});
