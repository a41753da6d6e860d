// 4. Every pod of test/remedies that is injected becomes available as part of a Deployment: its programs start under
// tini or beside pause, as the users that it names, with the limits that it has. The programs are stand-ins.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { V1Container, V1Deployment, V1PodSpec } from '@kubernetes/client-node';
import { labelKeys } from '../../../src/policy/keys.ts';
import { version } from '../../../src/version.ts';
import { create, get, type KubeObject, list, remove } from '../kit/api.ts';
import { type Fixture, fixtures, neverAccepted } from '../kit/fixtures.ts';
import { namespaceWith } from '../kit/label-sets.ts';
import { notOurs } from '../kit/own.ts';
import { workload } from '../kit/pods.ts';
import { statusOf } from '../kit/product.ts';
import { limitResources } from '../kit/quota.ts';
import { makeRuntimeClasses } from '../kit/runtime-classes.ts';
import { withConfiguration } from '../kit/webhook.ts';
import { eventually } from '../wait.ts';

const atOnce = 6;

const cannotRun = [
  // No runtime starts a container with a volume mounted over its root.
  'patch-unsafe/one-of-two',
  // A user namespace of its own wants a newer runc than the one of Debian 12.
  'argv-known/image-volume-in-user-namespace',
];

/** What is injected, and can run here. */
const runnable = fixtures.filter(
  ({ name, expected }) => !neverAccepted(name) && !cannotRun.includes(name) && expected.patch.length > 0,
);

/**
 * The pod that a Deployment can have on this node: its images pulled from nowhere, without probes, which would ask
 * stand-ins, without devices and AppArmor, and with empty volumes for those that nobody has made.
 */
function specOf({ pod }: Fixture, more: Partial<V1PodSpec> = {}): V1PodSpec {
  const {
    containers,
    initContainers = [],
    volumes = [],
    restartPolicy: _,
    securityContext,
    ...rest
  } = pod.spec;
  const { appArmorProfile: _1, ...context } = securityContext ?? {};
  return {
    terminationGracePeriodSeconds: 0,
    ...rest,
    securityContext: context,
    volumes: volumes.map(({ name, emptyDir = {} }) => ({ name, emptyDir })),
    containers: containers.map(runnableContainer),
    initContainers: initContainers.map((one) => {
      const ends = one.restartPolicy !== 'Always' && !one.image?.startsWith('ghcr.io/gravekeeper/');
      return { ...runnableContainer(one), ...(ends ? { command: ['true'], args: [] } : {}) };
    }),
    ...more,
  };
}

function runnableContainer(one: V1Container): V1Container {
  const {
    livenessProbe: _1,
    readinessProbe: _2,
    startupProbe: _3,
    securityContext,
    resources,
    ...rest
  } = one;
  const { appArmorProfile: _4, ...context } = securityContext ?? {};
  const ofNode = (amounts: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(amounts).filter(([name]) => !name.includes('/')));
  return {
    ...rest,
    imagePullPolicy: 'IfNotPresent',
    securityContext: context,
    resources: { requests: ofNode(resources?.requests), limits: ofNode(resources?.limits) },
  };
}

/** Makes a Deployment of it, and tells whether its pod becomes available. */
async function becomesAvailable(fixture: Fixture, namespace: string, more: Partial<V1PodSpec> = {}) {
  const name = fixture.name.replaceAll('/', '-').toLowerCase().slice(0, 50);
  const { labels = {}, annotations = {} } = fixture.pod.metadata ?? {};
  await create(workload('Deployment', namespace, name, specOf(fixture, more), { labels, annotations }));
  try {
    await eventually(
      `${fixture.name} to be available`,
      async () => {
        const { status } = await get<V1Deployment>('Deployment', name, namespace);
        if (status?.availableReplicas === 1) return true;
        const pods = await list<KubeObject & { status: object }>('Pod', namespace, `name=${name}`);
        throw new Error(JSON.stringify(pods.map(({ status }) => status)));
      },
      { seconds: 150, everyMs: 300 },
    );
    const [pod] = await list('Pod', namespace, `name=${name}`);
    return { pod, why: null };
  } catch (error) {
    return { pod: null, why: error instanceof Error ? error.message : String(error) };
  } finally {
    await remove('Deployment', name, namespace, '?propagationPolicy=Background');
  }
}

/**
 * As `becomesAvailable`.
 *
 * @returns Its remedy. Null where it does not become available without one either, which may be on a cluster that is
 *   not ours.
 * @throws where it does not become available and should.
 */
async function remedyOnceAvailable(fixture: Fixture, test: TestContext): Promise<string | null> {
  const { pod, why } = await becomesAvailable(fixture, await namespaceWith(fixture.namespace.labels));
  if (why === null) return statusOf(pod as never)?.remedy ?? 'none';
  const plain = await becomesAvailable(fixture, await namespaceWith({}));
  assert.ok(plain.why !== null, `only without us: ${why}`);
  assert.ok(notOurs, `cannot run here at all: ${why}`);
  test.skip(`it does not become available on this cluster without a remedy either: ${plain.why}`);
  return null;
}

describe('a fixture in a Deployment', { concurrency: atOnce }, () => {
  const remedies: string[] = [];
  for (const fixture of runnable.filter(({ configuration }) => configuration === null)) {
    it(`${fixture.name} becomes available with its remedy`, async (test) => {
      remedies.push((await remedyOnceAvailable(fixture, test)) ?? 'skipped');
    });
  }

  after(() => {
    const count = (remedy: string) => remedies.filter((one) => one === remedy).length;
    assert.ok(count('tini') > 20, `${remedies}`);
    assert.ok(count('share-pid') > 2, `${remedies}`);
  });
});

describe('a fixture in a Deployment, with a configuration of its own', () => {
  before(makeRuntimeClasses);
  for (const fixture of runnable) {
    const { name, configuration } = fixture;
    if (configuration === null) continue;
    it(`${name} becomes available with its remedy`, async (test) => {
      const remedy = await withConfiguration(asOfHere(configuration), () =>
        remedyOnceAvailable(fixture, test),
      );
      assert.ok(remedy === 'tini' || remedy === null, `${remedy}`);
    });
  }
});

/** A configuration file, with the image of tini that the node has. */
function asOfHere(configuration: { readonly tini?: object }): string {
  const tini = { ...configuration.tini, image: `ghcr.io/gravekeeper/tini:${version}` };
  return JSON.stringify({ ...configuration, tini });
}

describe('a Deployment that becomes available with tini', () => {
  const fixture = fixtures.find(({ name }) => name === 'argv-known/command');
  const auto = { [labelKeys.inject]: 'auto' };

  /** Answers the copier. */
  async function copierIn(
    namespace: string,
    more: Partial<V1PodSpec> = {},
  ): Promise<V1Container | undefined> {
    assert.ok(fixture);
    const { pod, why } = await becomesAvailable(fixture, namespace, more);
    assert.equal(why, null);
    assert.equal(statusOf(pod as never)?.remedy, 'tini');
    return (pod as unknown as { spec: V1PodSpec }).spec.initContainers?.[0];
  }

  it('has pods whose own security context says user 0, and a copier that does not run as root', async () => {
    const copier = await copierIn(await namespaceWith(auto), { securityContext: { runAsUser: 0 } });
    assert.equal(copier?.securityContext?.runAsUser, 65_532);
  });

  it('has restricted pods, where nothing else is allowed', async () => {
    const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    assert.ok(fixture);
    const containers = specOf(fixture).containers.map((one) => ({
      ...one,
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    }));
    const securityContext = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
    await copierIn(await namespaceWith({ ...auto, ...restricted }), { containers, securityContext });
  });

  it('is under a quota with limits', async () => {
    await copierIn(await namespaceWith(auto, limitResources));
  });
});
