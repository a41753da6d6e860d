import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scanJson } from '../../../src/scanner/formats/json.ts';
import { scanTable } from '../../../src/scanner/formats/table.ts';
import { directoryOf } from '../../../src/scanner/pod-facts.ts';
import { ProcTree } from '../../support/proc-tree.ts';
import { containerId, podUid, scan, scannerOf, shim, v2 } from './machine.ts';

let tree: ProcTree;
beforeEach(() => {
  tree = new ProcTree([
    shim,
    { pid: 200, ppid: 100, comm: 'app', nspid: [200, 1], cgroup: v2(podUid, containerId) },
    { pid: 201, ppid: 200, comm: 'sh', state: 'Z', nspid: [201, 2], cgroup: v2(podUid, containerId) },
  ]);
});
afterEach(() => tree.dispose());

const plain = { width: 100, colour: false, paint: (_: unknown, text: string) => text };
const files = [
  '200/stat',
  '200/status',
  '200/cgroup',
  '200/cmdline',
  '201/stat',
  '201/status',
  '201/cgroup',
  '1/stat',
];

describe('garbage', () => {
  it('in any file loses what stands there, and nothing else', () => {
    const garbage = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom(
        '',
        '\n',
        '0::',
        '0::/../../..\n',
        '201 (',
        '201 ) Z 1',
        `201 (x) Z ${'9'.repeat(400)}\n`,
      ),
      fc
        .string({ unit: 'grapheme', maxLength: 40 })
        .map((comm) => `201 (${comm}) Z 200 ${'1 '.repeat(48)}\n`),
    );
    fc.assert(
      fc.property(fc.constantFrom(...files), garbage, (file, text) => {
        const before = readFileSync(join(tree.path, file), 'utf8');
        tree.write(file, text);
        try {
          const report = scan(tree);
          expect(report.zombies).toBeLessThanOrEqual(2);
          for (const group of report.groups) expect([podUid, null]).toContain(group.podUid);
          expect(JSON.parse(scanJson(report))).toEqual(report);
          expect(scanTable(report, plain)).not.toMatch(/[^\P{Cc}\n]/u);
        } finally {
          tree.write(file, before);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('in the numbers of the machine leaves them unknown', () => {
    for (const file of ['loadavg', 'uptime', 'sys/kernel/pid_max']) tree.write(file, 'garbage\n');
    expect(scan(tree)).toMatchObject({ zombies: 1, pids: { used: 5, unreadable: 0 } });
  });
});

describe('a proc root that goes away', () => {
  it('fails the look, and the next one goes on', () => {
    const scanner = scannerOf(tree);
    scanner.look(directoryOf([]));
    const { path } = tree;
    rmSync(path, { recursive: true });
    expect(() => scanner.look(directoryOf([]))).toThrow(`${path} cannot be listed`);
  });

  it('counts what cannot be read', () => {
    tree.write('300/stat/not-a-file', '');
    expect(scan(tree)).toMatchObject({ zombies: 1, pids: { unreadable: 1 } });
  });
});

describe('a tree without end', () => {
  it('of parents ends all the same', () => {
    tree.add(
      { pid: 300, ppid: 301, comm: 'a', nspid: [300, 9] },
      { pid: 301, ppid: 300, comm: 'b', nspid: [301, 8] },
    );
    tree.add({ pid: 302, ppid: 301, comm: 'sh', state: 'Z', nspid: [302, 7], cgroup: '4:memory:/\n0::/\n' });
    const group = scan(tree).groups.find(({ parent }) => parent?.pid === 301);
    expect(group?.kind).toBe('unreaped-child');
    expect(group?.parent?.ancestors.length).toBeLessThanOrEqual(64);
  });
});

describe('a clock that jumps', () => {
  it('makes no age negative, and no growth of nothing', () => {
    const clock = { ms: 1_700_100_000_000, seconds: 0 };
    const scanner = scannerOf(tree, clock);
    for (const [ms, uptime] of [
      [0, 5],
      [9e15, 1],
      [-9e15, 1e9],
      [1_700_000_000_000, 0.5],
    ] as const) {
      clock.ms = Math.max(-8e15, Math.min(8e15, ms));
      clock.seconds += 15;
      tree.setUptime(uptime);
      const { groups } = scanner.look(directoryOf([]));
      for (const { oldestSeconds } of groups) expect(oldestSeconds).toBeGreaterThanOrEqual(0);
    }
  });
});
