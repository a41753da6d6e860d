// The audit writes reports into the cluster: real ones, as the CRDs of others define them, and only where something
// changed.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { V1Job, V1Namespace, V1ResourceQuota } from '@kubernetes/client-node';
import { type ReportsApi, reportsApis } from '../../../src/audit/formats/openreports.ts';
import { create, get, type KubeObject, list, patch, remove } from '../kit/api.ts';
import { kubectl, tryKubectl } from '../kit/kubectl.ts';
import { namespace } from '../kit/namespaces.ts';
import { notOurs } from '../kit/own.ts';
import { container, podSpec, sleeping, workload } from '../kit/pods.ts';
import { tryGravekeeper } from '../kit/product.ts';
import { ownNamespace } from '../kit/webhook.ts';
import { eventually } from '../wait.ts';

const crds = {
  openreports: 'openreports.io_reports.yaml',
  wgpolicyk8s: 'wgpolicyk8s.io_policyreports.yaml',
} as const;
const crdFile = (api: ReportsApi) => join(import.meta.dirname, '../crds', crds[api]);
const resourceOf = (api: ReportsApi) =>
  `${reportsApis[api].plural}.${reportsApis[api].apiVersion.split('/')[0]}`;

interface Report extends KubeObject {
  readonly metadata: NonNullable<KubeObject['metadata']> & {
    readonly resourceVersion: string;
    readonly managedFields: readonly { readonly manager: string; readonly operation: string }[];
  };
  readonly summary: Readonly<Record<string, number>>;
  readonly results: readonly Readonly<Record<string, unknown>>[];
}

/** The report on a namespace, as kubectl has it; null where there is none. */
async function reportOn(api: ReportsApi, name: string): Promise<Report | null> {
  const words = ['-n', name, 'get', resourceOf(api), 'gravekeeper', '-o', 'json', '--show-managed-fields'];
  const { status, stdout, stderr } = await tryKubectl(words);
  if (status === 0) return JSON.parse(stdout);
  assert.match(stderr, /not found/);
  return null;
}

/** Audits and writes reports, with findings that are no failure. */
function tryAudit(api: ReportsApi, ...words: readonly string[]): ReturnType<typeof tryGravekeeper> {
  return tryGravekeeper('audit', '--cluster', '--report', api, '--fail-on', 'never', ...words);
}

/** Audits, and answers the line that tells of the reports. */
async function audit(api: ReportsApi, ...words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await tryAudit(api, ...words);
  assert.equal(status, 0, stderr + stdout);
  return stderr.trim();
}

const probe = {
  exec: { command: ['rabbitmqctl', 'node_health_check'] },
  periodSeconds: 10,
  timeoutSeconds: 10,
};
const leaking = (name: string, kind: 'Deployment' | 'StatefulSet' = 'Deployment') =>
  workload(kind, name, 'queue', podSpec([container(sleeping, { livenessProbe: probe })]), { replicas: 0 });

describe('a cluster without their CustomResourceDefinition', { skip: notOurs }, () => {
  it('hears what to install, before anything is read', async () => {
    const { status, stdout, stderr } = await tryGravekeeper('audit', '--cluster', '--report', 'openreports');
    assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
    assert.match(
      stderr,
      /no Report of openreports\.io\/v1alpha1: install its CustomResourceDefinition from https:/,
    );
  });
});

for (const api of ['openreports', 'wgpolicyk8s'] as const) {
  describe(`reports of ${api}`, () => {
    let name: string;
    before(async () => {
      await kubectl(['apply', '-f', crdFile(api)]);
      await kubectl(['wait', '--for=condition=Established', '-f', crdFile(api)]);
      name = await namespace();
      await create(leaking(name));
    });
    after(() => kubectl(['delete', '-f', crdFile(api)]));

    it('are written by server-side apply, with what was found', async () => {
      assert.equal(await audit(api, '-n', name), '1 report written, 0 unchanged, 0 deleted');
      const report = await reportOn(api, name);
      assert.deepEqual(report?.summary, { pass: 0, fail: 1, warn: 0, error: 0, skip: 0 });
      assert.partialDeepStrictEqual(report?.results, [
        {
          policy: 'gravekeeper-probes',
          rule: 'rabbitmq-node-health-check',
          result: 'fail',
          severity: 'high',
          resources: [{ apiVersion: 'apps/v1', kind: 'Deployment', namespace: name, name: 'queue' }],
          properties: { container: 'app', probe: 'liveness' },
        },
      ]);
      assert.partialDeepStrictEqual(report?.metadata.managedFields, [
        { manager: 'gravekeeper', operation: 'Apply' },
      ]);
    });

    it('are left as they are when the same is found again', async () => {
      const first = await reportOn(api, name);
      assert.equal(await audit(api, '-n', name), '0 reports written, 1 unchanged, 0 deleted');
      assert.equal((await reportOn(api, name))?.metadata.resourceVersion, first?.metadata.resourceVersion);
    });

    it('change with what they are about', async () => {
      const containers = [{ name: 'app', image: 'x', livenessProbe: { tcpSocket: { port: 5672 } } }];
      await patch('Deployment', 'queue', name, { spec: { template: { spec: { containers } } } });
      assert.equal(await audit(api, '-n', name), '1 report written, 0 unchanged, 0 deleted');
      const report = await reportOn(api, name);
      assert.deepEqual([report?.summary.pass, report?.summary.fail, report?.results], [1, 0, []]);
    });

    it('go when there is nothing left to report on', async () => {
      await remove('Deployment', 'queue', name);
      assert.equal(await audit(api, '-n', name), '0 reports written, 0 unchanged, 1 deleted');
      assert.equal(await reportOn(api, name), null);
    });

    it('are on each namespace of the cluster but the exempt ones, and none is written twice', async () => {
      await create(leaking(name, 'StatefulSet'));
      await eventually('what other tests made to be gone', async () =>
        (await list<V1Namespace>('Namespace')).every(({ metadata }) => !metadata?.deletionTimestamp),
      );
      assert.match(await audit(api), /^\d+ reports? written, 0 unchanged, 0 deleted$/);
      assert.equal((await reportOn(api, name))?.summary.fail, 1);
      for (const exempt of ['kube-system', ownNamespace]) assert.equal(await reportOn(api, exempt), null);
      assert.match(await audit(api), /^0 reports written, \d+ unchanged, 0 deleted$/);
    });

    it('of somebody else are neither changed nor deleted, and the others are written', async () => {
      const taken = await namespace();
      await create(leaking(taken));
      const { apiVersion, kind } = reportsApis[api];
      const theirs = {
        apiVersion,
        kind,
        metadata: { name: 'gravekeeper', namespace: taken },
        summary: { pass: 7 },
      };
      await kubectl(['create', '-f', '-'], JSON.stringify(theirs));
      const before = await reportOn(api, taken);
      const { status, stdout, stderr } = await tryAudit(api, '-o', 'json');
      assert.equal(status, 0, stderr);
      assert.match(stderr, /^0 reports written, \d+ unchanged, 0 deleted, 1 skipped$/m);
      assert.match(
        stderr,
        new RegExp(
          `^the report on ${taken} is skipped, since somebody else's has its name: HTTP 409: .*conflict`,
          'm',
        ),
      );
      assert.deepEqual(JSON.parse(stdout).problems, []);
      assert.deepEqual(await reportOn(api, taken), before);
      await remove('Deployment', 'queue', taken);
      await audit(api, '-n', taken);
      assert.deepEqual(await reportOn(api, taken), before);
    });
  });
}

describe('reports at their limits', () => {
  before(async () => {
    await kubectl(['apply', '-f', crdFile('openreports')]);
    await kubectl(['wait', '--for=condition=Established', '-f', crdFile('openreports')]);
  });
  after(() => kubectl(['delete', '-f', crdFile('openreports')]));

  it('hold a thousand results and say how many more there are', async () => {
    const name = await namespace();
    const containers = Array.from({ length: 100 }, (_, index) => ({
      ...container(sleeping, { livenessProbe: probe }),
      name: `${'a-long-name-for-a-container-that-somebody-has-chosen-'.slice(0, 50)}-${index}`,
    }));
    for (let index = 0; index < 11; index += 1) {
      await create(workload('Deployment', name, `queue-${index}`, podSpec(containers), { replicas: 0 }));
    }
    await audit('openreports', '-n', name);
    const report = await reportOn('openreports', name);
    assert.equal(report?.summary.fail, 1100);
    assert.equal(report?.results.length, 1000);
    assert.deepEqual(report?.results.at(-1)?.properties, { leftOut: '101' });
    assert.equal(await audit('openreports', '-n', name), '0 reports written, 1 unchanged, 0 deleted');
  });

  it('are written where there is room for them, and named where a quota refuses them', async () => {
    const [full, roomy] = [await namespace(), await namespace()];
    for (const name of [full, roomy]) await create(leaking(name));
    const hard = { 'count/reports.openreports.io': '0' };
    const quota = { kind: 'ResourceQuota', metadata: { name: 'none', namespace: full }, spec: { hard } };
    await create<V1ResourceQuota>({ apiVersion: 'v1', ...quota });
    try {
      const { status, stderr } = await tryAudit('openreports');
      assert.equal(status, 2, stderr);
      // Until the quota is counted it refuses as well, for another reason.
      const refused = `^the report on ${full} was not written: HTTP 403: .* is forbidden: .*quota: none`;
      assert.match(stderr, new RegExp(refused, 'm'));
      assert.match(stderr, /^\d+ reports? written, \d+ unchanged, 0 deleted, 1 failed$/m);
      assert.equal(await reportOn('openreports', full), null);
      assert.equal((await reportOn('openreports', roomy))?.summary.fail, 1);
    } finally {
      await remove('ResourceQuota', 'none', full);
    }
    await eventually('the report to be written', async () => {
      const { status } = await tryAudit('openreports', '-n', full);
      return status === 0;
    });
    assert.equal((await reportOn('openreports', full))?.summary.fail, 1);
  });

  it('are written by the CronJob of the component, with the rights of its own account', async () => {
    const name = await namespace();
    await create(leaking(name));
    const job = `audit-${name}`;
    await kubectl(['-n', ownNamespace, 'create', 'job', `--from=cronjob/gravekeeper-audit`, job]);
    try {
      await eventually(`${job} to end`, async () => {
        const { status } = await get<V1Job>('Job', job, ownNamespace);
        assert.notEqual(
          status?.conditions?.some(({ type }) => type === 'Failed'),
          true,
        );
        return status?.succeeded === 1;
      });
      assert.match(await kubectl(['-n', ownNamespace, 'logs', `job/${job}`]), /^\d+ reports? written, /m);
      assert.equal((await reportOn('openreports', name))?.summary.fail, 1);
    } finally {
      await remove('Job', job, ownNamespace, '?propagationPolicy=Background');
    }
  });
});
