import { describe, expect, it } from 'vitest';
import { remedySeries, zombieSeries } from '../../../../src/scanner/formats/series.ts';
import { groupWith, remedyCheck, unknownGroup } from './reports.ts';

const inPod = (pod: string, count: number, fields = {}) =>
  groupWith({ pod, count, newPerHour: null, oldestSeconds: null, ...fields });

describe('zombieSeries', () => {
  it('sums up the groups of one container and kind', () => {
    const groups = [
      groupWith({ count: 3, newPerHour: 2, oldestSeconds: 10 }),
      groupWith({ count: 4, newPerHour: null, oldestSeconds: 30 }),
      groupWith({ count: 5, newPerHour: 0.5, oldestSeconds: null }),
      groupWith({ count: 1, kind: 'unreaped-child', newPerHour: null, oldestSeconds: null }),
    ];
    const labels = { namespace: 'shop', pod: 'web-1', container: 'app' };
    expect(zombieSeries(groups, 10)).toEqual({
      series: [
        { labels: { ...labels, kind: 'orphan' }, zombies: 12, newPerHour: 2.5, oldestSeconds: 30 },
        { labels: { ...labels, kind: 'unreaped-child' }, zombies: 1, newPerHour: null, oldestSeconds: null },
      ],
      dropped: 0,
    });
  });

  it('names what is unknown by its ids, and leaves empty what is not known at all', () => {
    const nameless = groupWith({
      namespace: null,
      pod: null,
      container: null,
      podUid: 'uid',
      containerId: 'id',
    });
    const labels = zombieSeries([nameless, unknownGroup()], 10).series.map((series) => series.labels);
    expect(labels).toEqual([
      { namespace: '', pod: 'uid', container: 'id', kind: 'orphan' },
      { namespace: '', pod: '', container: '', kind: 'unreaped-child' },
    ]);
  });

  it('keeps the largest, ties by name, and sums up the rest by kind', () => {
    const groups = [
      inPod('d', 1, { kind: 'runtime', newPerHour: 7 }),
      inPod('c', 2, { oldestSeconds: 5 }),
      inPod('b', 2, { oldestSeconds: 9 }),
      inPod('a', 2),
      inPod('e', 9),
    ];
    const { series, dropped } = zombieSeries(groups, 2);
    expect(
      series.map(({ labels, ...values }) => [labels.namespace, labels.pod, labels.kind, values]),
    ).toEqual([
      ['shop', 'e', 'orphan', { zombies: 9, newPerHour: null, oldestSeconds: null }],
      ['shop', 'a', 'orphan', { zombies: 2, newPerHour: null, oldestSeconds: null }],
      ['(other)', '', 'orphan', { zombies: 4, newPerHour: null, oldestSeconds: 9 }],
      ['(other)', '', 'runtime', { zombies: 1, newPerHour: 7, oldestSeconds: null }],
    ]);
    expect(dropped).toBe(3);
    expect(zombieSeries(groups.toReversed(), 2)).toEqual({ series, dropped });
  });

  it('does not mix containers up whose names run together', () => {
    const groups = [inPod('a', 1, { container: 'b","c' }), inPod('a","b', 1, { container: 'c' })];
    expect(zombieSeries(groups, 10).series).toHaveLength(2);
  });
});

describe('remedySeries', () => {
  it('leaves out what is not known', () => {
    expect(remedySeries([remedyCheck({ works: null })], 10)).toEqual({ series: [], dropped: 0 });
  });

  it('keeps those that do not work first, and says of the rest whether all work', () => {
    const checks = [
      remedyCheck({ pod: 'a' }),
      remedyCheck({ pod: 'b', remedy: 'share-pid' }),
      remedyCheck({ pod: 'c', works: false }),
      remedyCheck({ pod: 'd', works: false }),
    ];
    const rows = (most: number) =>
      remedySeries(checks, most).series.map(({ labels, works }) => [...Object.values(labels), works]);
    expect(rows(3)).toEqual([
      ['shop', 'c', 'tini', false],
      ['shop', 'd', 'tini', false],
      ['shop', 'a', 'tini', true],
      ['(other)', '', 'share-pid', true],
    ]);
    expect(rows(1)).toEqual([
      ['shop', 'c', 'tini', false],
      ['(other)', '', 'tini', false],
      ['(other)', '', 'share-pid', true],
    ]);
    expect(remedySeries(checks, 1).dropped).toBe(3);
  });

  it('calls a pod that was made anew working only if both are', () => {
    const checks = [remedyCheck({ podUid: '1', works: false }), remedyCheck({ podUid: '2' })];
    expect(remedySeries(checks, 10).series).toEqual([
      { labels: { namespace: 'shop', pod: 'cart-0', remedy: 'tini' }, works: false },
    ]);
  });
});
