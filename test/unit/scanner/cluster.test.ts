import { describe, expect, it } from 'vitest';
import { mergeNodes, type NodeAnswer } from '../../../src/scanner/cluster.ts';
import { clusterTable } from '../../../src/scanner/formats/cluster-table.ts';

const now = Date.parse('2026-11-20T12:00:00Z');

const group = {
  count: 3,
  kind: 'orphan',
  certain: false,
  oldestSeconds: 60,
  newPerHour: 10,
  parent: null,
  container: 'app',
  containerId: null,
  pod: 'web-1',
  podUid: 'uid-1',
  namespace: 'shop',
  owner: 'Deployment/web',
  labels: {},
  fixableBy: 'init',
  advice: 'Label it.',
};

function answer(node: string, groups: readonly object[], more: object = {}): NodeAnswer {
  const zombies = groups.reduce((sum: number, each) => sum + Number(Reflect.get(each, 'count')), 0);
  const pids = { used: 100, limit: 1000, limitedBy: 'pid_max', secondsToExhaustion: null, unreadable: 0 };
  const time = '2026-11-20T11:59:50.000Z';
  return { node, problem: null, report: { schemaVersion: 1, node, time, pids, zombies, groups, ...more } };
}

describe('merging nodes', () => {
  it('puts the pods of one owner together, worst first', () => {
    const report = mergeNodes(
      [
        answer('a', [group, { ...group, namespace: 'bank', owner: 'StatefulSet/db', pod: 'db-0', count: 5 }]),
        answer('b', [
          { ...group, pod: 'web-2', podUid: 'uid-2', kind: 'unreaped-child', count: 4, newPerHour: null },
        ]),
      ],
      now,
    );
    expect(report.zombies).toBe(12);
    expect(report.workloads).toMatchObject([
      {
        namespace: 'shop',
        owner: 'Deployment/web',
        count: 7,
        kinds: { orphan: 3, 'unreaped-child': 4, runtime: 0 },
        newPerHour: 10,
        pods: ['web-1', 'web-2'],
        nodes: ['a', 'b'],
      },
      { namespace: 'bank', owner: 'StatefulSet/db', count: 5, nodes: ['a'] },
    ]);
  });

  it('keeps pods without a name, and what is in no pod, apart', () => {
    const nameless = { ...group, namespace: null, owner: null, pod: null };
    const report = mergeNodes(
      [answer('a', [nameless, { ...nameless, podUid: null }]), answer('b', [{ ...nameless, podUid: null }])],
      now,
    );
    expect(report.workloads.map(({ pods, nodes }) => [pods, nodes])).toEqual([
      [['uid-1'], ['a']],
      [[], ['a']],
      [[], ['b']],
    ]);
  });

  it('names nodes that did not answer, or with garbage, and why', () => {
    const { unanswered, nodes } = mergeNodes(
      [
        { node: 'c', report: null, problem: 'no scanner runs there' },
        { node: 'd', report: { schemaVersion: 1, time: 'yesterday' }, problem: null },
        { node: 'e', report: 'garbage', problem: null },
        answer('f', []),
      ],
      now,
    );
    expect(unanswered.map(({ node }) => node)).toEqual(['c', 'd', 'e']);
    expect(unanswered[0]?.problem).toBe('no scanner runs there');
    expect(unanswered[1]?.problem).toMatch(/no report of a scanner at time/);
    expect(nodes).toHaveLength(4);
  });

  it('tells of a scanner that got stuck', () => {
    const stale = answer('a', [], { time: '2026-11-20T11:40:00.000Z' });
    expect(mergeNodes([stale], now).nodes).toMatchObject([{ problem: 'its scanner last looked 1200 s ago' }]);
  });

  it('puts the node whose PIDs run out first at the top', () => {
    const soon = { used: 900, limit: 1000, limitedBy: 'pid_max', secondsToExhaustion: 60, unreadable: 0 };
    const { nodes } = mergeNodes([answer('a', [group]), answer('b', [], { pids: soon })], now);
    expect(nodes.map(({ node }) => node)).toEqual(['b', 'a']);
  });
});

describe('the table of a cluster', () => {
  const plain = { width: 120, colour: false, paint: (_: unknown, text: string) => text };

  it('shows owners and nodes, and escapes what strangers wrote', () => {
    const hostile = { ...group, owner: 'Deployment/\u001b[31mweb', advice: 'a\nb' };
    const problem = { node: 'c', report: null, problem: 'timeout' };
    const text = clusterTable(mergeNodes([answer('a', [hostile]), problem], now), plain);
    expect(text).toBe(
      [
        '3 zombies on 1 of 2 nodes',
        '',
        'COUNT  KINDS     NEW/H  NAMESPACE  OWNER                   PODS  FIX',
        '3      3 orphan  10     shop       Deployment/\\x1b[31mweb  1     a\\x0ab',
        '',
        'NODE  ZOMBIES  PIDS                EXHAUSTED  NOTE',
        'a     3        100 of 1000 (10 %)  -',
        'c     -        -                   -          timeout',
        '',
      ].join('\n'),
    );
  });

  it('says so where there are none', () => {
    expect(clusterTable(mergeNodes([answer('a', [])], now), plain)).toContain('No zombies.\n');
  });
});
