import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { container, deployment, deprecatedProbe, pod, review, start } from './harness.ts';

const labels = { 'gravekeeper.dev/inject': 'auto', 'gravekeeper.dev/probes': 'deny' };

/** Sends a review to both webhooks and expects of each a well-formed answer that holds every limit. */
async function survives(kind: string, body: object | string) {
  const answers = [];
  for (const path of ['/mutate', '/validate']) {
    const app = start({ labels });
    const { status, body: answer } = await app.post(path, body);
    expect(status).toBe(200);
    const { response } = answer;
    expect(response).toMatchObject({ uid: expect.any(String), allowed: expect.any(Boolean) });
    const warnings: string[] = response.warnings ?? [];
    expect(Buffer.byteLength(warnings.join(''))).toBeLessThanOrEqual(4096);
    for (const warning of warnings) expect(warning).toMatch(/^gravekeeper[ :][\x20-\x7e]{1,109}$/);
    const annotations: Record<string, string> = response.auditAnnotations ?? {};
    expect(Object.keys(annotations).length).toBeLessThanOrEqual(40);
    for (const key of Object.keys(annotations)) expect(key).toMatch(/^[A-Za-z0-9][\w.-]{0,61}[A-Za-z0-9]$/);
    expect((await app.http.get('/healthz')).status).toBe(200);
    expect(app.logged()).toHaveLength(1);
    expect(app.logged()[0]).not.toHaveProperty('err');
    answers.push(response);
  }
  const [mutated, validated] = answers;
  return { kind, mutated, validated };
}

describe('hostile objects get an answer', () => {
  it('a pod of strings where objects belong', async () => {
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: 'm', spec: 's' };
    const { mutated } = await survives('Pod', review('Pod', object));
    expect(mutated.allowed).toBe(true);
    expect(mutated).not.toHaveProperty('patch');
    expect(mutated.warnings).toEqual(
      expect.arrayContaining([expect.stringMatching(/^gravekeeper unjudgeable: \/(spec|metadata) /)]),
    );
  });

  it('containers and fields of the wrong type: the rest is judged', async () => {
    const odd = [
      'a string',
      null,
      7,
      [],
      { name: 5, image: {}, command: 'sh', args: [1], env: 'E', livenessProbe: [], lifecycle: 3 },
      { ...container, livenessProbe: { exec: { command: 'rabbitmqctl' }, periodSeconds: 'soon' } },
    ];
    const { mutated } = await survives('Pod', review('Pod', pod(odd)));
    expect(mutated.allowed).toBe(true);
    expect(mutated.warnings.join('\n')).toContain('/spec/containers/0');
  });

  it('owners that are no strings and cannot be turned into any', async () => {
    const metadata = {
      ownerReferences: [{ controller: true, kind: { toString: 1, valueOf: 1 }, name: { toString: 1 } }],
    };
    const { mutated } = await survives('Pod', review('Pod', { metadata, spec: { containers: [] } }));
    expect(mutated.allowed).toBe(true);
  });

  it.each(['..', '../pods', 'x'.repeat(2_000_000), 'a b', 'ä'])(
    'a namespace that is none: %.20s',
    async (namespace) => {
      const { mutated } = await survives('Pod', review('Pod', pod([container]), { namespace }));
      expect(mutated.warnings).toEqual([expect.stringContaining('/request/namespace')]);
    },
  );

  it('10,000 containers', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({
      ...container,
      name: `c${index}`,
      livenessProbe: deprecatedProbe,
    }));
    const { mutated, validated } = await survives('Pod', review('Pod', pod(many, { name: 'p' })));
    expect(mutated.allowed).toBe(true);
    expect(validated.allowed).toBe(false);
    expect(validated.status.message.length).toBeLessThan(4096);
    await survives('Deployment', review('Deployment', deployment(many)));
  });

  it('10,000 containers, each broken in a way of its own', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({ name: `c${index}`, command: index }));
    await survives('Pod', review('Pod', pod(many)));
  });

  it.each([
    ['in an unknown field', (deep: string) => `"metadata":{},"spec":{"containers":[],"x":${deep}}`],
    ['in a known field', (deep: string) => `"metadata":{"labels":${deep}},"spec":{"containers":${deep}}`],
    [
      'in a container that would be changed',
      (deep: string) =>
        `"metadata":{},"spec":{"containers":[{"name":"a","command":["python3","x"],"x":${deep}}]}`,
    ],
  ])('nesting 100,000 deep %s', async (_where, fields) => {
    const deep = `${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}`;
    const body = JSON.stringify(review('Pod', 'OBJECT')).replace('"OBJECT"', `{${fields(deep)}}`);
    const { mutated } = await survives('Pod', body);
    expect(mutated.allowed).toBe(true);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'the key %s in every place',
    async (key) => {
      const evil = `"${key}":{"metadata":{"labels":{"gravekeeper.dev/inject":"tini"}},"polluted":true}`;
      const object = `{${evil},"metadata":{${evil},"labels":{${evil},"${key}":"x"},"annotations":{"${key}":"x"}},
      "spec":{${evil},"containers":[{${evil},"name":"${key}","image":"${key}","command":["${key}","$(${key})"],
      "env":[{"name":"${key}","value":"v"}],"livenessProbe":{${evil},"exec":{"command":["${key}"]}}}],
      "nodeSelector":{"${key}":"x"}}}`;
      const body = JSON.stringify(review('Pod', 'OBJECT')).replace('"OBJECT"', object);
      await survives('Pod', body);
      expect(Object.prototype).not.toHaveProperty('polluted');
      expect({}).not.toHaveProperty('metadata');
    },
  );

  it('a review of prototype keys', async () => {
    const body = '{"__proto__":{"kind":"AdmissionReview"},"constructor":{"prototype":{"polluted":1}}}';
    expect((await start().post('/mutate', body)).status).toBe(400);
    expect({}).not.toHaveProperty('polluted');
  });

  it('annotations of nearly 256 KiB', async () => {
    const annotations = { fill: 'x'.repeat(256 * 1024 - 10) };
    const { mutated } = await survives('Pod', review('Pod', pod([container], { annotations })));
    expect(mutated.allowed).toBe(true);
  });

  it('annotations of ours that are huge', async () => {
    for (const key of ['argv', 'ignore', 'skip-containers', 'status']) {
      const annotations = { [`gravekeeper.dev/${key}`]: `x\u001b${',"{='.repeat(50_000)}` };
      await survives('Pod', review('Pod', pod([container], { annotations })));
    }
  });

  it.each(['nonsense', '', '\u001b[31mauto', 'AUTO', 'auto '])('the label %j', async (value) => {
    const metadata = { labels: { 'gravekeeper.dev/inject': value } };
    const { mutated } = await survives('Pod', review('Pod', pod([container], metadata)));
    expect(mutated).not.toHaveProperty('patch');
    expect(mutated.warnings).toEqual([expect.stringMatching(/^gravekeeper invalid-label: /)]);
  });

  it.each([
    '\u001b[2J\u001b[H',
    '<script>alert(1)</script>',
    'a\r\nWarning: 299 - forged',
    '../../etc',
    '🧟'.repeat(99),
  ])('a container named %j', async (name) => {
    const object = pod(
      [
        { ...container, name, livenessProbe: deprecatedProbe },
        { name, image: name },
      ],
      { name },
    );
    await survives('Pod', review('Pod', object, { name }));
    await survives('Deployment', review('Deployment', deployment(object.spec.containers)));
  });

  it.each([
    ['no containers', {}],
    ['containers that are an object', { containers: { length: 3 } }],
    ['an empty list', { containers: [], initContainers: [] }],
    ['null everywhere', { containers: null, initContainers: null, securityContext: null, volumes: null }],
  ])('a pod with %s', async (_what, spec) => {
    await survives('Pod', review('Pod', { metadata: {}, spec }));
  });

  it('any JSON in any place of a request', async () => {
    const app = start({ labels });
    const request = fc.record(
      {
        kind: fc.constantFrom('Pod', 'Deployment', 'CronJob', 'Namespace', 'PodTemplate'),
        operation: fc.constantFrom('CREATE', 'UPDATE', 'DELETE'),
        object: fc.oneof(fc.jsonValue(), fc.record({ metadata: fc.jsonValue(), spec: fc.jsonValue() })),
        oldObject: fc.jsonValue(),
        others: fc.dictionary(
          fc.constantFrom('name', 'namespace', 'userInfo', 'subResource', 'kind'),
          fc.jsonValue(),
        ),
      },
      { noNullPrototype: true },
    );
    await fc.assert(
      fc.asyncProperty(request, fc.constantFrom('/mutate', '/validate'), async (parts, path) => {
        const { kind, object, operation, oldObject, others } = parts;
        const { status, body } = await app.post(
          path,
          review(kind, object, { operation, oldObject, ...others }),
        );
        expect(status).toBe(200);
        expect(body.response).toMatchObject({ uid: expect.any(String), allowed: true });
      }),
      { numRuns: 200 },
    );
    for (const line of app.logged()) expect(line).not.toHaveProperty('err');
  });
});
