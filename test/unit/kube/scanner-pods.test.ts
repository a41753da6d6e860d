import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiError, type ApiServer } from '../../../src/kube/api-server.ts';
import { gatherScans } from '../../../src/kube/scanner-pods.ts';
import { answering, type Behaviour, failing, resetting, silent } from '../../support/fake-api-server.ts';
import { type Asked, json, refusing, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

let server: ScriptedServer;
beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
const podOn = (nodeName: unknown, status: object = ready, metadata: object = {}) => ({
  metadata: { name: `scanner-${nodeName}`, ...metadata },
  spec: { nodeName },
  status,
});
const podsPath = '/api/v1/namespaces/graves/pods';
const scanPath = (node: string) => `${podsPath}/scanner-${node}:9090/proxy/scan`;

interface Cluster {
  readonly nodes: readonly string[];
  readonly pods: readonly object[];
  /** How the scanner of a node behaves; well, if left out. */
  readonly scans?: Readonly<Record<string, Behaviour>>;
}

/** Answers as the API server of a cluster does, two objects a page. */
function clusterOf({ nodes, pods, scans = {} }: Cluster): (asked: Asked) => Behaviour {
  const page = (items: readonly object[], { query }: Asked): Behaviour => {
    const begin = Number(query.get('continue') ?? 0);
    const next = begin + 2 < items.length ? { continue: String(begin + 2) } : {};
    return json({ metadata: next, items: items.slice(begin, begin + 2) });
  };
  return (asked) => {
    if (asked.path === '/api/v1/nodes')
      return page(
        nodes.map((name) => ({ metadata: { name } })),
        asked,
      );
    if (asked.path === podsPath) return page(pods, asked);
    const node = nodes.find((name) => scanPath(name) === asked.path);
    return node === undefined ? failing(404) : (scans[node] ?? json({ schemaVersion: 1, node }));
  };
}

const gather = (cluster: Cluster, options: object = {}) => {
  server.answer(clusterOf(cluster));
  return gatherScans(server.api, { namespace: 'graves', timeoutMs: 200, ...options });
};

describe('gatherScans', () => {
  it('brings the report of every node, by the nodes’ names', async () => {
    const nodes = ['n3', 'n1', 'n2', 'n5', 'n4'];
    const progress: string[] = [];
    const scans = await gather(
      { nodes, pods: nodes.map((node) => podOn(node)) },
      { onProgress: (done: number, total: number) => void progress.push(`${done}/${total}`) },
    );
    expect(scans).toEqual(
      ['n1', 'n2', 'n3', 'n4', 'n5'].map((node) => ({
        node,
        report: { schemaVersion: 1, node },
        problem: null,
      })),
    );
    expect(progress).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5']);
  });

  it('asks for names of nodes only, and for pods by their labels, a page at a time', async () => {
    await gather({ nodes: ['n1', 'n2', 'n3'], pods: [] });
    const [nodes, moreNodes, pods] = server.asked;
    expect(nodes?.headers.accept).toContain('as=PartialObjectMetadataList');
    expect(nodes?.query.get('limit')).toBe('500');
    expect(moreNodes?.query.get('continue')).toBe('2');
    expect(pods?.path).toBe(podsPath);
    expect(pods?.query.get('labelSelector')).toBe(
      'app.kubernetes.io/name=gravekeeper,app.kubernetes.io/component=scanner',
    );
  });

  it.each<[string, object | null]>([
    ['no scanner runs there', null],
    [
      'its scanner scanner-n1 is Pending: ImagePullBackOff',
      podOn('n1', {
        phase: 'Pending',
        containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff' } } }],
      }),
    ],
    ['its scanner scanner-n1 is Failed: Evicted', podOn('n1', { phase: 'Failed', reason: 'Evicted' })],
    ['its scanner scanner-n1 is Unknown', podOn('n1', {})],
    [
      'its scanner scanner-n1 is Unknown',
      podOn('n1', { phase: {}, conditions: 'x', containerStatuses: [7] }),
    ],
    [
      'its scanner scanner-n1 is not ready: CrashLoopBackOff',
      podOn('n1', {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } } }],
      }),
    ],
    ['its scanner scanner-n1 is not ready', podOn('n1', { phase: 'Running' })],
    [
      'its scanner scanner-n1 is being deleted',
      podOn('n1', ready, { deletionTimestamp: '2026-11-20T10:00:00Z' }),
    ],
  ])('says: %s', async (problem, pod) => {
    const scans = await gather({
      nodes: ['n1', 'n2'],
      pods: [...(pod ? [pod] : []), podOn('n2'), podOn(undefined)],
    });
    expect(scans).toEqual([
      { node: 'n1', report: null, problem },
      { node: 'n2', report: { schemaVersion: 1, node: 'n2' }, problem: null },
    ]);
    expect(server.asked.filter(({ path }) => path.endsWith('/scan'))).toHaveLength(1);
  });

  it.each<[string, Behaviour, RegExp]>([
    ['403', failing(403), /^its scanner cannot be asked: HTTP 403: told to fail with 403$/],
    ['404', refusing(404, {}, 'page not found'), /^its scanner cannot be asked: HTTP 404: page not found$/],
    ['503', failing(503), /^its scanner cannot be asked: HTTP 503: /],
    ['a reset', resetting, /^its scanner cannot be asked: no answer from https:.*: socket hang up$/],
    ['silence', silent, /^its scanner cannot be asked: no answer within 0\.2 s$/],
    ['HTML', answering('<html>'), /^its scanner answers something that is no report$/],
    ['an array', json([]), /^its scanner answers something that is no report$/],
    ['nothing', refusing(200), /^its scanner answers something that is no report$/],
    [
      'megabytes',
      answering(JSON.stringify('x'.repeat(9_000_000))),
      /^its scanner cannot be asked: .*n1:9090\/proxy\/scan is answered with more than 8388608 bytes$/,
    ],
  ])('names the node whose scanner answers with %s, and goes on', async (_, behaviour, problem) => {
    const pods = [podOn('n1'), podOn('n2')];
    const timeoutMs = behaviour === silent ? 200 : 30_000;
    const scans = await gather({ nodes: ['n1', 'n2'], pods, scans: { n1: behaviour } }, { timeoutMs });
    expect(scans).toEqual([
      { node: 'n1', report: null, problem: expect.stringMatching(problem) },
      { node: 'n2', report: { schemaVersion: 1, node: 'n2' }, problem: null },
    ]);
  });

  it('asks the one that is ready where a node has several', async () => {
    const gone = podOn('n1', ready, { name: 'scanner-old', deletionTimestamp: '2026-11-20T10:00:00Z' });
    for (const pods of [
      [gone, podOn('n1')],
      [podOn('n1'), gone],
    ]) {
      expect(await gather({ nodes: ['n1'], pods })).toMatchObject([{ problem: null }]);
    }
  });

  it('asks no more at a time than it is told to', async () => {
    const nodes = Array.from({ length: 12 }, (_, index) => `n${index}`);
    server.answer(clusterOf({ nodes, pods: nodes.map((node) => podOn(node)) }));
    let [open, most] = [0, 0];
    const api: ApiServer = {
      request(...args) {
        open += 1;
        most = Math.max(most, open);
        return server.api.request(...args).finally(() => {
          open -= 1;
        });
      },
    };
    expect(await gatherScans(api, { namespace: 'graves', concurrency: 4 })).toHaveLength(12);
    expect(most).toBe(4);
  });

  it('fails in words where nodes or pods cannot be listed', async () => {
    server.answer(() => failing(403));
    const gathering = gatherScans(server.api, { namespace: 'graves' });
    await expect(gathering).rejects.toThrow(ApiError);
    await expect(gathering).rejects.toThrow(/^HTTP 403 for \/api\/v1\/nodes/);
    const cluster = clusterOf({ nodes: ['n1'], pods: [] });
    server.answer((asked) => (asked.path === podsPath ? failing(403) : cluster(asked)));
    await expect(gatherScans(server.api, { namespace: 'graves' })).rejects.toThrow(
      /^HTTP 403 for \/api\/v1\/namespaces\/graves\/pods/,
    );
  });

  it('stops when it is told to', async () => {
    const over = new AbortController();
    const stop: Behaviour = () => over.abort(new Error('enough'));
    const gathering = gather(
      { nodes: ['n1'], pods: [podOn('n1')], scans: { n1: stop } },
      { signal: over.signal },
    );
    await expect(gathering).rejects.toThrow('enough');
  });
});
