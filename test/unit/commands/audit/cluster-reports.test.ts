import { describe, expect, it } from 'vitest';
import type { ReportsApi } from '../../../../src/audit/formats/openreports.ts';
import { clusterReports } from '../../../../src/commands/audit/cluster-reports.ts';
import type { Answer, ApiServer } from '../../../../src/kube/api-server.ts';
import type { JsonObject } from '../../../../src/pod/json.ts';
import { auditOf, rabbitmq } from '../../audit/audit-of.ts';

const bare = rabbitmq.slice(rabbitmq.indexOf('---'));
const inNamespace = (name: string, text = bare) => text.replace('namespace: shop', `namespace: ${name}`);
const clean = (namespace: string) => inNamespace(namespace, bare.replace(/livenessProbe[\s\S]*/, ''));
const now = Date.UTC(2026, 10, 20, 12);
const hour = 3_600_000;

const folders = {
  openreports: '/apis/openreports.io/v1alpha1',
  wgpolicyk8s: '/apis/wgpolicyk8s.io/v1alpha2',
} as const;
const plurals = { openreports: 'reports', wgpolicyk8s: 'policyreports' } as const;

/** Keeps reports as the API server does, and writes down what changes them. */
function clusterWith(which: ReportsApi) {
  const stored = new Map<string, JsonObject & { metadata: JsonObject }>();
  const written: string[] = [];
  const refusals = new Map<string, Answer>();
  let version = 0;
  const answer = (status: number, body: unknown): Answer => ({ status, body, text: '', retryAfterMs: null });
  const list = (namespace: string | undefined, query: URLSearchParams): JsonObject[] => {
    expect(query.get('labelSelector')).toBe('app.kubernetes.io/managed-by=gravekeeper');
    const [, name] = /^metadata\.name=(.*)$/.exec(query.get('fieldSelector') ?? '') ?? [];
    const found = [...stored.values()].filter(
      ({ metadata }) =>
        (namespace === undefined || metadata.namespace === namespace) &&
        (name === undefined || metadata.name === name) &&
        (metadata.labels as JsonObject | undefined)?.['app.kubernetes.io/managed-by'] === 'gravekeeper',
    );
    const from = Number(query.get('continue') ?? 0);
    return found.slice(from, from + Number(query.get('limit')));
  };
  const listed: number[] = [];
  const api: ApiServer = {
    async request(method, path, body, options) {
      const [target = '', query = ''] = path.split('?');
      const refusal = refusals.get(`${method} ${target}`);
      if (refusal) return refusal;
      if (target === folders[which]) return answer(200, { resources: [{ name: plurals[which] }] });
      const [, namespace] = /\/namespaces\/([^/]+)\//.exec(target) ?? [];
      if (method === 'GET' && target.endsWith(`/${plurals[which]}`)) {
        const parameters = new URLSearchParams(query);
        const page = list(namespace, parameters);
        listed.push(page.length);
        for (const item of page) options?.eachItem?.(structuredClone(item));
        const isFull = page.length === Number(parameters.get('limit'));
        const next = Number(parameters.get('continue') ?? 0) + page.length;
        return answer(200, { items: [], metadata: isFull ? { continue: String(next) } : {} });
      }
      if (method === 'PATCH') {
        const before = stored.get(target);
        if (before && !query.includes('force=true'))
          return answer(409, {
            message: 'Apply failed with 1 conflict',
            details: { causes: [{ reason: 'FieldManagerConflict', field: '.summary' }] },
          });
        version += 1;
        const sent = structuredClone(body) as JsonObject & { metadata: JsonObject };
        const metadata = {
          ...before?.metadata,
          ...sent.metadata,
          uid: target,
          resourceVersion: String(version),
        };
        stored.set(target, { ...sent, metadata });
        written.push(`${namespace}`);
        return answer(200, {});
      }
      if (method === 'DELETE') {
        const { preconditions } = body as { preconditions: JsonObject };
        const { uid, resourceVersion } = stored.get(target)?.metadata ?? {};
        expect(preconditions).toEqual({ uid, resourceVersion });
        stored.delete(target);
        written.push(`-${namespace}`);
        return answer(200, {});
      }
      return answer(404, null);
    },
  };
  const at = (namespace: string) => `${folders[which]}/namespaces/${namespace}/${plurals[which]}/gravekeeper`;
  return {
    api,
    stored,
    /** How many reports each page held that was asked for. */
    listed,
    report: (namespace: string) => stored.get(at(namespace)),
    refuse: (
      call: string,
      namespace: string,
      status: number,
      body: unknown = { message: 'told to refuse' },
    ) => void refusals.set(`${call} ${at(namespace)}`, answer(status, body)),
    refusals,
    /** Publishes the audit of some manifests, and answers what was written and deleted (`-`) for it. */
    async publish(text: string, options: { namespace?: string; at?: number; problem?: string } = {}) {
      written.length = 0;
      const report = auditOf(text);
      const problems = options.problem ? [{ file: 'cluster', line: null, message: options.problem }] : [];
      const { namespace } = options;
      const reports = clusterReports(which, { cluster: true, ...(namespace ? { namespace } : {}) });
      const published = await reports.publish(api, { ...report, problems }, options.at ?? now);
      return { ...published, written: [...written] };
    },
  };
}

describe.each(['openreports', 'wgpolicyk8s'] as const)('reports of %s', (which) => {
  it('are written for each namespace, once, and again only when they say something else', async () => {
    const cluster = clusterWith(which);
    const both = inNamespace('a') + inNamespace('b');
    expect(await cluster.publish(both)).toEqual({
      written: ['a', 'b'],
      summary: '2 reports written, 0 unchanged, 0 deleted',
      isDone: true,
    });
    expect(await cluster.publish(both, { at: now + hour })).toMatchObject({
      written: [],
      summary: '0 reports written, 2 unchanged, 0 deleted',
    });
    expect(await cluster.publish(inNamespace('a') + clean('b'), { at: now + 2 * hour })).toMatchObject({
      written: ['b'],
      summary: '1 report written, 1 unchanged, 0 deleted',
    });
    expect(cluster.report('b')).toMatchObject({ summary: { pass: 1, fail: 0 }, results: [] });
  });

  it('are deleted when nothing is left to report on', async () => {
    const cluster = clusterWith(which);
    await cluster.publish(inNamespace('a') + clean('b'));
    expect(await cluster.publish(inNamespace('a'))).toMatchObject({
      written: ['-b'],
      summary: '0 reports written, 1 unchanged, 1 deleted',
    });
  });

  it('are mended when somebody changed them', async () => {
    const cluster = clusterWith(which);
    await cluster.publish(inNamespace('a'));
    Object.assign(cluster.report('a') ?? {}, { summary: { fail: 0 } });
    expect((await cluster.publish(inNamespace('a'))).written).toEqual(['a']);
  });

  it('of others are neither taken over nor deleted', async () => {
    const cluster = clusterWith(which);
    await cluster.publish(inNamespace('unlabelled') + inNamespace('sourced'));
    const unlabelled = cluster.report('unlabelled');
    if (unlabelled) unlabelled.metadata = { ...unlabelled.metadata, labels: {} };
    const results = [{ source: 'kyverno', policy: 'p' }];
    Object.assign(cluster.report('sourced') ?? {}, { results });
    const named = {
      ...cluster.report('unlabelled'),
      metadata: {
        ...unlabelled?.metadata,
        name: 'mine',
        labels: { 'app.kubernetes.io/managed-by': 'gravekeeper' },
      },
    };
    cluster.stored.set('mine', named);

    expect((await cluster.publish('')).written).toEqual([]);
    const { written, summary, isDone } = await cluster.publish(
      inNamespace('unlabelled') + inNamespace('sourced'),
    );
    expect({ written, isDone }).toEqual({ written: [], isDone: true });
    expect(summary.split('\n')).toEqual([
      "the report on sourced is skipped, since somebody else's has its name: HTTP 409: Apply failed with 1 conflict",
      "the report on unlabelled is skipped, since somebody else's has its name: HTTP 409: Apply failed with 1 conflict",
      '0 reports written, 0 unchanged, 0 deleted, 2 skipped',
    ]);
  });

  it('are not written where there is another conflict, which is a failure', async () => {
    const cluster = clusterWith(which);
    cluster.refuse('PATCH', 'a', 409, { message: 'the object has been modified' });
    expect(await cluster.publish(inNamespace('a'))).toMatchObject({
      isDone: false,
      summary:
        'the report on a was not written: HTTP 409: the object has been modified\n' +
        '0 reports written, 0 unchanged, 0 deleted, 1 failed',
    });
  });

  it('are listed a few at a time, and none of another name, whatever labels it has', async () => {
    const cluster = clusterWith(which);
    const names = Array.from({ length: 21 }, (_, index) => `n${index}`);
    await cluster.publish(names.map((name) => inNamespace(name)).join(''));
    for (const index of names.keys()) {
      const { metadata, ...rest } = cluster.report('n0') ?? { metadata: {} };
      cluster.stored.set(`forged-${index}`, { ...rest, metadata: { ...metadata, name: `forged-${index}` } });
    }
    cluster.listed.length = 0;
    const { summary } = await cluster.publish(names.map((name) => inNamespace(name)).join(''));
    expect(summary).toBe('0 reports written, 21 unchanged, 0 deleted');
    expect(cluster.listed).toEqual([20, 1]);
  });

  it('of other namespaces are left alone where one was asked for', async () => {
    const cluster = clusterWith(which);
    await cluster.publish(inNamespace('a') + inNamespace('b') + inNamespace('c'));
    expect((await cluster.publish(inNamespace('a'), { namespace: 'a' })).written).toEqual([]);
    expect((await cluster.publish('', { namespace: 'b' })).written).toEqual(['-b']);
    expect([...cluster.stored.keys()]).toHaveLength(2);
  });

  it('say that something is missing while not all could be read, and none is deleted', async () => {
    const cluster = clusterWith(which);
    await cluster.publish(inNamespace('a') + inNamespace('b'));
    const { written, summary } = await cluster.publish(inNamespace('a'), { problem: 'no pods' });
    expect(written).toEqual(['a']);
    expect(summary).toBe(
      '1 report written, 0 unchanged, 0 deleted; none is deleted while not all could be read',
    );
    expect(cluster.report('a')).toMatchObject({
      summary: { fail: 1, error: 1 },
      results: [{ result: 'error', message: expect.stringContaining('may be missing') }, {}, {}, {}],
    });
    expect((await cluster.publish(inNamespace('a'), { problem: 'no pods, again' })).written).toEqual([]);
  });

  it('go on after one that fails', async () => {
    const cluster = clusterWith(which);
    await cluster.publish(inNamespace('a') + inNamespace('gone') + inNamespace('z'));
    cluster.refuse('DELETE', 'a', 403);
    cluster.refuse('PATCH', 'b', 500);
    const { written, isDone, summary } = await cluster.publish(inNamespace('b') + inNamespace('c'));
    expect({ written, isDone }).toEqual({ written: ['c', '-gone', '-z'], isDone: false });
    expect(summary.split('\n')).toEqual([
      'the report on b was not written: HTTP 500: told to refuse',
      'the report on a was not deleted: HTTP 403: told to refuse',
      '1 report written, 0 unchanged, 2 deleted, 2 failed',
    ]);
  });

  it('may find a namespace, or themselves, gone', async () => {
    const cluster = clusterWith(which);
    await cluster.publish(inNamespace('a'));
    const causes = [{ reason: 'NamespaceTerminating' }];
    cluster.refuse('PATCH', 'ending', 403, {
      message: 'being terminated',
      details: { name: 'ending', causes },
    });
    cluster.refuse('PATCH', 'ended', 404, {
      message: 'not found',
      details: { name: 'ended', kind: 'namespaces' },
    });
    cluster.refuse('DELETE', 'a', 404, {
      message: 'not found',
      details: { name: 'a', kind: plurals[which] },
    });
    const { isDone, summary } = await cluster.publish(inNamespace('ending') + inNamespace('ended'));
    expect({ isDone, summary }).toEqual({
      isDone: true,
      summary: '0 reports written, 0 unchanged, 0 deleted',
    });
  });

  it('are not written where those that are there cannot be listed', async () => {
    const cluster = clusterWith(which);
    const path = `GET ${folders[which]}/${plurals[which]}`;
    cluster.refusals.set(path, { status: 403, body: { message: 'no' }, text: '', retryAfterMs: null });
    const { written, isDone, summary } = await cluster.publish(inNamespace('a'));
    expect({ written, isDone }).toEqual({ written: [], isDone: false });
    expect(summary).toMatch(/^reports cannot be listed, so none was written: HTTP 403 for .*: no\n/);
  });

  it('are for a cluster that knows them', async () => {
    const reports = clusterReports(which, { cluster: true });
    await expect(reports.requireApi(clusterWith(which).api)).resolves.toBeUndefined();
    const other = which === 'openreports' ? 'wgpolicyk8s' : 'openreports';
    await expect(reports.requireApi(clusterWith(other).api)).rejects.toThrow(
      new RegExp(
        `^the cluster has no \\w+ of ${folders[which].slice('/apis/'.length)}: install its CustomResourceDefinition from https://.*, or take --report ${other}, which is there$`,
      ),
    );
    const nothing: ApiServer = {
      request: async () => ({ status: 404, body: null, text: '404 page not found', retryAfterMs: null }),
    };
    await expect(reports.requireApi(nothing)).rejects.toThrow(/from https:\/\/github\.com\/[\w/-]+$/);
    const closed: ApiServer = {
      request: async () => ({ status: 401, body: { message: 'who?' }, text: '', retryAfterMs: null }),
    };
    await expect(reports.requireApi(closed)).rejects.toThrow(/could not be found out: HTTP 401/);
  });
});

it.each([
  [{}, 'needs --cluster'],
  [{ cluster: true, selector: 'app=web' }, 'cannot go with --selector'],
  [{ cluster: true, assume: new Map([['gravekeeper.dev/inject', 'auto']]) }, 'cannot go with --assume'],
] as const)('are refused with %j', (options, words) => {
  expect(() => clusterReports('openreports', options)).toThrow(words);
});
