import { describe, expect, it } from 'vitest';
import { type Config, defaultConfig } from '../../../src/config/config.ts';
import { readPod } from '../../../src/pod/pod.ts';
import { namespaceNotes, policyOf } from '../../../src/policy/policy.ts';

const label = (suffix: string) => `gravekeeper.dev/${suffix}`;

function keys(entries: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([suffix, value]) => [label(suffix), value]));
}

function policy(
  ofNamespace: Record<string, string>,
  ofPod: { labels?: Record<string, string>; annotations?: Record<string, string> } = {},
  config: Partial<Config> = {},
  namespace = 'shop',
) {
  const pod = readPod({
    metadata: { labels: keys(ofPod.labels ?? {}), annotations: keys(ofPod.annotations ?? {}) },
    spec: { containers: [{ name: 'app' }, { name: 'proxy' }], initContainers: [{ name: 'setup' }] },
  });
  return policyOf(pod, {
    namespace,
    namespaceLabels: new Map(Object.entries(keys(ofNamespace))),
    config: { ...defaultConfig, ...config },
  });
}

describe('the label inject', () => {
  it.each([
    ['absent on both', {}, {}, null, 'not-opted-in'],
    ['auto', { inject: 'auto' }, {}, 'auto', null],
    ['share-pid', { inject: 'share-pid' }, {}, 'share-pid', null],
    ['tini', { inject: 'tini' }, {}, 'tini', null],
    ['none', { inject: 'none' }, {}, null, 'opted-out'],
    ['nonsense counts as none', { inject: 'Auto' }, {}, null, 'opted-out'],
    ['empty counts as none', { inject: '' }, {}, null, 'opted-out'],
    ['the pod opts in where the namespace says nothing', {}, { inject: 'tini' }, 'tini', null],
    ['the pod opts in where the namespace says none', { inject: 'none' }, { inject: 'auto' }, 'auto', null],
    ['the pod opts out', { inject: 'auto' }, { inject: 'none' }, null, 'opted-out'],
    ['the pod chooses another one', { inject: 'auto' }, { inject: 'share-pid' }, 'share-pid', null],
    ['nonsense on the pod counts as none', { inject: 'auto' }, { inject: 'yes' }, null, 'opted-out'],
    ['only probes on the namespace', { probes: 'warn' }, {}, null, 'not-opted-in'],
  ])('%s', (_, ofNamespace, ofPod, strategy, skipped) => {
    expect(policy(ofNamespace, { labels: ofPod })).toMatchObject({ strategy, skipped });
  });

  it.each([
    [{}, { inject: 'auto' }, null, 'pod-opt-in-forbidden'],
    [{ inject: 'none' }, { inject: 'auto' }, null, 'pod-opt-in-forbidden'],
    [{ inject: 'auto' }, { inject: 'tini' }, 'tini', null],
    [{ inject: 'auto' }, { inject: 'none' }, null, 'opted-out'],
    [{}, { inject: 'none' }, null, 'opted-out'],
  ])('where pods may not opt in, namespace %j and pod %j', (ofNamespace, ofPod, strategy, skipped) => {
    expect(policy(ofNamespace, { labels: ofPod }, { allowPodOptIn: false })).toMatchObject({
      strategy,
      skipped,
    });
  });

  it.each([
    [{ inject: 'auto' }, {}, 'exempt-namespace'],
    [{ inject: 'auto' }, { inject: 'tini' }, 'exempt-namespace'],
    [{}, { inject: 'tini' }, 'exempt-namespace'],
    [{}, {}, 'not-opted-in'],
    [{ inject: 'none' }, {}, 'opted-out'],
  ])('in an exempt namespace, namespace %j and pod %j', (ofNamespace, ofPod, skipped) => {
    const outcome = policy({ probes: 'deny', ...ofNamespace }, { labels: ofPod }, {}, 'kube-system');
    expect(outcome).toMatchObject({ strategy: null, skipped, probes: null, notes: [] });
  });

  it('an exempt namespace beats a forbidden opt-in', () => {
    const outcome = policy({}, { labels: { inject: 'tini' } }, { allowPodOptIn: false }, 'kube-system');
    expect(outcome.skipped).toBe('exempt-namespace');
  });
});

describe('the label probes', () => {
  it.each([
    [{}, {}, null],
    [{ inject: 'auto' }, {}, 'warn'],
    [{ inject: 'none' }, {}, null],
    [{ inject: 'nonsense' }, {}, null],
    [{ inject: 'auto', probes: 'deny' }, {}, 'deny'],
    [{ inject: 'auto', probes: 'ignore' }, {}, 'ignore'],
    [{ probes: 'deny' }, {}, 'deny'],
    [{ probes: 'DENY' }, {}, 'warn'],
    [{ inject: 'none', probes: 'deny' }, {}, 'deny'],
    [{}, { inject: 'auto' }, 'warn'],
    [{ inject: 'auto' }, { inject: 'none' }, 'warn'],
    [{ inject: 'none' }, { inject: 'auto' }, 'warn'],
    [{ inject: 'auto', probes: 'deny' }, { inject: 'none' }, 'deny'],
  ])('namespace %j and pod %j: %s', (ofNamespace, ofPod, probes) => {
    expect(policy(ofNamespace, { labels: ofPod }).probes).toBe(probes);
  });

  it('a forbidden opt-in does not opt in to probes', () => {
    expect(policy({}, { labels: { inject: 'auto' } }, { allowPodOptIn: false }).probes).toBeNull();
  });

  it('takes its default from the configuration', () => {
    const config = { defaults: { probes: 'deny', dryRun: false } } as const;
    expect(policy({ inject: 'auto' }, {}, config).probes).toBe('deny');
    expect(policy({}, {}, config).probes).toBeNull();
    expect(policy({ inject: 'auto' }, { labels: { inject: 'none' } }, config).probes).toBe('deny');
    expect(policy({}, { labels: { inject: 'auto' } }, config).probes).toBe('warn');
  });
});

describe('the label dry-run', () => {
  it.each([
    [{}, false],
    [{ 'dry-run': 'true' }, true],
    [{ 'dry-run': 'false' }, false],
    [{ 'dry-run': 'False' }, true],
    [{ 'dry-run': '' }, true],
  ])('%j: %s', (ofNamespace, dryRun) => {
    expect(policy({ inject: 'auto', ...ofNamespace }).dryRun).toBe(dryRun);
  });

  it('takes its default from the configuration, which a label beats', () => {
    const config = { defaults: { probes: 'warn', dryRun: true } } as const;
    expect(policy({ inject: 'auto' }, {}, config).dryRun).toBe(true);
    expect(policy({ inject: 'auto', 'dry-run': 'false' }, {}, config).dryRun).toBe(false);
  });
});

describe('notes', () => {
  it('names each invalid label, its value and what is allowed', () => {
    const outcome = policy(
      { inject: 'Auto', probes: 'loud', 'dry-run': 'yes' },
      { labels: { inject: 'on' } },
    );
    expect(outcome.notes.map(({ reason }) => reason)).toEqual(Array(4).fill('invalid-label'));
    expect(outcome.notes.map(({ detail }) => detail)).toEqual([
      'gravekeeper.dev/inject="Auto" of the namespace is none of auto, share-pid, tini, none',
      'gravekeeper.dev/probes="loud" of the namespace is none of warn, deny, ignore',
      'gravekeeper.dev/dry-run="yes" of the namespace is none of true, false',
      'gravekeeper.dev/inject="on" of the pod is none of auto, share-pid, tini, none',
    ]);
  });

  it('says nothing of valid or absent labels', () => {
    expect(policy({ inject: 'auto', probes: 'warn', 'dry-run': 'true' }).notes).toEqual([]);
    expect(namespaceNotes(new Map([['other.example/inject', 'x']]))).toEqual([]);
  });

  it('is silent on annotations of pods that have not opted in', () => {
    expect(policy({}, { annotations: { argv: 'nonsense' } }).notes).toEqual([]);
    expect(policy({ inject: 'auto' }, { annotations: { argv: 'nonsense' } }).notes).toHaveLength(1);
  });
});

describe('the annotation skip-containers', () => {
  const read = (text: string) => policy({ inject: 'auto' }, { annotations: { 'skip-containers': text } });
  it.each([
    ['app', ['app'], 0],
    [' app , proxy ', ['app', 'proxy'], 0],
    ['setup', ['setup'], 0],
    ['app,', ['app'], 1],
    ['', [], 1],
    ['ghost', ['ghost'], 1],
  ])('%j', (text, names, notes) => {
    expect([...read(text).skipContainers]).toEqual(names);
    expect(read(text).notes).toHaveLength(notes);
  });
});

describe('the annotation argv', () => {
  const read = (text: string) => policy({ inject: 'auto' }, { annotations: { argv: text } });
  it('stands for ENTRYPOINT and CMD', () => {
    const outcome = read(
      '{"app": {"entrypoint": ["/entry.sh"], "cmd": ["redis-server"]}, "proxy": {"cmd": ["p"]}}',
    );
    expect([...outcome.argv]).toEqual([
      ['app', { entrypoint: ['/entry.sh'], cmd: ['redis-server'] }],
      ['proxy', { cmd: ['p'] }],
    ]);
    expect(outcome.notes).toEqual([]);
  });
  it.each(['', '[]', 'null', '"x"', '{', '{"app": ', '3'])('%j is ignored, with a note', (text) => {
    expect(read(text).argv.size).toBe(0);
    expect(read(text).notes).toMatchObject([{ reason: 'malformed-annotation' }]);
  });
  it('loses only the entry that is wrong', () => {
    const outcome = read(
      '{"app": {"entrypoint": "x"}, "proxy": {"cmd": ["p"]}, "ghost": {}, "setup": {"Cmd": []}}',
    );
    expect([...outcome.argv.keys()]).toEqual(['proxy', 'ghost']);
    expect(outcome.notes).toHaveLength(3);
  });
  it('is not fooled by names of the prototype', () => {
    const names = [...read('{"__proto__": {"cmd": ["x"]}, "constructor": {"cmd": ["x"]}}').argv.keys()];
    expect(names).toEqual(['__proto__', 'constructor']);
  });
});

describe('the annotation ignore', () => {
  const read = (text: string) => policy({ inject: 'auto' }, { annotations: { ignore: text } });
  it.each([
    ['background=we wait elsewhere', [['background', 'we wait elsewhere']], 0],
    [
      'a=b, c=d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      0,
    ],
    [
      'a=because of x, y and z, c=d',
      [
        ['a', 'because of x, y and z'],
        ['c', 'd'],
      ],
      0,
    ],
    ['a=b=c', [['a', 'b=c']], 0],
    ['a=b,', [['a', 'b']], 0],
    ['a', [], 1],
    ['a=', [], 1],
    ['', [], 1],
    ['=b', [], 1],
  ])('%j', (text, rules, notes) => {
    expect([...read(text).ignoredRules]).toEqual(rules);
    expect(read(text).notes).toHaveLength(notes);
  });
});

describe('annotations of strangers', () => {
  it.each(['skip-containers', 'argv', 'ignore'])(
    'leave at most ten notes in %s, and are not read when too long',
    (key) => {
      const notes = (text: string) =>
        policy({ inject: 'auto' }, { annotations: { [key]: text } }).notes.length;
      const many = Array.from({ length: 5_000 }, (_, index) => `=x${index}`).join(',');
      expect(notes(many)).toBeLessThanOrEqual(10);
      expect(notes(`a=b${',c'.repeat(100_000)}`)).toBeLessThanOrEqual(10);
      expect(notes(','.repeat(300_000))).toBe(1);
    },
  );

  it('name containers of a template that a webhook may add later', () => {
    const pod = readPod(
      {
        metadata: { annotations: keys({ 'skip-containers': 'istio-proxy' }) },
        spec: { containers: [{ name: 'app' }] },
      },
      { base: '/spec/template' },
    );
    const namespaceLabels = new Map([[label('inject'), 'auto']]);
    expect(policyOf(pod, { namespace: 'shop', namespaceLabels, config: defaultConfig }).notes).toEqual([]);
  });
});
