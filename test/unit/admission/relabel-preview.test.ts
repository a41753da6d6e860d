import { once } from 'node:events';
import fjp, { type Operation } from 'fast-json-patch';
import { describe, expect, it } from 'vitest';
import type { JudgingTools, ListPods } from '../../../src/admission/judging.ts';
import { createLog } from '../../../src/admission/log.ts';
import { createMetrics } from '../../../src/admission/metrics.ts';
import { relabelPreview } from '../../../src/admission/relabel-preview.ts';
import { formatWarnings } from '../../../src/admission/warnings.ts';
import { defaultConfig, parseConfig } from '../../../src/config/config.ts';
import { judge } from '../../../src/judge.ts';
import type { JsonObject } from '../../../src/pod/json.ts';
import { readPod } from '../../../src/pod/pod.ts';
import { policyOf } from '../../../src/policy/policy.ts';
import { container, deprecatedProbe, review, start } from './harness.ts';

const whichOnes = 'gravekeeper: which ones: gravekeeper audit --cluster -n shop';

const key = (name: string) => `gravekeeper.dev/${name}`;

function labelled(own: Readonly<Record<string, string>>, more: object = {}) {
  const labels = Object.fromEntries(Object.entries(own).map(([name, value]) => [key(name), value]));
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels, ...more } };
}

function owned(apiVersion: string, kind: string, name: string) {
  return { ownerReferences: [{ apiVersion, kind, name, uid: 'u', controller: true }] };
}

const ofDeployment = (name: string) => ({
  ...owned('apps/v1', 'ReplicaSet', `${name}-5f6`),
  labels: { 'pod-template-hash': '5f6' },
});

/** A pod that runs. */
function running(name: string, metadata: object = {}, spec: object = {}): JsonObject {
  return {
    metadata: { name, namespace: 'shop', ...metadata },
    spec: { containers: [container], ...spec },
    status: { phase: 'Running' },
  };
}

const pods = (count: number, metadata: object, spec: object = {}) =>
  Array.from({ length: count }, (_, index) => running(`p${index}`, metadata, spec));

/** What becomes of a pod that is created in a namespace with this label. */
function injected(pod: JsonObject, inject: string): JsonObject {
  const namespaceLabels = new Map([[key('inject'), inject]]);
  const read = readPod(pod);
  const policy = policyOf(read, { namespace: 'shop', namespaceLabels, config: defaultConfig });
  const { patch } = judge(read, policy);
  expect(patch).not.toEqual([]);
  return fjp.applyPatch(structuredClone(pod), structuredClone(patch) as Operation[]).newDocument;
}

/** Lists these pods, as many as it is told to. */
function listing(all: readonly JsonObject[]): { listPods: ListPods; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async listPods(namespace, eachPod, { most }) {
      asked.push(namespace);
      for (const pod of all.slice(0, most)) await eachPod(structuredClone(pod));
      return { more: all.length > most };
    },
  };
}

/** Changes the labels of a namespace, and answers what its author hears. */
async function relabel(
  from: Readonly<Record<string, string>>,
  to: Readonly<Record<string, string>>,
  all: readonly JsonObject[] | ListPods,
  { request, tools, ...setup }: Parameters<typeof start>[0] & { readonly request?: object } = {},
) {
  const { listPods, asked } = Array.isArray(all) ? listing(all) : { listPods: all as ListPods, asked: [] };
  const app = start({ ...setup, tools: { previewPods: (preview) => preview(listPods), ...tools } });
  const body = review('Namespace', labelled(to), {
    operation: 'UPDATE',
    oldObject: labelled(from),
    ...request,
  });
  const { body: answer } = await app.post('/validate/namespaces', body).expect(200);
  expect(answer.response.allowed).toBe(true);
  const warnings: readonly string[] = answer.response.warnings ?? [];
  return { warnings, asked, logged: app.logged() };
}

describe('a namespace that opts in', () => {
  it('hears by reason what its pods lack, and what gets nothing, the worst first', async () => {
    const all = [
      ...pods(8, ofDeployment('web')),
      ...pods(4, owned('apps/v1', 'StatefulSet', 'db')),
      ...pods(3, owned('postgresql.cnpg.io/v1', 'Cluster', 'orders')),
      running('tool'),
    ];
    const { warnings, asked } = await relabel({}, { inject: 'auto' }, all);
    expect(warnings).toEqual([
      'gravekeeper foreign-controller: 3 pods of 1 owner would get nothing',
      'gravekeeper argv-known: 12 pods of 2 owners lack tini, which new ones get',
      'gravekeeper bare-pod: 1 pod lacks a shared PID namespace, which new ones get',
      whichOnes,
    ]);
    expect(asked).toEqual(['shop']);
  });

  it('hears the same under the dry run of a request', async () => {
    const { warnings } = await relabel({}, { inject: 'auto' }, pods(2, ofDeployment('web')), {
      request: { dryRun: true },
    });
    expect(warnings).toEqual([
      'gravekeeper argv-known: 2 pods of 1 owner lack tini, which new ones get',
      whichOnes,
    ]);
  });

  it('hears of a dry run of its own that it is one', async () => {
    const all = pods(2, ofDeployment('web'));
    const dry = { inject: 'auto', 'dry-run': 'true' };
    expect((await relabel({}, dry, all)).warnings).toEqual([
      'gravekeeper dry-run: 2 pods of 1 owner would get tini (argv-known)',
      whichOnes,
    ]);
    expect((await relabel(dry, { inject: 'auto' }, all)).warnings).toEqual([
      'gravekeeper argv-known: 2 pods of 1 owner lack tini, which new ones get',
      whichOnes,
    ]);
  });

  it('hears nothing of pods that have what they need, end, or opted out by themselves', async () => {
    const all = [
      injected(running('injected', ofDeployment('web')), 'auto'),
      injected(running('shared'), 'auto'),
      injected(running('both', ofDeployment('web')), 'share-pid'),
      running('reaps', ofDeployment('proxy'), { containers: [{ ...container, command: ['nginx'] }] }),
      running('ending', { ...ofDeployment('web'), deletionTimestamp: '2026-11-20T00:00:00Z' }),
      running('out', { ...ofDeployment('web'), labels: { [key('inject')]: 'none' } }),
      running('mirror', { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
    ];
    expect((await relabel({}, { inject: 'auto' }, all)).warnings).toEqual([]);
  });

  it('hears of the reason of a container where the pod has none of its own', async () => {
    const containers = [
      { name: 'app', image: 'x' },
      { name: 'proxy', image: 'x', command: ['nginx'] },
    ];
    const all = pods(2, ofDeployment('web'), { containers });
    expect((await relabel({}, { inject: 'auto' }, all)).warnings).toEqual([
      'gravekeeper argv-unknown: 2 pods of 1 owner would get nothing',
      whichOnes,
    ]);
  });

  it('hears first that a value is not known', async () => {
    const { warnings } = await relabel(
      {},
      { inject: 'tini', probes: 'refuse' },
      pods(1, ofDeployment('web')),
    );
    expect(warnings).toEqual([
      expect.stringContaining('invalid-label'),
      'gravekeeper chosen-by-label: 1 pod lacks tini, which new ones get',
      whichOnes,
    ]);
  });
});

describe('a namespace that opts out', () => {
  it.each([
    [{ inject: 'none' }, 'opted-out'],
    [{}, 'not-opted-in'],
  ])('by %j hears which pods keep what they have', async (to, reason) => {
    const all = [
      ...pods(2, ofDeployment('web')).map((pod) => injected(pod, 'auto')),
      injected(running('tool'), 'auto'),
      running('plain'),
    ];
    expect((await relabel({ inject: 'auto' }, to, all)).warnings).toEqual([
      `gravekeeper ${reason}: 3 pods of 2 owners keep what was injected until replaced; new ones get nothing`,
      whichOnes,
    ]);
  });
});

describe('a namespace under deny', () => {
  const offending = { containers: [{ ...container, image: 'rabbitmq:4', livenessProbe: deprecatedProbe }] };

  it('hears which pods it would not take again', async () => {
    const all = [
      ...pods(2, owned('apps/v1', 'StatefulSet', 'queue'), offending),
      ...pods(5, ofDeployment('web')),
    ];
    expect((await relabel({}, { probes: 'deny' }, all)).warnings).toEqual([
      'gravekeeper rabbitmq-node-health-check: 2 pods of 1 owner have probes that deny refuses',
      whichOnes,
    ]);
  });

  it('hears of both where both change, and nothing of a probe that the remedy makes harmless', async () => {
    const foreign = owned('postgresql.cnpg.io/v1', 'Cluster', 'orders');
    const all = [...pods(1, foreign, offending), ...pods(2, ofDeployment('web'), offending)];
    expect((await relabel({}, { inject: 'auto', probes: 'deny' }, all)).warnings).toEqual([
      'gravekeeper rabbitmq-node-health-check: 1 pod has a probe that deny refuses',
      'gravekeeper foreign-controller: 1 pod would get nothing',
      'gravekeeper argv-known: 2 pods of 1 owner lack tini, which new ones get',
      whichOnes,
    ]);
  });

  it('hears under dry run what would be refused', async () => {
    const to = { probes: 'deny', 'dry-run': 'true' };
    const { warnings } = await relabel({}, to, pods(1, owned('apps/v1', 'StatefulSet', 'queue'), offending));
    expect(warnings).toEqual([
      'gravekeeper dry-run: 1 pod has a probe that deny would refuse (rabbitmq-node-health-check)',
      whichOnes,
    ]);
  });

  it('hears nothing of findings under warn', async () => {
    const { warnings, asked } = await relabel({}, { probes: 'warn' }, pods(1, {}, offending));
    expect({ warnings, asked }).toEqual({ warnings: [], asked: [] });
  });
});

describe('the limits', () => {
  it('are 3000 pods, and each number says so', async () => {
    const all = [
      ...pods(2000, ofDeployment('web')),
      ...pods(2000, { ...ofDeployment('db'), labels: { [key('inject')]: 'none' } }),
    ];
    expect((await relabel({}, { inject: 'auto' }, all)).warnings).toEqual([
      'gravekeeper argv-known: 2000 of the first 3000 pods lack tini, which new ones get',
      whichOnes,
    ]);
    expect((await relabel({}, { inject: 'auto' }, all.slice(0, 3000))).warnings).toEqual([
      'gravekeeper argv-known: 2000 pods of 1 owner lack tini, which new ones get',
      whichOnes,
    ]);
  });

  it('are told where there is nothing else to tell', async () => {
    const reaping = pods(3001, ofDeployment('web'), { containers: [{ ...container, command: ['nginx'] }] });
    expect((await relabel({}, { inject: 'auto' }, reaping)).warnings).toEqual([
      'gravekeeper pid1-reaps: 3000 of the first 3000 pods are fine as they are',
      whichOnes,
    ]);
  });

  it('are a second: what came until then is told', async () => {
    const slow: ListPods = async (_, eachPod, { signal }) => {
      for (const pod of pods(7, ofDeployment('web'))) await eachPod(pod);
      await once(signal, 'abort');
      await eachPod(running('late'));
      return { more: false };
    };
    const { warnings, logged } = await relabel({}, { inject: 'auto' }, slow);
    expect(warnings).toEqual([
      'gravekeeper argv-known: 7 of the first 7 pods lack tini, which new ones get',
      whichOnes,
    ]);
    expect(logged).toContainEqual(expect.objectContaining({ level: 'warn', namespace: 'shop', seen: 7 }));
  });

  it('are those of warnings, however many there are and long the name of the namespace', async () => {
    const all = Array.from({ length: 3000 }, (_, index) =>
      injected(running(`p${index}`, ofDeployment(`web-${index}`)), 'auto'),
    );
    const namespace = 'n'.repeat(63);
    const request = { namespace, object: labelled({}, { name: namespace }) };
    const { warnings } = await relabel({ inject: 'auto' }, {}, all, { request });
    expect(warnings).toEqual([
      'gravekeeper not-opted-in: 3000 pods of 3000 owners keep what was injected until replaced; new ones get nothing',
      `gravekeeper: which ones: gravekeeper audit --cluster -n ${namespace}`,
    ]);
    for (const warning of warnings) expect(warning).toMatch(/^[\x20-\x7e]{1,120}$/);
  });
});

/** Previews new labels under a clock that only goes on while a pod is judged, and counts the turns of others. */
async function previewOf(
  all: readonly JsonObject[],
  msPerPolicy: number,
  answer: JudgingTools['answer'] = async () => new Map(),
) {
  let time = 0;
  let turns = 0;
  let isOver = false;
  const others = () => {
    turns += 1;
    if (!isOver) setImmediate(others);
  };
  setImmediate(others);
  const { listPods } = listing(all);
  const logged: string[] = [];
  const tools: JudgingTools = {
    policyOf: (pod, where) => {
      time += msPerPolicy;
      return policyOf(pod, { ...where, config: defaultConfig });
    },
    answer,
    namespaces: { labelsOf: () => null },
    metrics: createMetrics({ version: 'test' }),
    log: createLog('info', { write: (line: string) => void logged.push(line) }),
    previewPods: (preview) => preview(listPods),
  };
  const to = new Map([[key('inject'), 'auto']]);
  const warnings = formatWarnings(await relabelPreview('shop', to, new Map(), tools, () => time));
  isOver = true;
  return { warnings, turns, logged };
}

describe('pods that take long to judge', () => {
  it('are judged until the second is over, also where the timer had no chance to say so', async () => {
    const { warnings, logged } = await previewOf(pods(38, ofDeployment('web')), 250);
    expect(warnings).toEqual([
      'gravekeeper argv-known: 4 of the first 4 pods lack tini, which new ones get',
      whichOnes,
    ]);
    expect(logged).toEqual([expect.stringContaining('no more pods are judged after 1000 ms')]);
  });

  it('let others have a turn every 20 ms', async () => {
    const all = pods(40, ofDeployment('web'));
    expect((await previewOf(all, 10)).turns).toBeGreaterThanOrEqual(19);
    expect((await previewOf(all, 0)).turns).toBe(0);
  });

  it('are not judged by their images after the second either', async () => {
    const known = new Map([['app', { entrypoint: ['/app'], cmd: [] }]]);
    const all = Array.from({ length: 3 }, (_, index) =>
      running('p', ofDeployment(`web-${index}`), { containers: [{ name: 'app', image: 'shop/app' }] }),
    );
    // Three are read, three looked up, and one is judged with the answer before the second is over.
    const { warnings } = await previewOf(all, 150, async () => known);
    expect(warnings).toEqual([
      'gravekeeper argv-unknown: 2 pods of 2 owners start images that were not looked up in time',
      'gravekeeper argv-known: 1 pod lacks tini, which new ones get',
      whichOnes,
    ]);
  });
});

it('names neither pods nor owners nor what is in them, whoever asks', async () => {
  const secret = 'hush';
  const odd = {
    containers: [
      { ...container, name: secret, image: `${secret}/rabbitmq:4`, livenessProbe: deprecatedProbe },
    ],
  };
  const all = [
    ...pods(2, ofDeployment(secret), odd),
    running(secret, {}, odd),
    running(secret, owned('x.example/v1', secret, secret), odd),
    running(secret, ofDeployment(secret), { containers: [{ name: secret, image: secret }] }),
    injected(running(secret, ofDeployment(secret)), 'auto'),
  ];
  for (const to of [{ inject: 'auto' }, { probes: 'deny' }, { inject: 'none', probes: 'deny' }]) {
    const { warnings } = await relabel({}, to, all);
    expect(warnings.length).toBeGreaterThan(1);
    expect(warnings.at(-1)).toBe(whichOnes);
    expect(warnings.join('\n')).not.toContain(secret);
  }
});

describe('images', () => {
  const unknown = { containers: [{ name: 'app', image: 'shop/app' }] };
  const known = new Map([['app', { entrypoint: ['/app'], cmd: [] }]]);

  it('are looked up once for the pods of an owner that are alike', async () => {
    const asked: unknown[] = [];
    const answer: JudgingTools['answer'] = async (questions) => {
      asked.push(...questions);
      return known;
    };
    const all = [...pods(9, ofDeployment('web'), unknown), ...pods(2, ofDeployment('db'), unknown)];
    const { warnings } = await relabel({}, { inject: 'auto' }, all, { tools: { answer } });
    expect(warnings).toEqual([
      'gravekeeper argv-known: 11 pods of 2 owners lack tini, which new ones get',
      whichOnes,
    ]);
    expect(asked).toHaveLength(2);
  });

  it('that are not known in time are told of as such', async () => {
    const answer: JudgingTools['answer'] = (_, { pod }) =>
      pod.controller?.name.startsWith('web') ? Promise.resolve(known) : new Promise(() => {});
    const all = [...pods(2, ofDeployment('web'), unknown), ...pods(1, ofDeployment('db'), unknown)];
    const { warnings } = await relabel({}, { inject: 'auto' }, all, { tools: { answer } });
    expect(warnings).toEqual([
      'gravekeeper argv-unknown: 1 pod starts an image that was not looked up in time',
      'gravekeeper argv-known: 2 pods of 1 owner lack tini, which new ones get',
      whichOnes,
    ]);
  });

  it('are looked up for fifty owners at most', async () => {
    let asked = 0;
    const answer: JudgingTools['answer'] = async () => {
      asked += 1;
      return known;
    };
    const all = Array.from({ length: 60 }, (_, index) => running('p', ofDeployment(`web-${index}`), unknown));
    const { warnings } = await relabel({}, { inject: 'auto' }, all, { tools: { answer } });
    expect(asked).toBe(50);
    expect(warnings.map((text) => text.replace(/ (pods|which ones:) .*/, ''))).toEqual([
      'gravekeeper argv-unknown: 10',
      'gravekeeper argv-known: 50',
      'gravekeeper:',
    ]);
  });
});

describe('nobody is asked for pods', () => {
  const refusing: ListPods = () => Promise.reject(new Error('nobody should ask'));

  it.each<[string, object]>([
    ['of a namespace that is being created', { operation: 'CREATE', oldObject: null }],
    [
      'where no label of ours changes',
      { oldObject: labelled({ inject: 'auto' }, { annotations: { a: 'b' } }) },
    ],
    ['of what cannot be a namespace', { namespace: '../x' }],
  ])('%s', async (_, request) => {
    const { warnings, logged } = await relabel({}, { inject: 'auto' }, refusing, { request });
    expect(warnings).toEqual([]);
    expect(logged.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('of an exempt namespace', async () => {
    const outcome = parseConfig('exemptNamespaces: [shop]', { ruleIds: [] });
    if ('problems' in outcome) throw new Error('the configuration is wrong');
    const { logged } = await relabel({}, { inject: 'auto' }, refusing, { config: outcome.config });
    expect(logged.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('where there is nobody to ask', async () => {
    const app = start();
    const body = review('Namespace', labelled({ inject: 'auto' }), {
      operation: 'UPDATE',
      oldObject: labelled({}),
    });
    const { body: answer } = await app.post('/validate/namespaces', body);
    expect(answer.response).toEqual({ uid: expect.any(String), allowed: true });
  });
});

it('admits the namespace without a preview where pods may not be listed, and the log says so', async () => {
  const forbidden: ListPods = () => Promise.reject(new Error('HTTP 403: pods is forbidden'));
  const { warnings, logged } = await relabel({}, { inject: 'auto' }, forbidden);
  expect(warnings).toEqual([]);
  expect(logged.filter(({ level }) => level === 'warn')).toEqual([
    expect.objectContaining({
      namespace: 'shop',
      err: expect.objectContaining({ message: 'HTTP 403: pods is forbidden' }),
    }),
  ]);
});

it('admits the namespace whatever its pods are', async () => {
  const odd = [
    {},
    { metadata: 7, spec: [] },
    { spec: { containers: [null, 3, { name: {} }] } },
  ] as JsonObject[];
  const { warnings } = await relabel({}, { inject: 'auto' }, odd);
  expect(warnings).toEqual(['gravekeeper unjudgeable: 3 pods of 1 owner would get nothing', whichOnes]);
});
