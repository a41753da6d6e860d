import fjp, { type Operation } from 'fast-json-patch';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import { container, ofReplicaSet, pod, review, start } from './harness.ts';

/** The operations of an answer's patch; null for none. */
function patchOf(response: { body: { response: { patch?: string } } }): Operation[] | null {
  const { patch } = response.body.response;
  return patch === undefined ? null : JSON.parse(Buffer.from(patch, 'base64').toString());
}

describe('/mutate', () => {
  it('answers with the uid it was asked with and a patch that applies', async () => {
    const app = start();
    const object = pod([container]);
    const response = await app.post('/mutate', review('Pod', object, { uid: 'a uid, opaque ☠' }));
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'a uid, opaque ☠', allowed: true, patchType: 'JSONPatch' },
    });
    const changed = fjp.applyPatch(object, patchOf(response) ?? [], true, false).newDocument;
    expect(changed.spec.containers[0]).toMatchObject({ args: ['python3', 'app.py'] });
    expect(response.body.response).not.toHaveProperty('warnings');
    expect(response.body.response.auditAnnotations).toMatchObject({
      'remedy.tini.argv-known': expect.any(String),
      'remedy.tini.argv-known.app': expect.any(String),
    });
    expect(await app.counted()).toEqual([
      'gravekeeper_admission_requests_total{webhook="mutate",outcome="patched"} 1',
      'gravekeeper_remedies_total{remedy="tini",reason="argv-known",dry_run="false"} 1',
    ]);
  });

  it('does under dry run nothing but say what it would have done', async () => {
    const app = start({ labels: { 'gravekeeper.dev/inject': 'auto', 'gravekeeper.dev/dry-run': 'true' } });
    const response = await app.post('/mutate', review('Pod', pod([container])));
    expect(patchOf(response)).toBeNull();
    expect(response.body.response).not.toHaveProperty('patchType');
    expect(response.body.response).toMatchObject({
      allowed: true,
      warnings: ['gravekeeper dry-run: app: would put tini in front of the command'],
      auditAnnotations: { 'dry-run': expect.any(String) },
    });
    expect(await app.counted()).toEqual([
      'gravekeeper_admission_requests_total{webhook="mutate",outcome="warned"} 1',
      'gravekeeper_remedies_total{remedy="tini",reason="argv-known",dry_run="true"} 1',
    ]);
  });

  it('patches in a server-side dry run, and does not count it as done', async () => {
    const app = start();
    const response = await app.post('/mutate', review('Pod', pod([container]), { dryRun: true }));
    expect(patchOf(response)).not.toBeNull();
    expect(await app.counted()).toContain(
      'gravekeeper_remedies_total{remedy="tini",reason="argv-known",dry_run="true"} 1',
    );
  });

  it('warns of what was skipped though asked for', async () => {
    const app = start();
    const { body } = await app.post('/mutate', review('Pod', pod([{ name: 'app', image: 'x' }])));
    expect(body.response.allowed).toBe(true);
    expect(body.response.warnings).toEqual([
      expect.stringMatching(/^gravekeeper argv-unknown: app: The command/),
    ]);
  });

  it('is silent about what asks nothing of the author', async () => {
    for (const object of [
      pod([{ name: 'app', image: 'x', command: ['tini', '--', 'python3', 'app.py'] }]),
      pod([{ name: 'app', image: 'x', command: ['nginx', '-g', 'daemon off;'] }]),
      pod([container], { ...ofReplicaSet, labels: { 'gravekeeper.dev/inject': 'none' } }),
    ]) {
      const { body } = await start().post('/mutate', review('Pod', object));
      expect(body.response).not.toHaveProperty('warnings');
      expect(body.response).not.toHaveProperty('patch');
      expect(body.response.auditAnnotations).toBeDefined();
    }
  });

  it('warns of labels and annotations that it does not understand', async () => {
    const metadata = { ...ofReplicaSet, annotations: { 'gravekeeper.dev/argv': 'app=x' } };
    const labels = { 'gravekeeper.dev/inject': 'auto', 'gravekeeper.dev/dry-run': 'ture' };
    const { body } = await start({ labels }).post('/mutate', review('Pod', pod([container], metadata)));
    expect(body.response).not.toHaveProperty('patch');
    expect(body.response.warnings).toEqual([
      'gravekeeper dry-run: app: would put tini in front of the command',
      expect.stringMatching(/^gravekeeper invalid-label: gravekeeper\.dev\/dry-run="ture"/),
      expect.stringMatching(
        /^gravekeeper malformed-annotation: gravekeeper\.dev\/argv: expected a JSON object/,
      ),
    ]);
  });

  it.each([
    ['an UPDATE', 'Pod', { operation: 'UPDATE' }],
    ['a DELETE', 'Pod', { operation: 'DELETE', object: null }],
    ['a subresource', 'Pod', { subResource: 'ephemeralcontainers' }],
    ['a Deployment', 'Deployment', {}],
    ['a Pod of another group', 'Pod', { kind: { group: 'acme.example', version: 'v1', kind: 'Pod' } }],
    ['an unknown kind', 'Grave', { kind: { group: 'acme.example', version: 'v1', kind: '__proto__' } }],
  ])('admits %s unjudged', async (_what, kind, request) => {
    const app = start();
    const { status, body } = await app.post('/mutate', review(kind, pod([container]), request));
    expect(status).toBe(200);
    expect(body.response).toEqual({ uid: expect.any(String), allowed: true });
    expect(await app.counted()).toEqual([
      'gravekeeper_admission_requests_total{webhook="mutate",outcome="ignored"} 1',
    ]);
  });

  it('believes a mirror annotation of a node alone', async () => {
    const mirror = pod([container], { annotations: { 'kubernetes.io/config.mirror': 'hash' } });
    const ofNode = await start().post(
      '/mutate',
      review('Pod', mirror, { userInfo: { groups: ['system:nodes'] } }),
    );
    expect(ofNode.body.response.auditAnnotations).toHaveProperty('remedy.none.mirror-pod');
    const ofAnyone = await start().post('/mutate', review('Pod', mirror));
    expect(ofAnyone.body.response.auditAnnotations).not.toHaveProperty('remedy.none.mirror-pod');
  });

  it('goes by the namespace of the request, not by that of the object', async () => {
    const object = pod([container], { ...ofReplicaSet, namespace: 'kube-system' });
    expect(patchOf(await start().post('/mutate', review('Pod', object)))).not.toBeNull();
    const exempt = review('Pod', pod([container], { ...ofReplicaSet, namespace: 'shop' }), {
      namespace: 'kube-system',
    });
    expect(patchOf(await start().post('/mutate', exempt))).toBeNull();
  });

  it('asks for entrypoints only where they matter, and goes by the answer', async () => {
    const asked: unknown[] = [];
    const tools = {
      answer: async (questions: unknown) => {
        asked.push(questions);
        return new Map([['app', { entrypoint: ['/entry'], cmd: ['serve'] }]]);
      },
    };
    const known = start({ tools });
    await known.post('/mutate', review('Pod', pod([container])));
    expect(asked).toEqual([]);
    const response = await known.post('/mutate', review('Pod', pod([{ name: 'app', image: 'shop/app' }])));
    expect(asked).toEqual([[{ container: 'app', image: 'shop/app' }]]);
    expect(response.body.response.auditAnnotations).toHaveProperty(['remedy.tini.argv-known.app']);
  });

  it('judges without an answer where looking up fails', async () => {
    const app = start({ tools: { answer: () => Promise.reject(new Error('registry is down')) } });
    const { body } = await app.post('/mutate', review('Pod', pod([{ name: 'app', image: 'x' }])));
    expect(body.response.auditAnnotations).toHaveProperty(['remedy.none.argv-unknown.app']);
    expect(app.logged()[0]).toMatchObject({ level: 'warn', err: { message: 'registry is down' } });
  });

  it('reads the namespace again where the entry contradicts the cached labels', async () => {
    const asked: string[] = [];
    const namespaces = {
      labelsOf: () => new Map<string, string>(),
      refreshNamespace: async (name: string) => {
        asked.push(name);
        return new Map([['gravekeeper.dev/inject', 'auto']]);
      },
    };
    const app = start({ tools: { namespaces } });
    const body = review('Pod', pod([container]));
    expect(patchOf(await app.post('/mutate', body))).toBeNull();
    expect(asked).toEqual([]);
    expect(patchOf(await app.post('/mutate/namespace-inject', body))).not.toBeNull();
    expect(asked).toEqual(['shop']);
    expect(app.logged().at(-1)).toMatchObject({ entry: 'namespace-inject', outcome: 'patched' });
  });

  it('leaves the pod of a forbidden opt-in alone and says so', async () => {
    const config = { ...defaultConfig, allowPodOptIn: false };
    const asking = pod([container], { ...ofReplicaSet, labels: { 'gravekeeper.dev/inject': 'auto' } });
    const { body } = await start({ config, labels: {} }).post('/mutate', review('Pod', asking));
    expect(body.response.warnings).toEqual([expect.stringMatching(/^gravekeeper pod-opt-in-forbidden: /)]);
    expect(body.response).not.toHaveProperty('patch');
  });
});

describe('what cannot be judged', () => {
  it('is admitted, with a warning and a metric, and its error goes to the log alone', async () => {
    const app = start({
      tools: {
        policyOf: () => {
          throw new Error('a secret of the policy');
        },
      },
    });
    for (const path of ['/mutate', '/validate']) {
      const response = await app.post(path, review('Pod', pod([container])));
      expect(response.status).toBe(200);
      expect(response.body.response).toEqual({
        uid: expect.any(String),
        allowed: true,
        warnings: [expect.stringMatching(/^gravekeeper unjudgeable: /)],
        auditAnnotations: { 'remedy.none.unjudgeable': expect.any(String) },
      });
      expect(response.text).not.toContain('secret');
    }
    expect(app.logged()[0]).toMatchObject({
      level: 'error',
      outcome: 'unjudgeable',
      err: { message: 'a secret of the policy', stack: expect.stringContaining('mutate.test') },
    });
    expect(await app.counted()).toEqual([
      'gravekeeper_admission_requests_total{webhook="mutate",outcome="unjudgeable"} 1',
      'gravekeeper_admission_requests_total{webhook="validate",outcome="unjudgeable"} 1',
    ]);
  });

  it.each([
    ['no namespace', { namespace: undefined }, '/request/namespace is missing'],
    ['a namespace of the wrong type', { namespace: 7 }, '/request/namespace cannot be read'],
    ['no kind', { kind: null }, '/request/kind cannot be read'],
    ['no operation', { operation: {} }, '/request/operation cannot be read'],
    ['no object', { object: undefined }, '/request/object is not an object'],
    ['an object that is a string', { object: 'pod' }, '/request/object is not an object'],
    ['an object that is a list', { object: [] }, '/request/object is not an object'],
  ])('is admitted with a warning: %s', async (_what, request, text) => {
    for (const path of ['/mutate', '/validate']) {
      const app = start();
      const { status, body } = await app.post(path, review('Pod', pod([container]), request));
      expect(status).toBe(200);
      expect(body.response.allowed).toBe(true);
      expect(body.response.warnings).toEqual([
        `gravekeeper unjudgeable: ${text}; the object was admitted unjudged`,
      ]);
      expect(app.logged()).toMatchObject([{ level: 'warn', outcome: 'unjudgeable' }]);
    }
  });
});

describe('the log', () => {
  it('has one line per review, with generateName and owner while there is no name', async () => {
    const app = start();
    await app.post('/mutate', review('Pod', pod([container])));
    expect(app.logged()).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        msg: 'reviewed',
        uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
        webhook: 'mutate',
        entry: null,
        operation: 'CREATE',
        kind: 'Pod',
        namespace: 'shop',
        generateName: 'web-6d5f-',
        owner: 'ReplicaSet/web-6d5f',
        outcome: 'patched',
        remedy: 'tini',
        reason: 'argv-known',
        findings: 0,
        dryRun: false,
        durationMs: expect.any(Number),
      },
    ]);
  });

  it('makes hostile names harmless and cuts them', async () => {
    const app = start();
    const evil = `\u001b[2J\n{"level":"info"}\u009b${'x'.repeat(100_000)}`;
    const owner = { apiVersion: 'v1', kind: { a: 1 }, name: evil, controller: true };
    const object = pod([container], { generateName: evil, ownerReferences: [owner, 'x', null] });
    await app.post('/mutate', review('Pod', object, { uid: evil, operation: 'CREATE' }));
    await app.post('/mutate', review(evil, object, { name: evil, operation: evil }));
    for (const line of app.logged()) {
      for (const value of Object.values(line)) {
        expect(String(value)).toMatch(/^[\x20-\x7e]{0,253}$/);
      }
    }
    expect(app.logged()).toHaveLength(2);
  });
});
