import fc from 'fast-check';
import fjp, { type Operation } from 'fast-json-patch';
import { describe, expect, it } from 'vitest';
import { type Config, defaultConfig } from '../../src/config/config.ts';
import { judge, questions, type Verdict } from '../../src/judge.ts';
import { isJsonObject } from '../../src/pod/json.ts';
import { readPod } from '../../src/pod/pod.ts';
import { policyOf } from '../../src/policy/policy.ts';
import { type Reason, reasonCodes, reasons } from '../../src/reasons.ts';
import { arbitraryPod, type Json, mutatedPod } from '../support/arbitrary-pod.ts';

const inject = fc.constantFrom('auto', 'tini', 'share-pid');
const settings: fc.Arbitrary<Partial<Config>> = fc.constantFrom(
  {},
  { tini: { image: 'registry.example/tini:1', delivery: 'image-volume' as const } },
  { argv: { redis: { entrypoint: ['docker-entrypoint.sh'], cmd: ['$HOME/redis'] } } },
);

function contextOf(label: string, config: Partial<Config> = {}) {
  return {
    namespace: 'shop',
    namespaceLabels: new Map([['gravekeeper.dev/inject', label]]),
    config: { ...defaultConfig, ...config },
  };
}

function verdictOn(raw: unknown, label: string, config: Partial<Config> = {}): Verdict {
  const pod = readPod(raw);
  return judge(pod, policyOf(pod, contextOf(label, config)));
}

function applied(pod: Json, { patch }: Verdict): Json {
  return fjp.applyPatch(structuredClone(pod), structuredClone(patch) as Operation[], true).newDocument;
}

/** What a later webhook may do to a pod: a container before or after, another order, a volume, a new name. */
const laterChange: fc.Arbitrary<(pod: Json) => Json> = fc.constantFrom(
  ...[
    (spec: Spec) => spec.containers.push({ name: 'mesh', image: 'mesh', command: ['./mesh'] }),
    (spec: Spec) => spec.containers.unshift({ name: 'mesh', image: 'mesh', command: ['./mesh'] }),
    (spec: Spec) => spec.containers.reverse(),
    (spec: Spec) => {
      spec.initContainers = [
        { name: 'mesh-init', image: 'mesh', command: ['./iptables'] },
        ...(spec.initContainers ?? []),
      ];
    },
    (spec: Spec) => {
      spec.volumes = [{ name: 'mesh', emptyDir: {} }, ...(spec.volumes ?? [])];
    },
    (spec: Spec) => {
      const first = spec.containers[0];
      if (first) first.name = 'renamed';
    },
    (spec: Spec) => {
      spec.initContainers = (spec.initContainers ?? []).filter(
        ({ name }) => !String(name).startsWith('gravekeeper-tini'),
      );
    },
  ].map((change) => (pod: Json) => {
    const copy = structuredClone(pod);
    if (isJsonObject(copy) && isSpec(copy.spec)) change(copy.spec);
    return copy;
  }),
);

interface Spec {
  containers: Record<string, unknown>[];
  initContainers?: Record<string, unknown>[];
  volumes?: Record<string, unknown>[];
}

function isSpec(spec: unknown): spec is Spec {
  return isJsonObject(spec) && Array.isArray(spec.containers);
}

describe('a verdict', () => {
  it('never leaves anything to a second application', () => {
    fc.assert(
      fc.property(arbitraryPod, inject, settings, (pod, label, config) => {
        const after = applied(pod, verdictOn(pod, label, config));
        expect(verdictOn(after, label, config).patch).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('nor when others changed the pod in between: the third application is empty', () => {
    fc.assert(
      fc.property(arbitraryPod, inject, settings, laterChange, (pod, label, config, change) => {
        const first = change(applied(pod, verdictOn(pod, label, config)));
        const second = applied(first, verdictOn(first, label, config));
        expect(verdictOn(second, label, config).patch).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('wraps no container twice and leaves one copier, in front', () => {
    fc.assert(
      fc.property(arbitraryPod, inject, laterChange, (pod, label, change) => {
        const once = change(applied(pod, verdictOn(pod, label)));
        const twice = readPod(applied(once, verdictOn(once, label)));
        for (const { fields } of twice.containers) {
          const words = [...(fields.command ?? []), ...(fields.args ?? [])];
          expect(
            words.filter((word) => /^\/\.gravekeeper(-\d)?\/tini$/.test(word)).length,
          ).toBeLessThanOrEqual(1);
        }
        const copiers = twice.containers.filter(({ fields }) => fields.command?.[0] === '/copier');
        expect(copiers.length).toBeLessThanOrEqual(1);
        expect(copiers.every(({ index }) => index === 0)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('touches only what the remedy names', () => {
    const touched =
      /^(\/metadata(\/annotations(\/gravekeeper\.dev~1status)?)?|\/spec\/(shareProcessNamespace|volumes(\/-)?|initContainers(\/0)?|(containers|initContainers)\/\d+\/(command|args|volumeMounts(\/-)?)))$/;
    fc.assert(
      fc.property(arbitraryPod, inject, settings, (pod, label, config) => {
        for (const { path } of verdictOn(pod, label, config).patch) expect(path).toMatch(touched);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps every other field, byte for byte', () => {
    fc.assert(
      fc.property(arbitraryPod, inject, (pod, label) => {
        const before = JSON.stringify(withoutInjected(pod));
        expect(JSON.stringify(withoutInjected(applied(pod, verdictOn(pod, label))))).toBe(before);
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves the pod that it judges as it was', () => {
    fc.assert(
      fc.property(arbitraryPod, inject, (pod, label) => {
        const before = JSON.stringify(pod);
        verdictOn(pod, label);
        expect(JSON.stringify(pod)).toBe(before);
      }),
    );
  });

  it('is never thrown, whatever JSON the pod is, and every reason in it is known', () => {
    fc.assert(
      fc.property(fc.oneof(mutatedPod, fc.jsonValue()), inject, (pod, label) => {
        const { remedy } = verdictOn(pod, label);
        const shown: Reason[] = [remedy.reason, ...remedy.containers.map(({ reason }) => reason)];
        for (const reason of shown) expect(reasons[reason]).toBeDefined();
      }),
      { numRuns: 3_000 },
    );
  });

  it('says what was done to each long-running container, unless the pod was skipped as a whole', () => {
    fc.assert(
      fc.property(arbitraryPod, inject, (pod, label) => {
        const { remedy, pid1 } = verdictOn(pod, label);
        const names = readPod(pod).containers.flatMap(({ role, name }) => (role === 'init' ? [] : [name]));
        if (remedy.containers.length > 0) expect(remedy.containers.map(({ name }) => name)).toEqual(names);
        expect(pid1.map(({ container }) => container)).toEqual(names);
      }),
    );
  });
});

/** A pod without what a remedy may add or change. */
function withoutInjected(pod: Json): unknown {
  const copy = JSON.parse(JSON.stringify(pod));
  if (copy.metadata.annotations) delete copy.metadata.annotations['gravekeeper.dev/status'];
  if (Object.keys(copy.metadata.annotations ?? {}).length === 0) delete copy.metadata.annotations;
  delete copy.spec.shareProcessNamespace;
  const added = (each: { name?: string }) => /^gravekeeper-tini/.test(each.name ?? '');
  const strip = (list: Record<string, unknown>[] | undefined) => {
    const kept = (list ?? []).filter((each) => !added(each));
    for (const each of kept) {
      delete each.command;
      delete each.args;
      each.volumeMounts = ((each.volumeMounts ?? []) as { name?: string }[]).filter((mount) => !added(mount));
    }
    return kept;
  };
  copy.spec.containers = strip(copy.spec.containers);
  copy.spec.initContainers = strip(copy.spec.initContainers);
  copy.spec.volumes = (copy.spec.volumes ?? []).filter((volume: { name?: string }) => !added(volume));
  // Members that stand in another order are the same members.
  return sorted(copy);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}

describe('a pod of 10,000 containers', () => {
  it('is judged', () => {
    const containers = Array.from({ length: 10_000 }, (_, index) => ({
      name: `c${index}`,
      command: ['node', 'x'],
    }));
    const { remedy, patch } = verdictOn({ spec: { containers } }, 'tini');
    expect(remedy.kind).toBe('tini');
    expect(patch).toHaveLength(30_003);
  });
});

describe('the status annotation', () => {
  const statusIn = ({ patch }: Verdict) => {
    const operation = patch.find(({ path }) => path.startsWith('/metadata/annotations'));
    const value = operation && 'value' in operation ? operation.value : undefined;
    return isJsonObject(value) ? String(value['gravekeeper.dev/status']) : String(value);
  };

  it('holds at most 1 KiB, and counts what it leaves out', () => {
    const containers = Array.from({ length: 200 }, (_, index) => ({
      name: `container-${index}`,
      command: ['node'],
    }));
    const status = statusIn(verdictOn({ metadata: {}, spec: { containers } }, 'tini'));
    expect(Buffer.byteLength(status)).toBeLessThanOrEqual(1024);
    const { containers: listed, more } = JSON.parse(status);
    expect(listed.length).toBeGreaterThan(20);
    expect(listed.length + more).toBe(200);
  });

  it('is left out where the annotations would pass 256 KiB', () => {
    const pod = (size: number) => ({
      metadata: { annotations: { big: 'x'.repeat(size) } },
      spec: { containers: [{ name: 'app', command: ['node'] }] },
    });
    const paths = (size: number) => verdictOn(pod(size), 'tini').patch.map(({ path }) => path);
    const status = '/metadata/annotations/gravekeeper.dev~1status';
    expect(paths(256 * 1024 - 200)).toContain(status);
    expect(paths(256 * 1024 - 20)).not.toContain(status);
    expect(paths(256 * 1024 - 20)).toContain('/spec/containers/0/command');
  });
});

describe('questions', () => {
  const ask = (spec: object, label = 'auto', config: Partial<Config> = {}, annotations = {}) => {
    const pod = readPod({ metadata: { annotations }, spec });
    return questions(pod, policyOf(pod, contextOf(label, config)));
  };
  const opaque = { containers: [{ name: 'app', image: 'redis:7' }] };

  it('asks for images whose entrypoint decides', () => {
    expect(ask(opaque)).toEqual([{ container: 'app', image: 'redis:7' }]);
    expect(ask({ containers: [{ name: 'app', image: 'redis:7', args: ['--port'] }] })).toHaveLength(1);
  });

  it.each([
    [
      'the pod sets a command',
      { containers: [{ name: 'app', image: 'redis:7', command: ['redis-server'] }] },
      'auto',
      {},
      {},
    ],
    ['the namespace has opted out', opaque, 'none', {}, {}],
    ['the pod is skipped anyway', { ...opaque, hostPID: true }, 'auto', {}, {}],
    ['the configuration knows the image', opaque, 'auto', { argv: { redis: { cmd: ['redis-server'] } } }, {}],
    [
      'the annotation says it',
      opaque,
      'auto',
      {},
      { 'gravekeeper.dev/argv': '{"app":{"cmd":["redis-server"]}}' },
    ],
    ['the container is skipped', opaque, 'auto', {}, { 'gravekeeper.dev/skip-containers': 'app' }],
    ['there is no image', { containers: [{ name: 'app' }] }, 'auto', {}, {}],
    [
      'an init container is the one',
      { containers: [], initContainers: [{ name: 'app', image: 'redis:7' }] },
      'auto',
      {},
      {},
    ],
  ])('asks nothing where %s', (_, spec, label, config, annotations) => {
    expect(ask(spec, label, config, annotations)).toEqual([]);
  });

  describe('for the user that an image names', () => {
    const dropped = { capabilities: { drop: ['ALL'] } };
    const one = (fields: object, more: object = {}) => ({
      containers: [{ name: 'app', image: 'node:24', command: ['node', 'server.js'], ...fields }],
      ...more,
    });
    const asked = [{ container: 'app', image: 'node:24' }];

    it.each([
      ['as root it could not signal', one({ securityContext: dropped }), 'auto'],
      ['as root it could not signal, by the label', one({ securityContext: dropped }), 'tini'],
      ['as another it could not signal what sudo starts', one({ command: ['sudo', 'node'] }), 'auto'],
      ['sudo stands in a script', one({ command: ['sh', '-c'], args: ['exec su app -c x'] }), 'auto'],
    ])('asks where %s', (_, spec, label) => {
      expect(ask(spec, label)).toEqual(asked);
    });

    it.each([
      ['nothing else depends on it', one({}), 'auto'],
      ['it is tini that is not wanted', one({ securityContext: dropped }), 'share-pid'],
      ['the pod says whom', one({ securityContext: { ...dropped, runAsUser: 0 } }), 'auto'],
      [
        'it cannot be root',
        one({ securityContext: dropped }, { securityContext: { runAsNonRoot: true } }),
        'auto',
      ],
      ['neither could be signalled', one({ securityContext: dropped, command: ['su', 'app'] }), 'auto'],
      ['there is an init already', one({ securityContext: dropped, command: ['tini', 'node'] }), 'auto'],
      ['its PID 1 reaps', one({ securityContext: dropped, command: ['nginx'] }), 'auto'],
      ['sudo is but a word', one({ command: ['echo', 'a', 'sudo'] }), 'auto'],
      [
        'the words are those of an init container',
        { initContainers: one({ securityContext: dropped }).containers, containers: [] },
        'auto',
      ],
    ])('does not ask where %s', (_, spec, label) => {
      expect(ask(spec, label)).toEqual([]);
    });

    it('does not ask where the image is named by configuration or annotation', () => {
      const spec = one({ securityContext: dropped });
      expect(ask(spec, 'auto', { argv: { node: { cmd: ['x'] } } })).toEqual([]);
      expect(ask(spec, 'auto', {}, { 'gravekeeper.dev/argv': '{"app":{"cmd":["x"]}}' })).toEqual([]);
    });
  });

  it('and the answers decide', () => {
    const pod = readPod({
      ...{
        metadata: {
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', controller: true }],
        },
      },
      spec: opaque,
    });
    const policy = policyOf(pod, contextOf('auto'));
    const answers = new Map([['app', { entrypoint: ['/entry'], cmd: ['$HOME'] }]]);
    expect(judge(pod, policy).remedy).toMatchObject({ kind: null, reason: 'argv-unknown' });
    const { remedy, patch } = judge(pod, policy, answers);
    expect(remedy).toMatchObject({ kind: 'tini', reason: 'argv-known' });
    expect(patch).toContainEqual({ op: 'add', path: '/spec/containers/0/args', value: ['/entry', '$$HOME'] });
  });
});

it('knows no reason twice', () => {
  expect(new Set(reasonCodes).size).toBe(reasonCodes.length);
});
