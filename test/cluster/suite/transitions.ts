// 7. What holds the moment a label is set, and for pods of every sort.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { labelKeys } from '../../../src/policy/keys.ts';
import { create, get, remove, tryCreate, tryPatch } from '../kit/api.ts';
import { kubectl, tryKubectl } from '../kit/kubectl.ts';
import { freshName } from '../kit/namespace-names.ts';
import { labelsOf, namespace, type OwnLabels } from '../kit/namespaces.ts';
import { notOurs } from '../kit/own.ts';
import { container, inPhase, pod, podSpec, processesIn, readyPods, sleeping, workload } from '../kit/pods.ts';
import { statusOf } from '../kit/product.ts';
import { nodeName, place } from '../place.ts';
import { eventually } from '../wait.ts';

const controlled = {
  ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: '1', controller: true }],
};
const plainSpec = () => podSpec([container(sleeping)]);

/** What the webhook would do to a pod that a ReplicaSet makes now. */
async function remedyNow(namespace: string, labels: Readonly<Record<string, string>> = {}) {
  const { status, body, warnings } = await tryCreate(
    pod(namespace, 'probe', plainSpec(), { ...controlled, labels }),
    '?dryRun=All',
  );
  assert.equal(status, 201, JSON.stringify(body));
  return { remedy: statusOf(body)?.remedy ?? null, warnings };
}

describe('a namespace and a pod in the same kubectl apply', () => {
  const names = Array.from({ length: 5 }, freshName);
  after(() => Promise.all(names.map((name) => remove('Namespace', name))));
  it('gives the pod what the label asks for, each of five times', async () => {
    for (const name of names) {
      const labels = labelsOf({ inject: 'auto' });
      const items = [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
        pod(name, 'first', plainSpec()),
      ];
      await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
      assert.equal(statusOf(await get<V1Pod>('Pod', 'first', name))?.remedy, 'share-pid');
    }
  });
});

/** What each value of `inject` does to a pod that a ReplicaSet makes. */
const remedies = { auto: 'tini', tini: 'tini', 'share-pid': 'share-pid', none: null, nonsense: null };

/**
 * A walk that begins and ends at the first value and goes once from each value to each other one.
 *
 * @returns Its steps.
 */
function everyTransition<T>(values: readonly T[]): (readonly [from: T, to: T])[] {
  const open = new Map(values.map((from) => [from, values.filter((to) => to !== from)]));
  const walk: T[] = [];
  const stack = values.slice(0, 1);
  while (stack.length > 0) {
    const at = stack.at(-1) as T;
    const next = open.get(at)?.pop();
    if (next === undefined) walk.unshift(...stack.splice(-1));
    else stack.push(next);
  }
  return walk.slice(1).map((to, index) => [walk[index] as T, to]);
}

describe('the labels of a namespace', () => {
  let name: string;
  before(async () => {
    name = await namespace();
  });

  /** Sets labels, null for one that is to go, and answers the warnings. */
  async function label(own: Readonly<Record<string, string | null>>): Promise<readonly string[]> {
    const labels = Object.fromEntries(
      Object.entries(own).map(([key, value]) => [labelKeys[key as keyof OwnLabels], value]),
    );
    const { status, warnings } = await tryPatch('Namespace', name, undefined, { metadata: { labels } });
    assert.equal(status, 200, 'a namespace is always admitted');
    return warnings;
  }
  const becomes = (what: string | null) =>
    eventually(`${what} to hold`, async () => (await remedyNow(name)).remedy === what, {
      seconds: 10,
      everyMs: 20,
    });

  for (const [from, to] of everyTransition([null, ...Object.keys(remedies)])) {
    it(`inject goes from ${from} to ${to}`, async () => {
      const warnings = await label({ inject: to });
      const isInvalid = warnings.some((text) => text.includes('invalid-label'));
      assert.equal(isInvalid, to === 'nonsense', `${warnings}`);
      await becomes(to === null ? null : remedies[to as keyof typeof remedies]);
    });
  }

  it('dry-run goes from each of its values to each other', async () => {
    await label({ inject: 'auto' });
    for (const [, to] of everyTransition([null, 'true', 'false', 'nonsense'])) {
      const warnings = await label({ dryRun: to });
      assert.equal(warnings.length > 0, to === 'nonsense', `${warnings}`);
      await becomes(to === 'true' || to === 'nonsense' ? null : 'tini');
    }
    await label({ dryRun: null });
  });

  it('probes goes from each of its values to each other', async () => {
    const probe = { exec: { command: ['rabbitmqctl', 'node_health_check'] } };
    // It reaps nothing, and nothing else reaps for it.
    await label({ inject: null });
    const outcome = async () => {
      const offender = pod(name, 'probe', podSpec([container(sleeping, { livenessProbe: probe })]));
      const { status, warnings } = await tryCreate(offender, '?dryRun=All');
      return status === 403 ? 'denied' : warnings.length > 0 ? 'warned' : 'silent';
    };
    const outcomes = { warn: 'warned', deny: 'denied', ignore: 'silent', nonsense: 'warned' };
    for (const [from, to] of everyTransition([null, ...Object.keys(outcomes)])) {
      await label({ probes: to });
      const expected = to === null ? 'silent' : outcomes[to as keyof typeof outcomes];
      await eventually(
        `probes from ${from} to ${to}: ${expected}`,
        async () => (await outcome()) === expected,
        {
          seconds: 10,
          everyMs: 20,
        },
      );
    }
  });
});

describe('the label of a pod', () => {
  it('opts in where the namespace did not, and out where it did', async () => {
    const plain = await namespace();
    const opted = await namespace({ inject: 'auto' });
    for (const [value, remedy] of Object.entries(remedies)) {
      for (const name of [plain, opted]) {
        const found = await remedyNow(name, { [labelKeys.inject]: value });
        assert.equal(found.remedy, remedy, `${value} in ${name === plain ? 'plain' : 'opted'}`);
        const isTold = found.warnings.some((text) => text.includes('invalid-label'));
        assert.equal(isTold, value === 'nonsense', `${found.warnings}`);
      }
    }
    assert.equal((await remedyNow(plain)).remedy, null);
    assert.equal((await remedyNow(opted)).remedy, 'tini');
  });
});

describe('pods of every sort in a namespace that opted in', () => {
  let opted: string;
  before(async () => {
    opted = await namespace({ inject: 'auto', probes: 'deny' });
  });

  it('leaves a static pod alone, and its mirror pod appears', { skip: notOurs }, async () => {
    const file = join(place.staticPods, `${opted}.json`);
    writeFileSync(file, JSON.stringify(pod(opted, 'static', plainSpec())));
    try {
      const mirror = await inPhase(opted, `static-${nodeName}`, 'Running');
      assert.ok(mirror.metadata?.annotations?.['kubernetes.io/config.mirror']);
      assert.equal(statusOf(mirror), null);
      assert.equal(mirror.spec?.shareProcessNamespace, undefined);
    } finally {
      rmSync(file);
    }
  });

  it('takes somebody who claims to be a mirror pod for an ordinary one', async () => {
    const annotations = { 'kubernetes.io/config.mirror': 'x' };
    const { status, body } = await tryCreate(
      pod(opted, 'forged', { ...plainSpec(), nodeName }, { ...controlled, annotations }),
      '?dryRun=All',
    );
    assert.ok(status >= 400 || statusOf(body) !== null, 'the API server refuses it, or it is injected');
  });

  it('leaves a pod in the PID namespace of the host alone, and it runs', async () => {
    await create(workload('Deployment', opted, 'host', podSpec([container(sleeping)], { hostPID: true })));
    const [found] = await readyPods(opted, 'name=host');
    assert.equal(found && statusOf(found), null);
    assert.deepEqual(found?.spec?.containers[0]?.command, sleeping);
  });

  it('lets an ephemeral container join an injected pod', async () => {
    await create(workload('Deployment', opted, 'debugged', plainSpec()));
    const [found] = await readyPods(opted, 'name=debugged');
    const name = found?.metadata?.name ?? '';
    assert.ok(found && statusOf(found));
    const words = [
      '-n',
      opted,
      'debug',
      name,
      '--image=docker.io/library/busybox:1.37',
      '--container=debugger',
    ];
    const { status, stderr } = await tryKubectl([...words, '--target=app', '--', 'sleep', '86400']);
    assert.equal(status, 0, stderr);
    await eventually('the ephemeral container to run', async () => {
      const { status: seen } = await get<V1Pod>('Pod', name, opted);
      return seen?.ephemeralContainerStatuses?.[0]?.state?.running !== undefined;
    });
    assert.equal(
      (await processesIn(opted, name, 'debugger')).pid1,
      'tini',
      'it sees the namespace of the app',
    );
  });

  it('is injected by every controller of Kubernetes', async () => {
    const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'] as const;
    await Promise.all(
      kinds.map((kind) => create(workload(kind, opted, `by-${kind.toLowerCase()}`, plainSpec()))),
    );
    for (const kind of kinds) {
      const [found] = await readyPods(opted, `name=by-${kind.toLowerCase()}`);
      assert.equal(found && statusOf(found)?.remedy, 'tini', kind);
    }
  });
});
