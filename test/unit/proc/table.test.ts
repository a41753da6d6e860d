import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/input-error.ts';
import { openProcRoot } from '../../../src/proc/root.ts';
import { ProcessTable } from '../../../src/proc/table.ts';
import { copiedTree, statLine } from './tree.ts';

function read(folder: string, table = new ProcessTable()): ProcessTable {
  openProcRoot(folder).readTable(table);
  return table;
}

function pidsOf(table: ProcessTable): number[] {
  return Array.from({ length: table.size }, (_, index) => table.pidAt(index));
}

describe('ProcessTable', () => {
  it('holds every process, sorted by PID', () => {
    const table = read(
      copiedTree({
        '9/stat': statLine(9, { ppid: 7, state: 'Z', comm: 'a) Z 1 (b', startTime: 90 }),
        '10/stat': statLine(10, { ppid: 9, threads: 5, startTime: 2 ** 40 }),
        '1/stat': statLine(1, { ppid: 0 }),
        '4194304/stat': statLine(4194304),
      }),
    );
    expect(pidsOf(table)).toEqual([1, 9, 10, 4194304]);
    expect([0, 1, 2].map((index) => table.ppidAt(index))).toEqual([0, 7, 9]);
    expect([0, 1, 2].map((index) => table.stateAt(index))).toEqual(['S', 'Z', 'S']);
    expect([1, 2].map((index) => table.startTimeAt(index))).toEqual([90, 2 ** 40]);
    expect([1, 2].map((index) => table.threadsAt(index))).toEqual([1, 5]);
    expect([0, 1, 2].map((index) => table.isZombieAt(index))).toEqual([false, true, false]);
    expect([0, 1, 2].map((index) => table.commAt(index))).toEqual([null, 'a) Z 1 (b', null]);
    expect([1, 9, 10, 4194304, 0, 2, 5_000_000].map((pid) => table.indexOf(pid))).toEqual([
      0, 1, 2, 3, -1, -1, -1,
    ]);
    expect(table).toMatchObject({ size: 4, threads: 8, failed: 0 });
  });

  it('does not take a thread group for a zombie whose first thread alone has exited', () => {
    const table = read(copiedTree({ '7/stat': statLine(7, { state: 'Z', threads: 2 }) }));
    expect([table.stateAt(0), table.isZombieAt(0), table.commAt(0)]).toEqual(['Z', false, null]);
  });

  it('knows a zombie without a name', () => {
    const table = read(copiedTree({ '7/stat': statLine(7, { state: 'Z', comm: '' }) }));
    expect([table.isZombieAt(0), table.commAt(0)]).toEqual([true, '']);
  });

  it('counts what could not be read or makes no sense, and leaves it out', () => {
    const folder = copiedTree({
      '1/stat': statLine(1),
      '3/stat': '',
      '4/stat': 'garbage',
      '5/stat': statLine(6),
      '6/stat': 'x'.repeat(100_000),
    });
    mkdirSync(join(folder, '2/stat'), { recursive: true });
    const table = read(folder);
    expect(pidsOf(table)).toEqual([1]);
    expect(table.failed).toBe(5);
  });

  it('thinks nothing of processes that have ended and of folders that are no PIDs', () => {
    const folder = copiedTree({
      '12': 'a file',
      '0/stat': statLine(0),
      '07/stat': statLine(7),
      '1x/stat': statLine(1),
      '-1/stat': statLine(1),
      '4194305/stat': statLine(4194305),
      '99999999999999999999/stat': statLine(1),
      'sys/kernel/pid_max': '32768',
    });
    mkdirSync(join(folder, '8'));
    expect(read(folder)).toMatchObject({ size: 0, threads: 0, failed: 0 });
  });

  it('holds only what the last look found', () => {
    const folder = copiedTree();
    for (let pid = 1; pid <= 1500; pid += 1) {
      mkdirSync(join(folder, String(pid)));
      writeFileSync(join(folder, String(pid), 'stat'), statLine(pid, { state: 'Z' }));
    }
    const root = openProcRoot(folder);
    const table = new ProcessTable();
    root.readTable(table);
    expect(table).toMatchObject({ size: 1500, threads: 1500, failed: 0 });
    expect([table.indexOf(1500), table.commAt(1499)]).toEqual([1499, 'sh']);
    for (let pid = 3; pid <= 1500; pid += 1) rmSync(join(folder, String(pid)), { recursive: true });
    writeFileSync(join(folder, '2/stat'), statLine(2));
    root.readTable(table);
    expect(table).toMatchObject({ size: 2, threads: 2, failed: 0 });
    expect([table.isZombieAt(0), table.isZombieAt(1), table.isZombieAt(2)]).toEqual([true, false, false]);
    expect(table.indexOf(1500)).toBe(-1);
  });

  it('cannot be filled from a folder that has gone', () => {
    const folder = copiedTree();
    const root = openProcRoot(folder);
    rmSync(folder, { recursive: true });
    try {
      expect(() => root.readTable(new ProcessTable())).toThrow(InputError);
    } finally {
      mkdirSync(folder);
    }
  });

  it.runIf(process.platform === 'linux')('does not hang on a named pipe', () => {
    const folder = copiedTree();
    mkdirSync(join(folder, '7'));
    execFileSync('mkfifo', [join(folder, '7/stat')]);
    expect(read(folder)).toMatchObject({ size: 0, failed: 1 });
  });

  it.runIf(process.platform === 'linux')('holds this process', () => {
    const table = read('/proc');
    const index = table.indexOf(process.pid);
    expect(index).toBeGreaterThanOrEqual(0);
    expect(table.ppidAt(index)).toBe(process.ppid);
    expect(table.threadsAt(index)).toBeGreaterThan(1);
  });
});
