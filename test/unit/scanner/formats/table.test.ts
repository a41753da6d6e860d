import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanTable } from '../../../../src/scanner/formats/table.ts';
import type { ScanReport } from '../../../../src/scanner/report.ts';
import { columnsOf, terminalOf } from '../../../../src/terminal.ts';
import {
  anyReport,
  groupWith,
  parent,
  remedyCheck,
  reportOfLeak,
  reportWith,
  unknownGroup,
} from './reports.ts';

/** The table without colour, as lines. */
function shown(report: ScanReport, width = 140): string[] {
  return scanTable(report, terminalOf({}, { COLUMNS: String(width) }))
    .split('\n')
    .slice(0, -1);
}

const probe = {
  container: 'app',
  kind: 'liveness' as const,
  command: ['sh', '-c', 'timeout 1 redis-cli -a hunter2 ping'],
  periodSeconds: 40,
  zombiesPerRun: 1,
};

describe('scanTable', () => {
  it('says what there is, whose it is and what to do', () => {
    const report = reportOfLeak({ groups: [groupWith({ probe }), unknownGroup()] });
    expect(shown(report)).toEqual([
      'node-1: 302 zombies in 2 groups; 1102 of 32768 PIDs used (3 %); at this pace exhausted in 3 h 20 min: pod shop/web-1, pids.max 1024',
      '',
      'COUNT  KIND             AGE         NEW/H  PARENT      POD               OWNER           FIX BY',
      '300    orphan           3 h 20 min  90     4711 sleep  shop/web-1 · app  Deployment/web  an init',
      '  fix      PID 1 (sleep (PID 4711)) adopted them and never waits. It needs an init.',
      '  tree     systemd(1) › containerd-shim(812) › sleep(4711), PID 1 of its PID namespace',
      '  command  sleep infinity',
      "  probe    in step with the liveness probe of app, every 40 s, 1 zombie per run: sh -c 'timeout 1 redis-cli -a *** ping'",
      '  zombies  timeout, sh; PIDs 5001, 5002, 5003, 5004, 5005, …',
      '',
      '2      unreaped-child?  -           -      unknown     -                 -               the app',
      '  fix      Their parent is not visible from here.',
      '  zombies  make; PIDs 77, 78',
      '',
      'A ? marks what is likely, not certain.',
    ]);
  });

  it('puts what has no room side by side below each group', () => {
    expect(shown(reportOfLeak({ groups: [groupWith(), unknownGroup()] }), 60)).toEqual([
      'node-1: 302 zombies in 2 groups; 1102 of 32768 PIDs used (3',
      '%); at this pace exhausted in 3 h 20 min: pod shop/web-1,',
      'pids.max 1024',
      '',
      'COUNT  KIND             AGE         NEW/H  FIX BY',
      '300    orphan           3 h 20 min  90     an init',
      '  parent   4711 sleep',
      '  pod      shop/web-1 · app',
      '  owner    Deployment/web',
      '  fix      PID 1 (sleep (PID 4711)) adopted them and never',
      '           waits. It needs an init.',
      '  tree     systemd(1) › containerd-shim(812) › sleep(4711),',
      '           PID 1 of its PID namespace',
      '  command  sleep infinity',
      '  zombies  timeout, sh; PIDs 5001, 5002, 5003, 5004, 5005, …',
      '',
      '2      unreaped-child?  -           -      the app',
      '  parent   unknown',
      '  fix      Their parent is not visible from here.',
      '  zombies  make; PIDs 77, 78',
      '',
      'A ? marks what is likely, not certain.',
    ]);
  });

  it('says that there are none', () => {
    expect(shown(reportWith())).toEqual([
      'node-1: 0 zombies; 1102 of 32768 PIDs used (3 %)',
      '',
      'No zombies.',
    ]);
  });

  it('does not call a node clean that it could not look at', () => {
    const pids = { used: null, limit: null, limitedBy: null, secondsToExhaustion: null, unreadable: 12 };
    expect(shown(reportWith({ node: null, pids, limits: [] }))).toEqual([
      'This node: 0 zombies; PIDs in use unknown',
      '',
      'No zombies.',
      '',
      '-  12 processes or threads could not be looked at, so there may be some.',
    ]);
  });

  it('says what else a reader should know', () => {
    const pids = { ...reportWith().pids, limit: null, limitedBy: null, unreadable: 1 };
    const lines = shown(reportWith({ pids, groups: [unknownGroup()], notes: ['No cgroup tree.'] }));
    expect(lines[0]).toBe('node-1: 2 zombies; 1102 PIDs used, limit unknown');
    expect(lines.slice(-2)).toEqual([
      '-  No cgroup tree.',
      '-  1 process or thread could not be looked at, so there may be more.',
    ]);
  });

  it('says whether remedies work', () => {
    const fails = remedyCheck({ pod: 'cart-1', works: false, message: '3 zombies under its tini.' });
    const of = (...remedies: ScanReport['remedies']) => shown(reportWith({ remedies })).slice(4);
    expect(of(remedyCheck(), remedyCheck())).toEqual(['2 injected pods, all clean']);
    expect(of(remedyCheck(), fails, remedyCheck({ works: null }))).toEqual([
      '3 injected pods: 1 not working, 1 clean, 1 not known yet',
      '-  shop/cart-1 (tini, StatefulSet/cart): 3 zombies under its tini.',
    ]);
    expect(of(remedyCheck({ works: null }))).toEqual(['1 injected pod: 1 not known yet']);
  });

  it('stops where nobody would read on, and says what it left out', () => {
    const groups = Array.from({ length: 30 }, (_, index) => groupWith({ count: 40 - index }));
    const lines = shown(reportWith({ groups }));
    expect(lines).toContain('… and 65 zombies in 5 groups more: -o json has them all.');
    expect(lines.filter((line) => line.startsWith('  tree '))).toHaveLength(25);
  });

  it('leaves out a tree that says nothing', () => {
    const lone = groupWith({ parent: { ...parent, ancestors: [], isPid1: null, cmdline: null } });
    expect(shown(reportOfLeak({ groups: [lone] })).join('\n')).not.toMatch(/^ {2}(tree|command)/m);
  });

  it('paints what is urgent', () => {
    const terminal = terminalOf({}, { FORCE_COLOR: '1', COLUMNS: '200' });
    expect(scanTable(reportOfLeak(), terminal)).toMatch(/^\x1b\[1m\x1b\[31mnode-1: 300 zombies/);
    expect(scanTable(reportWith(), terminal)).toMatch(/^\x1b\[1mnode-1: 0 zombies/);
    expect(scanTable(reportOfLeak(), terminal).replace(/\x1b\[\d+m/g, '')).toBe(
      scanTable(reportOfLeak(), terminalOf({}, { COLUMNS: '200' })),
    );
  });

  it('shows what strangers wrote, and acts on none of it', () => {
    const hostile = groupWith({
      parent: { ...parent, comm: '\x1b[2Jrm\n', cmdline: 'a\u202eb\r\x9b0m' },
      pod: '<b>x</b>',
      comms: ['\x07'],
    });
    const text = shown(reportOfLeak({ groups: [hostile] })).join('\n');
    expect(text).toContain('4711 \\x1b[2Jrm\\x0a ');
    expect(text).toContain('command  a\\u{202e}b\\x0d\\x9b0m');
    expect(text).toContain('shop/<b>x</b> · app');
    expect(text).toContain('zombies  \\x07; ');
  });

  it('keeps to the width of the terminal', () => {
    fc.assert(
      fc.property(anyReport, fc.integer({ min: 40, max: 200 }), (report, width) => {
        for (const line of shown(report, width)) expect(columnsOf(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});
