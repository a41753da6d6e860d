import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/pod/json.ts';
import { directoryOf, type PodFacts, podFacts } from '../../../src/scanner/pod-facts.ts';

const uid = '2f1a3d5e-9f0b-4c1e-8a57-1b2c3d4e5f60';
const hash = '0123456789abcdef0123456789abcdef';
const id = (digit: string) => digit.repeat(64);

type Member = 'metadata' | 'spec' | 'status';
const aPod = (parts: Partial<Record<Member, JsonObject>> = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { uid, namespace: 'shop', name: 'cart-7d9f8b6c5-x2x4z', ...parts.metadata },
  spec: { nodeName: 'n1', containers: [{ name: 'app', image: 'cart:1' }], ...parts.spec },
  ...(parts.status ? { status: parts.status } : {}),
});
const facts = (parts: Partial<Record<Member, JsonObject>> = {}): PodFacts => {
  const found = podFacts(aPod(parts));
  if (found === null) throw new Error('it has a uid, a namespace and a name');
  return found;
};
const controlledBy = (apiVersion: string, kind: string, name: string) => ({
  ownerReferences: [{ apiVersion, kind, name, uid: 'u', controller: true }],
});
const staticPod = (name: string, nodeName = 'N1', its = hash, mirror = its) => ({
  metadata: {
    uid,
    name,
    annotations: { 'kubernetes.io/config.hash': its, 'kubernetes.io/config.mirror': mirror },
    ...controlledBy('v1', 'Node', nodeName),
  },
  spec: { nodeName },
});

describe('podFacts', () => {
  it('takes what the scanner needs', () => {
    expect(
      facts({
        metadata: { labels: { app: 'cart', bad: 7 } },
        spec: {
          hostPID: true,
          shareProcessNamespace: true,
          runtimeClassName: 'kata',
          containers: [
            { name: 'app', livenessProbe: { exec: { command: ['check', '--all'] }, periodSeconds: 5 } },
          ],
        },
        status: { containerStatuses: [{ name: 'app', containerID: `containerd://${id('a')}` }] },
      }),
    ).toEqual({
      uid,
      namespace: 'shop',
      name: 'cart-7d9f8b6c5-x2x4z',
      owner: 'Pod/cart-7d9f8b6c5-x2x4z',
      labels: { app: 'cart' },
      hostPid: true,
      shareProcessNamespace: true,
      runtimeClassName: 'kata',
      containers: [
        {
          name: 'app',
          id: id('a'),
          probes: [
            {
              kind: 'liveness',
              command: ['check', '--all'],
              periodSeconds: 5,
              timeoutSeconds: 1,
              pointer: '/spec/containers/0/livenessProbe/exec/command',
            },
          ],
        },
      ],
      injected: null,
    });
  });

  it.each<[string, JsonObject]>([
    ['nothing', {}],
    ['metadata of the wrong type', { metadata: 'x' }],
    ['no UID', { metadata: { namespace: 'a', name: 'b' } }],
    ['an empty namespace', { metadata: { uid, namespace: '', name: 'b' } }],
    ['a number for a name', { metadata: { uid, namespace: 'a', name: 5 } }],
  ])('is null for %s', (_, raw) => expect(podFacts(raw)).toBeNull());

  it('loses a field of the wrong type, and nothing else', () => {
    expect(
      facts({
        metadata: { labels: [], annotations: 5, ownerReferences: {} },
        spec: { hostPID: 'yes', runtimeClassName: {}, containers: [null, { name: 'app', livenessProbe: 7 }] },
        status: { containerStatuses: [7, { name: 'app', containerID: 5, lastState: [] }, { name: {} }] },
      }),
    ).toMatchObject({
      owner: 'Pod/cart-7d9f8b6c5-x2x4z',
      labels: {},
      hostPid: false,
      runtimeClassName: null,
      containers: [{ name: 'app', id: null, probes: [] }],
    });
  });

  it('never throws, whatever JSON it gets', () => {
    const json = fc.jsonValue({ maxDepth: 2 });
    const status = fc.record({ name: json, containerID: json, state: json, lastState: json });
    const members = fc.dictionary(
      fc.constantFrom(
        ...['labels', 'annotations', 'ownerReferences', 'containers', 'ephemeralContainers'],
        ...['containerStatuses', 'nodeName', '__proto__', 'constructor'],
      ),
      fc.oneof(json, fc.array(status, { maxLength: 2 })),
      { maxKeys: 4 },
    );
    fc.assert(
      fc.property(members, members, fc.oneof(members, json), (metadata, spec, its) => {
        const raw: JsonObject = JSON.parse(JSON.stringify({ ...aPod({ spec }), status: its }));
        const found = podFacts({ ...raw, metadata: { ...metadata, uid, namespace: 'shop', name: 'cart' } });
        expect(found && directoryOf([found]).byUid(uid)).toBe(found);
      }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('metadata', 'spec'), json), (raw) => void podFacts(raw)),
    );
  });
});

describe('the owner', () => {
  const hashed = (label: string) => ({
    labels: { [label]: '7d9f8b6c5' },
    ...controlledBy('apps/v1', 'ReplicaSet', 'cart-7d9f8b6c5'),
  });
  const cronJob = (name: string) => controlledBy('batch/v1', 'Job', name);
  it.each<[string, string, JsonObject]>([
    ['Deployment/cart', 'a ReplicaSet of a Deployment', hashed('pod-template-hash')],
    ['Rollout/cart', 'a ReplicaSet of an Argo Rollout', hashed('rollouts-pod-template-hash')],
    [
      'ReplicaSet/cart-7d9f8b6c5',
      'a ReplicaSet without the label',
      controlledBy('apps/v1', 'ReplicaSet', 'cart-7d9f8b6c5'),
    ],
    [
      'ReplicaSet/cart',
      'a ReplicaSet with another name than the label says',
      { ...hashed('pod-template-hash'), ...controlledBy('apps/v1', 'ReplicaSet', 'cart') },
    ],
    [
      'ReplicaSet/-x',
      'a ReplicaSet whose name is the hash alone',
      { labels: { 'pod-template-hash': 'x' }, ...controlledBy('apps/v1', 'ReplicaSet', '-x') },
    ],
    [
      'ReplicaSet/a-7d9f8b6c5',
      'a ReplicaSet of another group',
      {
        ...hashed('pod-template-hash'),
        ...controlledBy('example.com/v1', 'ReplicaSet', 'a-7d9f8b6c5'),
      },
    ],
    ['CronJob/backup', 'a Job of a CronJob', cronJob('backup-29384756')],
    ['Job/backup-20261120', 'a Job with a date in its name', cronJob('backup-20261120')],
    ['Job/backup-2938475', 'a Job with fewer digits', cronJob('backup-2938475')],
    ['Job/backup-manual-x1', 'a Job started by hand', cronJob('backup-manual-x1')],
    ['StatefulSet/db', 'a StatefulSet', controlledBy('apps/v1', 'StatefulSet', 'db')],
    [
      'Pod/cart-7d9f8b6c5-x2x4z',
      'an owner that is no controller',
      {
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'u' }],
      },
    ],
  ])('is %s for %s', (owner, _, metadata) => expect(facts({ metadata }).owner).toBe(owner));

  it('of a static pod is named without its node', () => {
    expect(facts(staticPod('etcd-n1')).owner).toBe('StaticPod/etcd');
    expect(facts(staticPod('etcd', '')).owner).toBe('StaticPod/etcd');
    expect(facts(staticPod('etcd')).owner).toBe('StaticPod/etcd');
    expect(facts(staticPod('etcd-n1')).staticHash).toBe(hash);
  });

  it.each<[string, ReturnType<typeof staticPod>]>([
    ['two annotations that differ', staticPod('etcd-n1', 'N1', hash, 'f'.repeat(32))],
    ['a hash that is none', staticPod('etcd-n1', 'N1', uid)],
  ])('of a pod with %s is what its reference says', (_, parts) => {
    expect(facts(parts).owner).toBe('Node/N1');
    expect(facts(parts)).not.toHaveProperty('staticHash');
  });

  it('of a pod that only says it is static is the pod', () => {
    const { annotations } = staticPod('x').metadata;
    expect(facts({ metadata: { annotations } }).owner).toBe('Pod/cart-7d9f8b6c5-x2x4z');
    expect(facts({ metadata: { annotations } })).not.toHaveProperty('staticHash');
  });
});

describe('containers', () => {
  const terminated = (digit: string) => ({ terminated: { containerID: `docker://${id(digit)}` } });

  it('of every list of the status are known, also those before a restart', () => {
    const { containers } = facts({
      spec: {
        containers: [{ name: 'app' }, { name: 'new' }],
        initContainers: [{ name: 'setup' }],
        ephemeralContainers: [{ name: 'debug' }, { name: 'later' }],
      },
      status: {
        containerStatuses: [
          { name: 'app', containerID: `containerd://${id('a')}`, lastState: terminated('b') },
          { name: 'new', containerID: '', state: { waiting: { reason: 'ContainerCreating' } } },
        ],
        initContainerStatuses: [{ name: 'setup', containerID: `cri-o://${id('c')}`, state: terminated('c') }],
        ephemeralContainerStatuses: [{ name: 'debug', containerID: `containerd://${id('d')}` }],
      },
    });
    expect(containers).toEqual([
      { name: 'app', id: id('a'), formerIds: [id('b')], probes: [] },
      { name: 'new', id: null, probes: [] },
      { name: 'setup', id: id('c'), probes: [] },
      { name: 'debug', id: id('d'), probes: [] },
      { name: 'later', id: null, probes: [] },
    ]);
  });

  it('whose spec is unreadable are known by their status', () => {
    const status = { containerStatuses: [{ name: 'app', containerID: `containerd://${id('a')}` }] };
    expect(facts({ spec: { containers: 'x' }, status }).containers).toEqual([
      { name: 'app', id: id('a'), probes: [] },
    ]);
  });

  it.each(['', 'a'.repeat(64), `containerd://${'a'.repeat(63)}`, `containerd://${'A'.repeat(64)}`])(
    'have no id where it is written %s',
    (containerID) => {
      const status = { containerStatuses: [{ name: 'app', containerID }] };
      expect(facts({ status }).containers[0]?.id).toBeNull();
    },
  );
});

describe('what was injected', () => {
  const injected = (status: string) =>
    facts({
      metadata: { annotations: { 'gravekeeper.dev/status': status } },
      spec: { containers: [{ name: 'app' }, { name: 'side' }] },
    }).injected;

  it('is read of the annotation, for containers that exist', () => {
    const status = { remedy: 'tini', containers: ['app', 'gone', 5], more: 2, reason: 'r', version: '1' };
    expect(injected(JSON.stringify(status))).toEqual({ remedy: 'tini', containers: ['app'] });
    expect(injected('{"remedy": "share-pid", "containers": []}')).toEqual({
      remedy: 'share-pid',
      containers: [],
    });
  });

  it.each(['', '{', 'null', '[]', '{"remedy": "tini"}', '{"remedy": "magic", "containers": []}'])(
    'is null for the annotation %s',
    (status) => expect(injected(status)).toBeNull(),
  );
});

describe('directoryOf', () => {
  const running = (its: string, name: string, present: string, former?: string) =>
    facts({
      metadata: { uid: its, name },
      status: {
        containerStatuses: [
          {
            name: 'app',
            containerID: `containerd://${id(present)}`,
            ...(former ? { lastState: { terminated: { containerID: `containerd://${id(former)}` } } } : {}),
          },
        ],
      },
    });

  it('finds pods by UID, by static hash, and by the ids of their containers', () => {
    const [cart, etcd] = [running('u1', 'cart', 'a', 'b'), facts(staticPod('etcd-n1'))];
    const directory = directoryOf([cart, etcd]);
    expect(directory.byUid('u1')).toBe(cart);
    expect(directory.byUid(hash)).toBe(etcd);
    expect(directory.byUid(uid)).toBe(etcd);
    expect(directory.byUid('u2')).toBeNull();
    const found = { pod: cart, container: cart.containers[0] };
    expect(directory.byContainerId(id('a'))).toEqual(found);
    expect(directory.byContainerId(id('b'))).toEqual(found);
    expect(directory.byContainerId(id('c'))).toBeNull();
    expect([...directory.all()]).toEqual([cart, etcd]);
  });

  it('finds neither of two pods that claim one container or one hash', () => {
    const directory = directoryOf([
      running('u1', 'cart', 'a'),
      running('u2', 'forger', 'c', 'a'),
      facts(staticPod('etcd-n1')),
      facts({ ...staticPod('forger-n1'), metadata: { ...staticPod('forger-n1').metadata, uid: 'u4' } }),
    ]);
    expect(directory.byContainerId(id('a'))).toBeNull();
    expect(directory.byContainerId(id('c'))?.pod.name).toBe('forger');
    expect(directory.byUid(hash)).toBeNull();
    expect(directory.byUid('u4')?.name).toBe('forger-n1');
  });
});
