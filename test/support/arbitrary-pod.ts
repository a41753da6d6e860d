import fc from 'fast-check';

/** A JSON value that a pod may hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const word = fc.constantFrom(
  ...[
    'node',
    'sh',
    '-c',
    'exec node',
    'bash',
    '/init',
    'tini',
    '--',
    'nginx',
    'sleep',
    '10',
    '$(X)',
    '$$',
    '"$@"',
  ],
  ...[
    'kill 1',
    'a && b',
    'sudo',
    'gosu',
    '/entrypoint.sh',
    'timeout',
    '5',
    '',
    'é\u001b[31m',
    '&',
    'a | b; c &',
  ],
);
const command = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.constantFrom(['node', 'server.js'], ['./serve', '--port', '80'], ['bash', '-c', 'a && b']),
  },
  { weight: 1, arbitrary: fc.array(word, { maxLength: 5 }) },
);
const name = fc.constantFrom(
  'app',
  'proxy',
  'worker',
  'gravekeeper-tini',
  'gravekeeper-tini-2',
  '__proto__',
  'x',
);
const path = fc.constantFrom(
  '/data',
  '/etc/app',
  '/.gravekeeper',
  '/.gravekeeper/x',
  '/.gravekeeper-2',
  '/tmp',
  '/',
);

/** Mostly absent: each of these alone decides over the whole pod or container. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 11, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });

const securityContext = fc.record(
  {
    runAsUser: fc.constantFrom(0, 1000),
    runAsNonRoot: fc.boolean(),
    allowPrivilegeEscalation: fc.boolean(),
    capabilities: rarely(
      fc.record({ drop: fc.subarray(['ALL', 'KILL']), add: fc.subarray(['KILL', 'CAP_KILL']) }),
    ),
    seccompProfile: rarely(fc.record({ type: fc.constantFrom('Localhost', 'RuntimeDefault') })),
  },
  { requiredKeys: [] },
);

const probe = fc.record(
  {
    exec: fc.record({
      command: fc.oneof(command, fc.constant(['rabbitmqctl', 'node_health_check'])),
    }),
    periodSeconds: fc.integer({ min: 0, max: 60 }),
    timeoutSeconds: fc.integer({ min: 0, max: 30 }),
    httpGet: fc.record({ port: fc.constant(80) }),
  },
  { requiredKeys: [] },
);

const resources = fc.record(
  {
    requests: fc.record({ cpu: fc.constant('100m'), 'nvidia.com/gpu': fc.constant(1) }, { requiredKeys: [] }),
    limits: fc.record({ memory: fc.constant('64Mi') }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

const container = fc.record(
  {
    name,
    image: fc.constantFrom('redis:7', 'alpine', 'registry.example/a@sha256:00'),
    command,
    args: command,
    env: fc.array(
      fc.record({ name: fc.constantFrom('X', 'Y', 'HOME', 'LANG', 'TINI_SUBREAPER', 'PATH'), value: word }),
      {
        maxLength: 2,
      },
    ),
    livenessProbe: probe,
    startupProbe: probe,
    lifecycle: fc.record({ preStop: fc.record({ exec: fc.record({ command }) }) }),
    securityContext,
    resources,
    volumeMounts: fc.array(fc.record({ name, mountPath: path }), { maxLength: 2 }),
    restartPolicy: fc.constantFrom('Always', 'Never'),
    futureField: fc.jsonValue(),
  },
  { requiredKeys: ['name'] },
);

const namedOnce = { minLength: 0, maxLength: 3, selector: (each: { name: string }) => each.name };

/**
 * Pods that the API server would take, or nearly so: names are unique, types are right. They lean towards what
 * matters here: shells, inits, names and mount paths like our own, and fields of a newer API.
 */
export const arbitraryPod: fc.Arbitrary<Json> = fc
  .record({
    metadata: fc.record(
      {
        name: fc.constant('pod'),
        labels: fc.dictionary(
          fc.constantFrom('app', 'gravekeeper.dev/inject'),
          fc.constantFrom('auto', 'tini', 'auto', 'tini', 'x'),
        ),
        annotations: fc.dictionary(
          fc.constantFrom(
            'a',
            'gravekeeper.dev/argv',
            'gravekeeper.dev/status',
            'gravekeeper.dev/skip-containers',
          ),
          fc.constantFrom('app', '{"app":{"cmd":["redis-server","$HOME"]}}', '{"remedy":"share-pid"}', '{'),
        ),
        ownerReferences: fc.constant([
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', controller: true },
        ]),
      },
      { requiredKeys: [] },
    ),
    spec: fc.record(
      {
        containers: fc.uniqueArray(container, { ...namedOnce, minLength: 1 }),
        initContainers: maybe(fc.uniqueArray(container, namedOnce)),
        volumes: maybe(
          fc.uniqueArray(
            fc.oneof(
              fc.record({ name, emptyDir: fc.constant({ medium: 'Memory' }) }),
              fc.record({ name, configMap: fc.constant({ name: 'c' }) }),
            ),
            namedOnce,
          ),
        ),
        shareProcessNamespace: rarely(fc.boolean()),
        hostPID: rarely(fc.constant(true)),
        hostUsers: fc.boolean(),
        securityContext,
        futureField: fc.jsonValue(),
      },
      { requiredKeys: ['containers'] },
    ),
  })
  .map(withUniqueContainerNames);

/** Containers and init containers share one set of names. */
function withUniqueContainerNames(pod: unknown): Json {
  const copy = JSON.parse(JSON.stringify(pod));
  const used = new Set(copy.spec.containers.map((each: { name: string }) => each.name));
  copy.spec.initContainers = copy.spec.initContainers?.filter(
    (each: { name: string }) => !used.has(each.name),
  );
  return copy;
}

/** Any pod with one value somewhere in it replaced by one of another type, or taken away. */
export const mutatedPod: fc.Arbitrary<Json> = fc
  .tuple(arbitraryPod, fc.nat(), fc.jsonValue() as fc.Arbitrary<Json>, fc.boolean())
  .map(([pod, seed, value, remove]) => mutate(pod, seed, value, remove));

/** A copy of a pod with one value in it replaced or taken away; the seed chooses which. */
export function mutate(pod: Json, seed: number, value: Json, remove: boolean): Json {
  const places: { holder: Record<string, Json>; key: string }[] = [];
  const visit = (node: Json): void => {
    if (typeof node !== 'object' || node === null) return;
    const holder = node as Record<string, Json>;
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      visit(holder[key] ?? null);
    }
  };
  const copy: Json = JSON.parse(JSON.stringify(pod));
  visit(copy);
  const place = places[seed % Math.max(places.length, 1)];
  if (!place) return copy;
  if (remove) delete place.holder[place.key];
  else place.holder[place.key] = value;
  return copy;
}
