import { describe, expect, it } from 'vitest';
import { changeLine, scanSummary } from '../../../../src/scanner/formats/summary.ts';
import { scanTable } from '../../../../src/scanner/formats/table.ts';
import { terminalOf } from '../../../../src/terminal.ts';
import { groupWith, parent, reportOfLeak, reportWith, unknownGroup } from './reports.ts';

const terminal = terminalOf({}, { COLUMNS: '80' });

describe('scanSummary', () => {
  const first = reportWith({ groups: [groupWith({ count: 20 }), unknownGroup({ count: 15 })] });
  const last = reportOfLeak({ groups: [groupWith({ count: 25 }), unknownGroup({ count: 24 })] });

  it('says how long it watched and what changed, then shows the last look', () => {
    const lines = scanSummary(first, last, 40, 600, terminal).split('\n');
    expect(lines.slice(0, 4)).toEqual([
      'Watched node-1 for 10 min (40 looks): 35 zombies at first, 49 at last (+14).',
      'Grew fastest: unreaped-child? of unknown: +9.',
      '',
      'node-1: 49 zombies in 2 groups; 1102 of 32768 PIDs used (3 %); at this pace',
    ]);
    expect(scanSummary(first, last, 40, 600, terminal).endsWith(scanTable(last, terminal))).toBe(true);
  });

  it('gives the pace of what grew, and counts a group that was not there as grown from none', () => {
    expect(scanSummary(reportWith(), reportOfLeak(), 2, 30, terminal)).toContain(
      'Grew fastest: orphan of 4711 sleep in shop/web-1 · app: +300, 90 an hour.',
    );
  });

  it('says so where nothing grew', () => {
    const summary = scanSummary(last, first, 1, 0.4, terminal);
    expect(summary).toMatch(/^Watched node-1 for 0 s \(1 look\): 49 zombies at first, 35 at last \(-14\)\./);
    expect(summary).toContain('Nothing grew.');
  });
});

describe('changeLine', () => {
  it('says what there is at the first look', () => {
    expect(changeLine(null, reportWith())).toBe('2026-11-20T03:00:00.000Z 0 zombies (0) in 0 groups');
    expect(changeLine(null, reportOfLeak())).toBe(
      '2026-11-20T03:00:00.000Z 300 zombies (+300) in 1 group; worst: 300 orphan of 4711 sleep in shop/web-1 · app',
    );
  });

  it('says nothing where as many are there as before', () => {
    expect(changeLine(reportOfLeak(), reportOfLeak())).toBeNull();
  });

  it.each([
    [[groupWith({ count: 312 })], '312 zombies (+12) in 1 group'],
    [[groupWith({ count: 299 })], '299 zombies (-1) in 1 group'],
    [[groupWith({ count: 298 }), unknownGroup()], '300 zombies (0) in 2 groups'],
    [[], '0 zombies (-300) in 0 groups'],
  ])('says what changed: %#', (groups, counts) => {
    expect(changeLine(reportOfLeak(), reportWith({ groups }))).toContain(` ${counts}`);
  });

  it('is one line, whatever a process calls itself', () => {
    const hostile = groupWith({ parent: { ...parent, comm: 'a\n\x1b[31mb' } });
    expect(changeLine(null, reportOfLeak({ groups: [hostile] }))).toContain('4711 a\\x0a\\x1b[31mb');
  });
});
