import { describe, expect, it } from 'vitest';
import {
  container,
  costlyProbe,
  deployment,
  deprecatedProbe,
  ofReplicaSet,
  pod,
  review,
  start,
} from './harness.ts';

const deny = { 'gravekeeper.dev/probes': 'deny' };
const warn = { 'gravekeeper.dev/probes': 'warn' };
const dryRun = { 'gravekeeper.dev/dry-run': 'true' };
/** Severity error under deny: its PID 1 is not known to reap. */
const bad = { ...container, livenessProbe: deprecatedProbe };
const costly = { ...container, livenessProbe: costlyProbe };

/** Sends a review to /validate and returns the response inside. */
async function validate(app: ReturnType<typeof start>, body: object) {
  const response = await app.post('/validate', body);
  expect(response.status).toBe(200);
  return response.body.response;
}

/** An UPDATE of a Deployment from one list of containers to another. */
function update(
  from: readonly unknown[],
  to: readonly unknown[],
  metadata: object = {},
  request: object = {},
) {
  return review('Deployment', deployment(to, metadata), {
    operation: 'UPDATE',
    oldObject: deployment(from, metadata),
    ...request,
  });
}

describe('findings of a Pod', () => {
  it('are warnings under warn, of severity warning and error', async () => {
    const app = start({ labels: warn });
    const both = { ...bad, readinessProbe: costlyProbe };
    const response = await validate(app, review('Pod', pod([both])));
    expect(response.allowed).toBe(true);
    expect(response.warnings).toEqual([
      expect.stringMatching(/^gravekeeper rabbitmq-node-health-check: app: /),
      expect.stringMatching(/^gravekeeper erlang-cli: app: /),
    ]);
    expect(Object.keys(response.auditAnnotations)).toEqual([
      'finding.rabbitmq-node-health-check.liveness.app',
      'finding.erlang-cli.readiness.app',
    ]);
    expect(await app.counted()).toEqual([
      'gravekeeper_admission_requests_total{webhook="validate",outcome="warned"} 1',
      'gravekeeper_findings_total{rule="rabbitmq-node-health-check",severity="error"} 1',
      'gravekeeper_findings_total{rule="erlang-cli",severity="warning"} 1',
    ]);
  });

  it.each([[{}], [{ 'gravekeeper.dev/probes': 'ignore' }], [{ 'gravekeeper.dev/inject': 'none' }]])(
    'are neither said nor counted under %j',
    async (labels) => {
      const app = start({ labels });
      expect(await validate(app, review('Pod', pod([bad])))).toEqual({
        uid: expect.any(String),
        allowed: true,
      });
      expect(await app.counted()).toEqual([
        'gravekeeper_admission_requests_total{webhook="validate",outcome="unchanged"} 1',
      ]);
    },
  );

  it('are counted, but not shown, where they are infos', async () => {
    const app = start({ labels: warn });
    const script = { ...container, livenessProbe: { exec: { command: ['/check.sh'] } } };
    expect(await validate(app, review('Pod', pod([script])))).toEqual({
      uid: expect.any(String),
      allowed: true,
    });
    expect(await app.counted()).toContain(
      'gravekeeper_findings_total{rule="shell-script",severity="info"} 1',
    );
  });

  it('are about the pod as it is: mutation is over', async () => {
    const labels = { 'gravekeeper.dev/inject': 'auto', ...deny };
    const bare = pod([bad], { name: 'p' });
    expect((await validate(start({ labels }), review('Pod', bare))).allowed).toBe(false);
    const shared = pod([bad], { name: 'p' }, { shareProcessNamespace: true });
    expect((await validate(start({ labels }), review('Pod', shared))).allowed).toBe(true);
  });

  it.each([
    ['an UPDATE', { operation: 'UPDATE', oldObject: pod([container], { name: 'p' }) }],
    ['a DELETE', { operation: 'DELETE', object: null }],
    ['a subresource', { subResource: 'eviction' }],
  ])('are not looked for on %s', async (_what, request) => {
    const response = await validate(
      start({ labels: deny }),
      review('Pod', pod([bad], { name: 'p' }), request),
    );
    expect(response).toEqual({ uid: expect.any(String), allowed: true });
  });

  it('are not looked for in a mirror pod that a node reports', async () => {
    const mirror = pod([bad], { name: 'p', annotations: { 'kubernetes.io/config.mirror': 'hash' } });
    const ofNode = review('Pod', mirror, { userInfo: { groups: ['system:nodes'] } });
    expect(await validate(start({ labels: deny }), ofNode)).toEqual({
      uid: expect.any(String),
      allowed: true,
    });
    expect((await validate(start({ labels: deny }), review('Pod', mirror))).allowed).toBe(false);
  });

  it('leave the remedy to /mutate', async () => {
    const app = start({ labels: { 'gravekeeper.dev/inject': 'auto', ...dryRun } });
    const response = await validate(app, review('Pod', pod([container, { name: 'log', image: 'x' }])));
    expect(response).not.toHaveProperty('warnings');
  });

  it('leave labels and annotations to /mutate, where that is called', async () => {
    const noted = pod([container], {
      ...ofReplicaSet,
      annotations: { 'gravekeeper.dev/ignore': 'nonsense' },
    });
    const injected = start({ labels: { 'gravekeeper.dev/inject': 'auto' } });
    expect(await validate(injected, review('Pod', noted))).not.toHaveProperty('warnings');
    const probesOnly = start({ labels: warn });
    expect((await validate(probesOnly, review('Pod', noted))).warnings).toEqual([
      expect.stringMatching(/^gravekeeper malformed-annotation: /),
    ]);
  });
});

describe('deny', () => {
  it('refuses a bare Pod for a finding of severity error', async () => {
    const app = start({ labels: deny });
    const response = await validate(app, review('Pod', pod([bad], { name: 'p' })));
    expect(response).toMatchObject({
      allowed: false,
      status: { code: 403, reason: 'Forbidden', message: expect.any(String) },
      auditAnnotations: {
        'refused.rabbitmq-node-health-check.liveness.app': 'docs/rules/rabbitmq-node-health-check.md',
      },
    });
    const { message } = response.status;
    for (const part of [
      'container app',
      'liveness',
      'Instead: ',
      'docs/rules/rabbitmq-node-health-check.md',
    ]) {
      expect(message).toContain(part);
    }
    expect(response).not.toHaveProperty('warnings');
    expect(app.logged()).toMatchObject([{ outcome: 'denied', findings: 1 }]);
    expect(await app.counted()).toContain(
      'gravekeeper_denials_total{rule="rabbitmq-node-health-check",outcome="refused"} 1',
    );
  });

  it('warns of what it does not refuse for', async () => {
    const response = await validate(
      start({ labels: deny }),
      review('Pod', pod([{ ...bad, readinessProbe: costlyProbe }], { name: 'p' })),
    );
    expect(response.allowed).toBe(false);
    expect(response.warnings).toEqual([expect.stringMatching(/^gravekeeper erlang-cli: /)]);
  });

  it('admits a finding of severity warning', async () => {
    const response = await validate(start({ labels: deny }), review('Pod', pod([costly], { name: 'p' })));
    expect(response.allowed).toBe(true);
    expect(response.warnings).toHaveLength(1);
  });

  it('warns of and counts, but never refuses, what a controller owns', async () => {
    const owned = {
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', controller: true }],
    };
    const replicaSet = { ...deployment([bad], owned), kind: 'ReplicaSet' };
    for (const body of [review('Pod', pod([bad], ofReplicaSet)), review('ReplicaSet', replicaSet)]) {
      const app = start({ labels: deny });
      const response = await validate(app, body);
      expect(response.allowed).toBe(true);
      expect(response.warnings).toEqual([expect.stringMatching(/^gravekeeper rabbitmq-node-health-check: /)]);
      expect(await app.counted()).toContain(
        'gravekeeper_denials_total{rule="rabbitmq-node-health-check",outcome="spared-controlled"} 1',
      );
    }
  });

  it('takes an owner that is no controller for none', async () => {
    const owned = { name: 'p', ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n' }, null, 'x'] };
    expect((await validate(start({ labels: deny }), review('Pod', pod([bad], owned)))).allowed).toBe(false);
  });

  it('refuses a new template', async () => {
    const response = await validate(start({ labels: deny }), review('Deployment', deployment([bad])));
    expect(response.allowed).toBe(false);
  });

  it('refuses nothing under dry run, and says what it would have', async () => {
    for (const body of [review('Pod', pod([bad], { name: 'p' })), review('Deployment', deployment([bad]))]) {
      const app = start({ labels: { ...deny, ...dryRun } });
      const response = await validate(app, body);
      expect(response.allowed).toBe(true);
      expect(response.warnings).toEqual([
        'gravekeeper dry-run: app: would be refused for rabbitmq-node-health-check',
        expect.stringMatching(/^gravekeeper rabbitmq-node-health-check: app: /),
      ]);
      expect(response.auditAnnotations).toHaveProperty([
        'would-refuse.rabbitmq-node-health-check.liveness.app',
      ]);
      expect(await app.counted()).toContain(
        'gravekeeper_denials_total{rule="rabbitmq-node-health-check",outcome="dry-run"} 1',
      );
    }
  });

  it('honours the annotation that keeps a probe', async () => {
    const annotations = {
      'gravekeeper.dev/ignore': 'rabbitmq-node-health-check=replaced with the next release',
    };
    const response = await validate(
      start({ labels: deny }),
      review('Deployment', deployment([bad], {}, { annotations })),
    );
    expect(response).toMatchObject({ allowed: true });
    expect(response).not.toHaveProperty('warnings');
  });
});

describe('deny on UPDATE', () => {
  it('refuses a finding that the template did not have', async () => {
    expect((await validate(start({ labels: deny }), update([container], [bad]))).allowed).toBe(false);
  });

  it('spares a finding that it had, and warns of it', async () => {
    const app = start({ labels: deny });
    const response = await validate(app, update([bad], [{ ...bad, image: 'shop/app:2' }]));
    expect(response.allowed).toBe(true);
    expect(response.warnings).toHaveLength(1);
    expect(await app.counted()).toContain(
      'gravekeeper_denials_total{rule="rabbitmq-node-health-check",outcome="spared-existing"} 1',
    );
  });

  it('takes a finding on another probe or container for a new one', async () => {
    const moved = { ...container, readinessProbe: deprecatedProbe };
    expect((await validate(start({ labels: deny }), update([bad], [moved]))).allowed).toBe(false);
    expect((await validate(start({ labels: deny }), update([bad], [{ ...bad, name: 'b' }]))).allowed).toBe(
      false,
    );
  });

  it('does not take a rise in severity for a new finding', async () => {
    const reaped = { ...bad, command: ['nginx'] };
    const app = start({ labels: deny });
    expect((await validate(app, update([reaped], [bad]))).allowed).toBe(true);
    expect(await app.counted()).toContain(
      'gravekeeper_findings_total{rule="rabbitmq-node-health-check",severity="error"} 1',
    );
  });

  it('does not take a finding for new because an annotation ignored it before', async () => {
    const annotations = { 'gravekeeper.dev/ignore': 'rabbitmq-node-health-check=for now' };
    const body = review('Deployment', deployment([bad]), {
      operation: 'UPDATE',
      oldObject: deployment([bad], {}, { annotations }),
    });
    expect((await validate(start({ labels: deny }), body)).allowed).toBe(true);
  });

  it('lets everything pass that leaves the template alone', async () => {
    const app = start({ labels: deny });
    const scaled = { ...deployment([bad]), spec: { ...deployment([bad]).spec, replicas: 7 } };
    const body = review('Deployment', scaled, { operation: 'UPDATE', oldObject: deployment([bad]) });
    expect(await validate(app, body)).toEqual({ uid: expect.any(String), allowed: true });
    expect(await app.counted()).toEqual([
      'gravekeeper_admission_requests_total{webhook="validate",outcome="ignored"} 1',
    ]);
  });

  it('lets everything pass while the object is being deleted', async () => {
    const metadata = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [] };
    const response = await validate(start({ labels: deny }), update([container], [bad], metadata));
    expect(response).toEqual({ uid: expect.any(String), allowed: true });
  });

  const unreadable: [string, unknown][] = [
    ['is missing', undefined],
    ['is no object', 'old'],
    ['has no template', { metadata: {}, spec: {} }],
    ['has a template with a broken field', deployment([{ ...container, livenessProbe: 'x' }])],
    ['has a template with a broken list', deployment('containers' as unknown as unknown[])],
  ];
  it.each(unreadable)('refuses nothing where the object before %s', async (_what, oldObject) => {
    const app = start({ labels: deny });
    const response = await validate(app, update([], [bad], {}, { oldObject }));
    expect(response.allowed).toBe(true);
    expect(response.warnings.length).toBeGreaterThan(0);
    expect(await app.counted()).toContain(
      'gravekeeper_denials_total{rule="rabbitmq-node-health-check",outcome="spared-unknown"} 1',
    );
  });
});

describe('templates', () => {
  it('are judged with the remedy that their pods will have', async () => {
    const injecting = start({ labels: { 'gravekeeper.dev/inject': 'auto', ...deny } });
    const response = await validate(injecting, review('Deployment', deployment([bad])));
    expect(response.allowed).toBe(true);
    expect(response.warnings).toEqual([
      expect.stringMatching(/^gravekeeper rabbitmq-node-health-check: app: /),
    ]);
    expect(response).not.toHaveProperty('patch');
    expect(response.auditAnnotations).toHaveProperty(['remedy.tini.argv-known.app']);
  });

  it('are judged as they are under dry run, when their pods get no remedy', async () => {
    const labels = { 'gravekeeper.dev/inject': 'auto', ...deny, ...dryRun };
    const response = await validate(start({ labels }), review('Deployment', deployment([bad])));
    expect(response.warnings).toEqual([
      'gravekeeper dry-run: app: would be refused for rabbitmq-node-health-check',
      expect.stringMatching(/^gravekeeper rabbitmq-node-health-check: app: /),
      'gravekeeper dry-run: app: would put tini in front of the command',
    ]);
  });

  it('are warned about the remedy too, since the pods of a controller warn nobody', async () => {
    const labels = { 'gravekeeper.dev/inject': 'auto', 'gravekeeper.dev/dry-run': 'maybe' };
    const response = await validate(
      start({ labels }),
      review('Deployment', deployment([container, { name: 'log', image: 'x' }])),
    );
    expect(response.warnings).toEqual([
      'gravekeeper dry-run: app: would put tini in front of the command',
      expect.stringMatching(/^gravekeeper argv-unknown: log: /),
      expect.stringMatching(/^gravekeeper invalid-label: /),
    ]);
  });

  it('do not count as pods that got a remedy', async () => {
    const app = start();
    await validate(app, review('Deployment', deployment([container])));
    expect(await app.counted()).toEqual([
      'gravekeeper_admission_requests_total{webhook="validate",outcome="unchanged"} 1',
    ]);
  });

  it.each(['ReplicaSet', 'StatefulSet', 'DaemonSet', 'ReplicationController', 'Job'])(
    'are found in a %s',
    async (kind) => {
      const response = await validate(start({ labels: deny }), review(kind, { ...deployment([bad]), kind }));
      expect(response.allowed).toBe(false);
    },
  );

  it('are found in a CronJob and a PodTemplate', async () => {
    const { spec } = deployment([bad]);
    const cronJob = { metadata: {}, spec: { schedule: '@daily', jobTemplate: { spec } } };
    expect((await validate(start({ labels: deny }), review('CronJob', cronJob))).allowed).toBe(false);
    const podTemplate = { metadata: {}, template: spec.template };
    expect((await validate(start({ labels: deny }), review('PodTemplate', podTemplate))).allowed).toBe(false);
  });

  it.each(['DELETE', 'CONNECT'])('are not judged on %s', async (operation) => {
    const body = review('Deployment', deployment([bad]), { operation });
    expect(await validate(start({ labels: deny }), body)).toEqual({ uid: expect.any(String), allowed: true });
  });

  it('of other groups are none', async () => {
    const body = review('Deployment', deployment([bad]), {
      kind: { group: 'acme.example', kind: 'Deployment' },
    });
    expect(await validate(start({ labels: deny }), body)).toEqual({ uid: expect.any(String), allowed: true });
  });
});

describe('Namespaces', () => {
  const namespace = (labels: object) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'n', labels },
  });

  it('are admitted, with a warning for each label value that is not known', async () => {
    const labels = {
      'gravekeeper.dev/inject': 'atuo',
      'gravekeeper.dev/probes': 'refuse',
      'gravekeeper.dev/dry-run': 'yes',
      team: 'shop',
    };
    const response = await validate(start(), review('Namespace', namespace(labels), { namespace: 'n' }));
    expect(response.allowed).toBe(true);
    expect(response.warnings).toEqual([
      expect.stringContaining('gravekeeper invalid-label: gravekeeper.dev/inject="atuo"'),
      expect.stringContaining('gravekeeper invalid-label: gravekeeper.dev/probes="refuse"'),
      expect.stringContaining('gravekeeper invalid-label: gravekeeper.dev/dry-run="yes"'),
    ]);
  });

  it('get no warning for values that are known', async () => {
    const response = await validate(
      start(),
      review('Namespace', namespace({ 'gravekeeper.dev/inject': 'tini' })),
    );
    expect(response).not.toHaveProperty('warnings');
  });

  it('are looked at on UPDATE only if a label of ours changed', async () => {
    const was = { 'gravekeeper.dev/inject': 'atuo' };
    const changed = (labels: object) =>
      review('Namespace', namespace(labels), { operation: 'UPDATE', oldObject: namespace(was) });
    expect(await validate(start(), changed({ ...was, team: 'shop' }))).not.toHaveProperty('warnings');
    expect((await validate(start(), changed({ 'gravekeeper.dev/inject': 'auot' }))).warnings).toHaveLength(1);
    expect(await validate(start(), changed({}))).not.toHaveProperty('warnings');
  });

  it.each(['x', [1], { 'gravekeeper.dev/inject': { a: 1 } }])(
    'are admitted with labels %j',
    async (labels) => {
      const response = await validate(start(), review('Namespace', { metadata: { name: 'n', labels } }));
      expect(response.allowed).toBe(true);
      expect(response.warnings).toEqual([
        expect.stringMatching(/^gravekeeper unjudgeable: the labels of .* unjudged$/),
      ]);
    },
  );

  it('are admitted on DELETE', async () => {
    const body = review('Namespace', null, { operation: 'DELETE' });
    expect(await validate(start(), body)).toEqual({ uid: expect.any(String), allowed: true });
  });
});
