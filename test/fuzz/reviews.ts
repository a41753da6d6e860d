import fc from 'fast-check';
import { arbitraryPod, type Json, mutate } from '../support/arbitrary-pod.ts';

/** One request of the fuzzer. */
export interface Shot {
  readonly path: '/mutate' | '/validate';
  readonly body: string | Buffer;
  /** The uid that the answer must carry; null where the body may be no review at all. */
  readonly uid: string | null;
  /** The pod that a patch must apply to; null where it is no pod, or no sound one. */
  readonly pod: Json | null;
  /** The pod is of the right types and its namespace opted in, so something must be said of it. */
  readonly judged: boolean;
}

/** Namespaces that the fuzzed webhook knows, with their labels of gravekeeper.dev. */
export const namespaces: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  auto: { inject: 'auto' },
  tini: { inject: 'tini', probes: 'deny' },
  share: { inject: 'share-pid', probes: 'warn' },
  dry: { inject: 'auto', probes: 'deny', 'dry-run': 'true' },
  probes: { probes: 'deny' },
  odd: { inject: 'Yes', probes: '\u202e', 'dry-run': '1' },
  none: {},
};

const namespaceNames = [...Object.keys(namespaces), 'unknown', 'kube-system', ''];

const kinds: readonly { group: string; kind: string; wrap: (pod: Json) => Json }[] = [
  {
    group: 'apps',
    kind: 'Deployment',
    wrap: (template) => ({ metadata: { name: 'd' }, spec: { template } }),
  },
  {
    group: 'apps',
    kind: 'StatefulSet',
    wrap: (template) => ({ metadata: { name: 's' }, spec: { template } }),
  },
  {
    group: 'batch',
    kind: 'CronJob',
    wrap: (template) => ({ spec: { jobTemplate: { spec: { template } } } }),
  },
  { group: '', kind: 'PodTemplate', wrap: (template) => ({ template }) },
];

const hostileKeys = [
  '__proto__',
  'constructor',
  'toString',
  'a\u0000b',
  '\u001b[2J',
  '<script>',
  '\r\nX: y',
  '\u202e',
];

/** How often each sort of request comes: half of all are mutations of sound pods. */
const sorts = [
  ...Array(10).fill('mutated'),
  ...Array(4).fill('sound'),
  ...Array(2).fill('workload'),
  'envelope',
  'json',
  'bytes',
  'hostile',
] as const;

/** A source of random numbers that gives the same ones for the same seed (mulberry32). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/**
 * Generates requests without end.
 *
 * @param seed The same seed gives the same requests.
 * @param pool How many sound pods, and values to put into them, to draw from.
 */
export function* shots(seed: number, pool: number): Generator<Shot> {
  const random = randomOf(seed);
  const pods = fc.sample(arbitraryPod, { numRuns: pool, seed });
  const values = fc.sample(fc.jsonValue() as fc.Arbitrary<Json>, { numRuns: pool, seed });
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const changed = (value: Json): Json => mutate(value, random(1 << 30), pick(values), random(4) === 0);
  for (let number = 0; ; number += 1) {
    const uid = `${number}-${random(1 << 30)}`;
    const namespace = pick(namespaceNames);
    const pod = pick(pods);
    const review = (object: Json, request: Record<string, Json> = {}): Json => ({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid,
        kind: { group: '', version: 'v1', kind: 'Pod' },
        resource: { group: '', version: 'v1', resource: 'pods' },
        namespace,
        operation: 'CREATE',
        userInfo: { username: 'fuzz', groups: ['system:nodes'] },
        object,
        ...request,
      },
    });
    const shot = (body: Json, more: Partial<Shot> = {}): Shot => ({
      path: pick(['/mutate', '/validate'] as const),
      body: JSON.stringify(body),
      uid,
      pod: null,
      judged: false,
      ...more,
    });
    switch (pick(sorts)) {
      case 'sound': {
        const optedIn = namespaces[namespace]?.inject !== undefined && namespace !== 'odd';
        yield shot(review(pod), { path: '/mutate', pod, judged: optedIn });
        break;
      }
      case 'mutated': {
        const changes = 1 + random(3);
        let object = pod;
        for (let change = 0; change < changes; change += 1) object = changed(object);
        yield shot(review(object), { pod: object });
        break;
      }
      case 'workload': {
        const { group, kind, wrap } = pick(kinds);
        const about = {
          kind: { group, version: 'v1', kind },
          operation: pick(['CREATE', 'UPDATE', 'DELETE']),
        };
        yield shot(
          review(wrap(pod), {
            ...about,
            oldObject: pick([wrap(pod), wrap(changed(pod)), null, changed(pod)]),
          }),
        );
        break;
      }
      case 'envelope':
        yield shot(changed(review(pod)), { uid: null });
        break;
      case 'json':
        yield shot(pick(values), { uid: null });
        break;
      case 'bytes': {
        const whole = Buffer.from(JSON.stringify(review(pod)));
        const cut = random(2) === 0;
        if (!cut) for (let flip = 0; flip < 8; flip += 1) whole[random(whole.length)] = random(256);
        yield { ...shot(null, { uid: null }), body: cut ? whole.subarray(0, random(whole.length)) : whole };
        break;
      }
      default:
        yield hostile();
    }

    function hostile(): Shot {
      const name = pick(hostileKeys);
      const depth = 1 + random(1_000);
      const object = JSON.parse(JSON.stringify(pod)) as {
        metadata: Record<string, Json>;
        spec: Record<string, Json>;
      };
      const text = JSON.stringify(review(object as unknown as Json));
      const put = (json: string) => ({ ...shot(null), body: text.replace('"spec":{', `"spec":{${json},`) });
      switch (random(5)) {
        case 0:
          return put(`"deep":${'['.repeat(depth)}${']'.repeat(depth)}`);
        case 1:
          return put(`${JSON.stringify(name)}:{"x":1}`);
        case 2:
          return shot(
            review({ metadata: { annotations: { [name]: 'x'.repeat(random(250_000)) } }, spec: object.spec }),
          );
        case 3: {
          const containers = Array.from({ length: random(1_000) }, (_, index) => ({
            name: `${name}${index}`,
            command: [name],
          }));
          return shot(review({ metadata: object.metadata, spec: { containers } }));
        }
        default: {
          const labels = { 'gravekeeper.dev/inject': name, [name]: name };
          const about = {
            kind: { group: '', version: 'v1', kind: 'Namespace' },
            operation: pick(['CREATE', 'UPDATE']),
          };
          return shot(review({ metadata: { name, labels } }, about));
        }
      }
    }
  }
}
