import { describe, expect, it } from 'vitest';
import { isIdle, treeOf } from '../../../src/emulate/tree.ts';
import { openProcRoot } from '../../../src/proc/root.ts';
import { ProcessTable } from '../../../src/proc/table.ts';
import { copiedTree, statLine } from '../proc/tree.ts';

function tableOf(...lines: [pid: number, ppid: number, state?: string][]): ProcessTable {
  const files = lines.map(([pid, ppid, state = 'S']) => [`${pid}/stat`, statLine(pid, { ppid, state })]);
  const table = new ProcessTable();
  openProcRoot(copiedTree(Object.fromEntries(files))).readTable(table);
  return table;
}

describe('treeOf', () => {
  it('finds all generations, whatever their numbers, and no strangers', () => {
    const tree = treeOf(10, tableOf([30, 40], [5, 4], [40, 10], [10, 1], [21, 10]));
    expect(tree.map(({ pid }) => pid)).toEqual([10, 21, 40, 30]);
  });

  it('says of each what it is', () => {
    expect(treeOf(10, tableOf([10, 1], [11, 10, 'Z']))).toEqual([
      { pid: 10, ppid: 1, startTime: 100, state: 'S', isZombie: false, comm: null },
      { pid: 11, ppid: 10, startTime: 110, state: 'Z', isZombie: true, comm: 'sh' },
    ]);
  });

  it('is empty when the root is gone', () => {
    expect(treeOf(10, tableOf([20, 10]))).toEqual([]);
  });
});

describe('isIdle', () => {
  const status = (state: string, pending: string) =>
    `Name:\tsh\nState:\t${state}\nTracerPid:\t0\nUid:\t0\t0\t0\t0\nThreads:\t1\nSigPnd:\t0000000000000000\n` +
    `ShdPnd:\t${pending}\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n`;

  it.each([
    ['S (sleeping)', '0000000000000000', true],
    ['S (sleeping)', '0000000000010000', false],
    ['R (running)', '0000000000000000', false],
  ])('of a process in state %s with signals %s', (state, pending, idle) => {
    expect(isIdle(7, openProcRoot(copiedTree({ '7/status': status(state, pending) })))).toBe(idle);
  });

  it('is not so of one that is gone', () => {
    expect(isIdle(7, openProcRoot(copiedTree()))).toBe(false);
  });
});
