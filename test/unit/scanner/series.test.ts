import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Series } from '../../../src/scanner/series.ts';

/** A series of samples that are `interval` seconds apart. */
function seriesOf(values: readonly number[], interval = 15): Series {
  const series = new Series();
  for (const [index, value] of values.entries()) series.add(1000 + index * interval, value);
  return series;
}

function line(length: number, start: number, step: number): number[] {
  return Array.from({ length }, (_, index) => start + index * step);
}

/** The most wild samples that Theil–Sen withstands whatever they are: fewer than half of the pairs hold one. */
function mostOutliers(length: number): number {
  return Math.floor(0.29 * (length - 1));
}

describe('Series', () => {
  it('knows no slope below six samples', () => {
    expect(new Series().slope()).toBeNull();
    expect(seriesOf(line(5, 0, 1)).slope()).toBeNull();
    expect(seriesOf(line(6, 0, 15)).slope()).toBe(1);
  });

  it('says what the slope is now, also when it was asked before', () => {
    const series = seriesOf(line(5, 0, 15));
    expect(series.slope()).toBeNull();
    series.add(1075, 75);
    expect(series.slope()).toBe(1);
    for (let index = 0; index < 30; index += 1) series.add(1090 + index * 15, 75);
    expect(series.slope()).toBe(0);
  });

  it('ignores samples that are not after the one before, and those that are no numbers', () => {
    const series = seriesOf(line(6, 0, 15));
    series.add(1075, 1e6);
    series.add(500, 1e6);
    series.add(Number.NaN, 1e6);
    series.add(Number.POSITIVE_INFINITY, 1e6);
    series.add(1090, Number.NaN);
    expect(series.length).toBe(6);
    series.add(1090, 90);
    expect(series.length).toBe(7);
    expect(series.slope()).toBe(1);
  });

  it('keeps 64 samples at most, and of a long time no fewer than half of them', () => {
    const series = new Series();
    for (let index = 0; index < 10_000; index += 1) {
      series.add(index * 15, index);
      expect(series.length).toBeLessThanOrEqual(64);
      if (index >= 64) expect(series.length).toBeGreaterThanOrEqual(32);
    }
  });

  it.each([{ interval: 1 }, { interval: 15 }, { interval: 60 }])(
    'looks back an hour to two, at passes every $interval s',
    ({ interval }) => {
      // Flat for hours, then a slope for as long as the series should reach back: the flat part is forgotten.
      const growing = Math.ceil((2 * 3600) / interval);
      const values = [...line(5 * growing, 0, 0), ...line(growing, 0, interval)];
      expect(seriesOf(values, interval).slope()).toBeCloseTo(1, 1);
    },
  );

  it('keeps what spans an hour already at the pace at which it comes', () => {
    const series = seriesOf(line(64, 0, 600), 600);
    series.add(1000 + 64 * 600, 64 * 600);
    expect(series.length).toBe(64);
    expect(series.slope()).toBe(1);
  });

  it('takes up regular samples again after a gap of hours', () => {
    const series = new Series();
    for (let index = 0; index < 40; index += 1) series.add(index, index);
    for (let index = 0; index < 400; index += 1) series.add(36_000 + index * 15, 40 + index * 15);
    expect(series.slope()).toBeCloseTo(1, 5);
  });

  describe('growth that begins', () => {
    it.each([{ interval: 1 }, { interval: 15 }, { interval: 60 }])(
      'after quiet hours is seen within four looks, and about right within twelve, at looks every $interval s',
      ({ interval }) => {
        const quiet = line(Math.ceil(7200 / interval), 10, 0);
        for (let looks = 0; looks <= 600; looks += 1) {
          const slope = seriesOf([...quiet, ...line(looks, 260, 250)], interval).slope() ?? Number.NaN;
          if (looks < 3) expect(slope).toBe(0);
          if (looks >= 4) expect(slope).toBeGreaterThan(0);
          if (looks >= 11) {
            expect(slope).toBeGreaterThan(250 / interval / 1.5);
            expect(slope).toBeLessThan((250 / interval) * 1.001);
          }
        }
      },
    );

    it('is seen after hours in which some came and went', () => {
      const restless = Array.from({ length: 480 }, (_, index) => 10 + (index % 3));
      expect(seriesOf([...restless, ...line(12, 260, 250)]).slope()).toBeCloseTo(250 / 15, 5);
    });

    it('is seen on a node from which a container with many of its own was removed', () => {
      const before = line(240, 8000, 0).map((value, index) => value - (index % 2));
      const after = line(240, 3000, 0).map((value, index) => value - (index % 2));
      expect(seriesOf([...before, ...after, ...line(12, 3250, 250)]).slope()).toBeCloseTo(250 / 15, 5);
    });
  });

  describe('a burst', () => {
    it.each([6, 10, 30, 64, 200, 480])('after %d quiet looks is no growth at any look since', (quiet) => {
      for (let looks = 0; looks <= 400; looks += 1)
        expect(seriesOf([...line(quiet, 10, 0), ...line(looks, 310, 0)]).slope()).toBe(0);
    });

    it('that two looks saw is no growth either', () => {
      for (let looks = 0; looks <= 100; looks += 1)
        expect(seriesOf([...line(30, 10, 0), 160, ...line(looks, 310, 0)]).slope()).toBe(0);
    });
  });

  describe('one zombie now and then', () => {
    it.each([5, 10, 20, 30, 40, 50, 60, 90, 120, 300, 600])(
      'that is left every %d s is counted within 15 %%, at any look once there is an hour',
      (period) => {
        const values = Array.from({ length: 480 }, (_, index) => Math.floor((index * 15) / period));
        for (let looks = 300; looks <= 480; looks += 1) {
          const each = 1 / (seriesOf(values.slice(0, looks)).slope() ?? Number.NaN);
          expect(each).toBeGreaterThan(period * 0.85);
          expect(each).toBeLessThan(period * 1.15);
        }
      },
    );
  });

  describe('a restart of what is counted', () => {
    it('leaves the slope of the new life once it has six samples', () => {
      const growing = line(30, 0, 15);
      for (let lived = 0; lived <= 30; lived += 1) {
        expect(seriesOf([...growing, ...line(lived, 0, 30)]).slope()).toBeCloseTo(lived < 6 ? 1 : 2, 5);
      }
    });

    it('leaves a slope of 0 where nothing comes any more', () => {
      expect(seriesOf([...line(30, 0, 15), ...line(6, 0, 0)]).slope()).toBe(0);
    });

    it('is not seen in a single sample of 0', () => {
      const values = line(40, 1500, 15);
      values[20] = 0;
      values[28] = 0;
      expect(seriesOf(values).slope()).toBe(1);
      // With one of them only the last six would be left, and half of those are wild.
      const late = line(40, 1500, 15);
      for (const [index, value] of [
        [34, 0],
        [36, 2500],
        [38, 2600],
      ] as const)
        late[index] = value;
      expect(seriesOf(late).slope()).toBe(1);
    });

    it('is not seen where some of many vanish', () => {
      const values = [...line(30, 3000, 15), ...line(7, 1500, 30)];
      expect(seriesOf(values).slope()).toBe(1);
    });

    it('that comes again and again is a saw, which does not grow', () => {
      const teeth = [...line(15, 0, 30), ...line(15, 0, 30), ...line(15, 0, 30), ...line(15, 0, 30)];
      expect(Math.abs(seriesOf(teeth).slope() ?? Number.NaN)).toBeLessThan(0.2);
    });
  });

  describe('a saw of hours', () => {
    it.each([3, 4, 6, 8, 15, 16, 40])('with teeth of %d looks does not grow at any of them', (tooth) => {
      for (const base of [0, 1000]) {
        const values = Array.from({ length: 700 }, (_, index) => base + (index % tooth) * 30);
        for (let looks = 480; looks <= 700; looks += 1)
          expect(Math.abs(seriesOf(values.slice(0, looks)).slope() ?? Number.NaN)).toBeLessThan(0.2);
      }
    });

    it('grows once it leaves its teeth behind', () => {
      const teeth = Array.from({ length: 480 }, (_, index) => (index % 15) * 30);
      expect(seriesOf([...teeth, ...line(40, 0, 30)]).slope()).toBeCloseTo(2, 5);
    });
  });

  describe('of any samples', () => {
    const times = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 6, maxLength: 200 });

    it('has exactly the slope of a line', () => {
      fc.assert(
        fc.property(
          times,
          fc.integer({ min: -1000, max: 1000 }),
          fc.integer({ min: 0, max: 1e6 }),
          (gaps, step, start) => {
            const series = new Series();
            let seconds = 0;
            for (const gap of gaps) {
              seconds += gap;
              series.add(seconds, start + step * seconds);
            }
            // Without the sign of a zero.
            expect((series.slope() ?? Number.NaN) + 0).toBe(step);
          },
        ),
      );
    });

    it('is not carried away by 29 % of wild ones, nor of the newest twelve', () => {
      const cases = fc.integer({ min: 6, max: 64 }).chain((length) =>
        fc.record({
          length: fc.constant(length),
          step: fc.integer({ min: 0, max: 1000 }),
          start: fc.integer({ min: 0, max: 1e6 }),
          outliers: fc.array(
            fc.tuple(fc.nat({ max: length - 1 }), fc.double({ noNaN: true, min: -1e9, max: 1e9 })),
            { maxLength: mostOutliers(length) },
          ),
        }),
      );
      fc.assert(
        fc.property(cases, ({ length, step, start, outliers }) => {
          const values = line(length, start, step);
          for (const [index, value] of outliers) values[index] = value;
          // Six wild ones in a row that are about 0 are a restart.
          fc.pre(!hasRunOfSix(outliers.map(([index]) => index)));
          // The newest twelve stand on their own.
          const newest = new Set(outliers.map(([index]) => index).filter((index) => index >= length - 12));
          fc.pre(newest.size <= mostOutliers(12));
          // What does not rise of late does not grow any more.
          const late = values.slice(length - Math.floor(length / 3));
          fc.pre(step === 0 || late.some((value, index) => index > 0 && value > (late[index - 1] ?? value)));
          expect((seriesOf(values, 1).slope() ?? Number.NaN) + 0).toBe(step);
        }),
      );
    });

    it('does not depend on when it was asked before', () => {
      const values = fc.array(fc.nat({ max: 1000 }), { minLength: 140, maxLength: 140 });
      fc.assert(
        fc.property(values, (values) => {
          const asked = new Series();
          for (const [index, value] of values.entries()) {
            asked.add(1000 + index * 15, value);
            expect(asked.slope()).toBe(seriesOf(values.slice(0, index + 1)).slope());
          }
        }),
        { numRuns: 5 },
      );
    });

    it('is unknown where it is beyond all numbers', () => {
      const series = new Series();
      for (let index = 0; index < 6; index += 1) series.add(index * Number.MIN_VALUE, index * 1e300);
      expect(series.slope()).toBeNull();
    });

    it('is never NaN nor infinite, and never throws', () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.double(), fc.double()), { maxLength: 150 }), (samples) => {
          const series = new Series();
          for (const [seconds, value] of samples.toSorted(([a], [b]) => a - b)) series.add(seconds, value);
          const slope = series.slope();
          expect(slope === null || Number.isFinite(slope)).toBe(true);
          expect(series.length).toBeLessThanOrEqual(64);
        }),
      );
    });
  });
});

function hasRunOfSix(indexes: readonly number[]): boolean {
  const set = new Set(indexes);
  return [...set].some((index) => [1, 2, 3, 4, 5].every((offset) => set.has(index + offset)));
}
