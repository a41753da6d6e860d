import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { npdFile, npdResult } from '../../../../src/scanner/formats/npd.ts';
import type { ScanReport } from '../../../../src/scanner/report.ts';
import {
  anyReport,
  groupWith,
  hostileText,
  nodeLimit,
  podLimit,
  reportOfLeak,
  reportWith,
  unknownGroup,
} from './reports.ts';

const judged = (report: ScanReport | Error, problemFrom = 1) => npdResult(report, { problemFrom });
const day = 24 * 3_600;

/** A report of which the pod limit is used up in so many seconds. */
function exhaustedIn(secondsToExhaustion: number): ScanReport {
  const { pids } = reportOfLeak();
  return reportOfLeak({ groups: [], zombies: 3, pids: { ...pids, secondsToExhaustion } });
}

/** A report without zombies in which so many of 1,102 threads could not be read. */
function unreadable(count: number): ScanReport {
  return reportWith({ pids: { ...reportWith().pids, unreadable: count } });
}

describe('npdResult', () => {
  it('is OK without zombies', () => {
    expect(judged(reportWith())).toEqual({ status: 0, message: 'No zombies' });
  });

  it('is OK with fewer than are a problem', () => {
    const report = reportWith({ groups: [unknownGroup()] });
    expect(judged(report, 3)).toEqual({ status: 0, message: '2 zombies, fewer than 3' });
    expect(judged(report, 2)).toEqual({
      status: 1,
      message: '2 zombies; 2 unreaped-child? of unknown parent',
    });
  });

  it('names the worst group', () => {
    expect(judged(reportWith({ groups: [groupWith(), unknownGroup()] })).message).toBe(
      '302 zombies; 300 orphan of shop/web-1 app',
    );
    const outside = unknownGroup({ parent: groupWith().parent });
    expect(judged(reportWith({ groups: [outside] })).message).toBe(
      '2 zombies; 2 unreaped-child? of PID 4711 sleep',
    );
  });

  it('is a problem where a limit is used up within a day', () => {
    expect(judged(exhaustedIn(12_000), 100)).toEqual({
      status: 1,
      message: '3 zombies; PIDs exhausted in 3 h 20 min: pod shop/web-1, pids.max 1024',
    });
    expect(judged(exhaustedIn(day - 1), 100).status).toBe(1);
    expect(judged(exhaustedIn(day), 100).status).toBe(0);
  });

  it('is a problem where nine tenths of a limit are used', () => {
    const used = (count: number) => judged(reportWith({ limits: [podLimit({ used: count, limit: 1000 })] }));
    expect(used(899).status).toBe(0);
    expect(used(900)).toEqual({
      status: 1,
      message: '0 zombies; 90 % used of pod shop/web-1, pids.max 1000',
    });
    const full = nodeLimit('pid_max', 30_000, 32_768);
    expect(judged(reportWith({ limits: [full] })).message).toBe('0 zombies; 91 % used of pid_max 32768');
  });

  it('is no problem where memory is nearly used up, but not by zombies', () => {
    expect(judged(reportWith({ limits: [podLimit({ scope: 'memory', used: 9, limit: 10 })] })).status).toBe(
      0,
    );
  });

  it('is unknown where there was an error', () => {
    expect(judged(new Error('/proc: not a procfs\nat x'))).toEqual({
      status: 2,
      message: 'Unknown: /proc: not a procfs\\x0aat x',
    });
  });

  it('is unknown where most processes are hidden and no zombie was seen', () => {
    expect(judged(unreadable(5))).toEqual({
      status: 0,
      message: 'No zombies, but 5 processes or threads could not be looked at',
    });
    expect(judged(unreadable(551)).status).toBe(0);
    expect(judged(unreadable(1090))).toEqual({
      status: 2,
      message: 'Unknown: 1090 processes or threads could not be looked at',
    });
    expect(judged({ ...unreadable(1090), zombies: 2 }).status).toBe(1);
  });

  it('has one line of at most 80 printable ASCII characters, whatever it says', () => {
    const error = hostileText.map((text) => new Error(text));
    fc.assert(
      fc.property(fc.oneof(anyReport, error), fc.nat(1000), (look, problemFrom) => {
        expect(npdResult(look, { problemFrom }).message).toMatch(/^[\x20-\x7e]{1,80}$/);
      }),
    );
  });

  it('shows that it was cut', () => {
    const { message } = judged(new Error('x'.repeat(100)));
    expect(message).toHaveLength(80);
    expect(message).toMatch(/x\.\.\.$/);
  });
});

describe('npdFile', () => {
  it('has the time, the status and the message', () => {
    expect(npdFile({ status: 1, message: '3 zombies' }, 1_795_143_600.9)).toBe('1795143600\n1\n3 zombies\n');
  });
});
