import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forecast, type LimitedScope, type PidScope, zombieBytes } from '../../../src/scanner/forecast.ts';

function scope(
  scope: PidScope['scope'],
  used: number,
  limit: number,
  slopePerSecond: number | null,
): PidScope {
  return { scope, used, limit, slopePerSecond };
}

function memory(used: number, freeBytes: number, slopePerSecond: number | null): LimitedScope {
  return { scope: 'memory', used, freeBytes, slopePerSecond };
}

function secondsOf(limited: LimitedScope): number | null | undefined {
  return forecast([limited]).limitUses[0]?.secondsToExhaustion;
}

describe('forecast', () => {
  it('divides what is left by the growth', () => {
    expect(forecast([scope('pod', 100, 1000, 0.5)]).limitUses).toEqual([
      {
        scope: 'pod',
        podUid: null,
        namespace: null,
        pod: null,
        containerId: null,
        container: null,
        used: 100,
        limit: 1000,
        newPerHour: 1800,
        secondsToExhaustion: 1800,
      },
    ]);
  });

  it.each([
    [1 / 7, 514.3],
    [-1 / 7, -514.3],
    [1e-6, 0],
  ])('rounds %d a second to %d an hour', (slope, newPerHour) => {
    expect(forecast([scope('pod', 1, 10, slope)]).limitUses[0]?.newPerHour).toBe(newPerHour);
  });

  it('keeps the names', () => {
    const names = { podUid: 'u', namespace: 'n', pod: 'p', containerId: 'i', container: 'c' };
    expect(forecast([{ ...memory(1, 0, null), ...names }]).limitUses[0]).toMatchObject(names);
  });

  it.each([
    { growth: 'is not known yet', slope: null },
    { growth: 'is none', slope: 0 },
    { growth: 'is negative', slope: -1 },
  ])('forecasts nothing where growth $growth', ({ slope }) => {
    expect(secondsOf(scope('pod', 1, 10, slope))).toBeNull();
    expect(secondsOf(memory(1, 1e9, slope))).toBeNull();
  });

  it('says 0 where nothing is left, growing or not', () => {
    expect(secondsOf(scope('pod', 10, 10, null))).toBe(0);
    expect(secondsOf(scope('pid_max', 11, 10, -1))).toBe(0);
    expect(secondsOf(scope('kubepods', 0, 0, 1))).toBe(0);
  });

  it('forecasts no more than ten years', () => {
    const tenYears = 10 * 365 * 86_400;
    expect(secondsOf(scope('pid_max', 0, tenYears, 1))).toBe(tenYears);
    expect(secondsOf(scope('pid_max', 0, tenYears + 1, 1))).toBeNull();
    expect(secondsOf(scope('pid_max', 0, 4_194_304, Number.MIN_VALUE))).toBeNull();
  });

  describe('of memory', () => {
    it('counts the zombies that what is free has room for', () => {
      const [use] = forecast([memory(7, 10 * zombieBytes + 1, 1)]).limitUses;
      expect(use).toMatchObject({ scope: 'memory', used: 7, limit: 17, secondsToExhaustion: 10 });
    });

    it('that is full is in no sight of zombies: it is full of something else', () => {
      for (const slope of [null, 0, 0.1, 1e6]) {
        expect(secondsOf(memory(7, 0, slope))).toBeNull();
        expect(secondsOf(memory(7, zombieBytes - 1, slope))).toBeNull();
        expect(secondsOf(memory(7, -5, slope))).toBeNull();
      }
      expect(forecast([memory(7, -1e6, null)]).limitUses[0]?.limit).toBe(7);
    });

    it('that is nearly full lasts a second at least', () => {
      expect(secondsOf(memory(7, zombieBytes, 1000))).toBe(1);
    });

    it('kills a container of 128 MiB at about 13,900 zombies', () => {
      expect(forecast([memory(0, 128 * 1024 * 1024, 1)]).limitUses[0]?.limit).toBe(13_981);
    });
  });

  it('puts the soonest first, then the fullest', () => {
    const { limitUses } = forecast([
      scope('pid_max', 10, 100, null),
      scope('threads-max', 50, 100, 0),
      scope('pod', 0, 100, 1),
      scope('kubepods', 0, 50, 1),
      scope('kubepods', 900, 1000, null),
    ]);
    expect(limitUses.map(({ used, limit }) => [used, limit])).toEqual([
      [0, 50],
      [0, 100],
      [900, 1000],
      [50, 100],
      [10, 100],
    ]);
  });

  describe('the node', () => {
    it('stands as the limit that binds first', () => {
      const { pids } = forecast([
        scope('pid_max', 1000, 32_768, 1),
        scope('threads-max', 1000, 60_000, 1),
        scope('pod', 300, 1024, 1),
        memory(290, 100 * zombieBytes, 1),
      ]);
      expect(pids).toEqual({ used: 290, limit: 390, limitedBy: 'memory', secondsToExhaustion: 100 });
    });

    it.each([
      { lower: 'pid_max', pidMax: 32_768, threadsMax: 60_000, limit: 32_768 },
      { lower: 'threads-max', pidMax: 4_194_304, threadsMax: 60_000, limit: 60_000 },
      { lower: 'pid_max', pidMax: 60_000, threadsMax: 60_000, limit: 60_000 },
    ])(
      'stands by $lower, the lower of its own two, where nothing grows',
      ({ lower, pidMax, threadsMax, limit }) => {
        const { pids } = forecast([
          scope('pod', 1000, 1024, null),
          scope('pid_max', 10, pidMax, 0),
          scope('threads-max', 10, threadsMax, 0),
        ]);
        expect(pids).toEqual({ used: 10, limit, limitedBy: lower, secondsToExhaustion: null });
      },
    );

    it('stands by the one that is known', () => {
      expect(forecast([scope('threads-max', 10, 60_000, null)]).pids).toMatchObject({
        limit: 60_000,
        limitedBy: 'threads-max',
      });
      const unknown = { used: null, limit: null, limitedBy: null, secondsToExhaustion: null };
      expect(forecast([scope('pod', 1, 10, null)]).pids).toEqual(unknown);
      expect(forecast([]).pids).toEqual(unknown);
    });
  });

  it('never forecasts what is not a whole number of seconds from now on, whatever it is given', () => {
    const count = fc.nat({ max: 5_000_000 });
    const slopePerSecond = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }));
    const any = fc.oneof(
      fc.record({
        scope: fc.constantFrom('pid_max', 'threads-max', 'pod', 'kubepods'),
        used: count,
        limit: count,
        slopePerSecond,
      }),
      fc.record({ scope: fc.constant('memory'), used: count, freeBytes: fc.integer(), slopePerSecond }),
    );
    fc.assert(
      fc.property(fc.array(any), (scopes) => {
        const { limitUses, pids } = forecast(scopes);
        expect(limitUses).toHaveLength(scopes.length);
        const seconds = limitUses.map((use) => use.secondsToExhaustion);
        expect(seconds.every((value) => value === null || (Number.isInteger(value) && value >= 0))).toBe(
          true,
        );
        const known = seconds.filter((value) => value !== null);
        expect(known).toEqual(known.toSorted((a, b) => a - b));
        expect(seconds.slice(0, known.length)).toEqual(known);
        expect(pids.secondsToExhaustion).toBe(known[0] ?? null);
      }),
    );
  });
});
