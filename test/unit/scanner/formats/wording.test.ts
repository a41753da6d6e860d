import { describe, expect, it } from 'vitest';
import {
  bindingLimit,
  duration,
  exhaustion,
  limitOf,
  nodePids,
  placeOf,
  rate,
  share,
} from '../../../../src/scanner/formats/wording.ts';
import { groupWith, nodeLimit, podLimit, reportOfLeak, reportWith, unknownGroup } from './reports.ts';

describe('duration', () => {
  it.each([
    [0, '0 s'],
    [0.4, '0 s'],
    [45.9, '45 s'],
    [60, '1 min'],
    [119, '1 min 59 s'],
    [12_000, '3 h 20 min'],
    [3_600, '1 h'],
    [86_400 + 59, '1 d'],
    [187_200, '2 d 4 h'],
    [40 * 86_400, '40 d'],
  ])('writes %d seconds as %s', (seconds, words) => {
    expect(duration(seconds)).toBe(words);
  });
});

describe('rate', () => {
  it.each([
    [0, '0'],
    [-0.01, '0'],
    [0.25, '0.3'],
    [9.5, '9.5'],
    [90.4, '90'],
    [-12.3, '-12'],
  ])('writes %d as %s', (perHour, words) => {
    expect(rate(perHour)).toBe(words);
  });
});

describe('share', () => {
  it.each([
    [0, 100, '0 %'],
    [1, 32_768, '<1 %'],
    [999, 1000, '99 %'],
    [1000, 1000, '100 %'],
    [1, 0, '100 %'],
  ])('writes %d of %d as %s', (used, limit, words) => {
    expect(share(used, limit)).toBe(words);
  });
});

describe('placeOf', () => {
  it.each([
    [{}, 'shop/web-1 · app'],
    [{ container: null }, 'shop/web-1 · container 3f4a3f4a3f4a'],
    [{ container: null, containerId: null }, 'shop/web-1'],
    [
      { namespace: null, pod: null, container: null },
      'uid 0b5f2c1e-7a57-4c8e-9d3e-1f2a3b4c5d6e · container 3f4a3f4a3f4a',
    ],
    [{ namespace: null, pod: null, podUid: null, container: null }, 'container 3f4a3f4a3f4a'],
    [unknownGroup(), null],
  ])('names %j: %s', (fields, place) => {
    expect(placeOf(groupWith(fields))).toBe(place);
  });
});

describe('limitOf', () => {
  it.each([
    [nodeLimit('pid_max', 1, 32_768), 'pid_max 32768'],
    [nodeLimit('threads-max', 1, 15_000), 'threads-max 15000'],
    [nodeLimit('kubepods', 1, 8_000), 'all pods together, pids.max 8000'],
    [podLimit(), 'pod shop/web-1, pids.max 1024'],
    [podLimit({ namespace: null, pod: null }), 'pod uid 0b5f2c1e-7a57-4c8e-9d3e-1f2a3b4c5d6e, pids.max 1024'],
    [{ scope: 'pod' as const, limit: 1024 }, 'pod unknown, pids.max 1024'],
    [
      podLimit({ scope: 'memory', container: 'app', limit: 13_900 }),
      'memory of shop/web-1 · app, room for 13900 processes',
    ],
  ])('names %j', (limit, words) => {
    expect(limitOf(limit)).toBe(words);
  });
});

describe('the forecast', () => {
  it('names the limit that it is about', () => {
    expect(exhaustion(reportOfLeak())).toBe('in 3 h 20 min: pod shop/web-1, pids.max 1024');
    expect(exhaustion(reportOfLeak({ limits: [] }))).toBe('in 3 h 20 min: pod unknown, pids.max 1024');
  });

  it('takes the limit with the figures of the report, of several of one scope', () => {
    const limits = [podLimit({ pod: 'other', used: 5 }), podLimit()];
    expect(bindingLimit(reportOfLeak({ limits }))?.pod).toBe('web-1');
  });

  it('says when it is over', () => {
    const { pids } = reportOfLeak();
    expect(exhaustion(reportOfLeak({ pids: { ...pids, secondsToExhaustion: 0 } }))).toMatch(/^now: pod shop/);
  });

  it('says nothing where none is in sight', () => {
    expect(exhaustion(reportWith())).toBeNull();
  });
});

describe('nodePids', () => {
  it('is the use of the node, also where the limit of a pod binds first', () => {
    expect(nodePids(reportWith())).toEqual({ used: 1102, limit: 32_768 });
    const limits = [podLimit(), nodeLimit('pid_max', 1102, 32_768), nodeLimit('threads-max', 1102, 15_000)];
    expect(nodePids(reportOfLeak({ limits }))).toEqual({ used: 1102, limit: 15_000 });
    expect(nodePids(reportOfLeak({ limits: [podLimit()] }))).toEqual({ used: null, limit: null });
  });

  it('keeps the use where no limit is known', () => {
    const pids = { used: 7, limit: null, limitedBy: null, secondsToExhaustion: null, unreadable: 0 };
    expect(nodePids(reportWith({ pids, limits: [] }))).toEqual({ used: 7, limit: null });
  });
});
