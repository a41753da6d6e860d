import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Series } from '../../../src/scanner/series.ts';

const hour = 3600;
/** A look a minute: the least that a leak of days needs. */
const interval = 60;

/** When zombies come that stay, in seconds; without an end. */
type Arrivals = () => Generator<number>;

/** One after the other, with the same time between. */
function regular(perHour: number): Arrivals {
  return function* () {
    for (let number = 1; ; number += 1) yield (number * hour) / perHour;
  };
}

/** At random (Poisson), but never more than six mean intervals apart, since from ten on a leak counts as ended. */
function random(perHour: number, seed: number): Arrivals {
  return function* () {
    const uniform = randomNumbers(seed);
    for (let seconds = 0; ; ) {
      seconds += (Math.min(6, -Math.log(1 - uniform())) * hour) / perHour;
      yield seconds;
    }
  };
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a group with a leak is said to gain in an hour, look by look. */
class Watch {
  readonly series = new Series();
  seconds = 0;
  /** Of the zombies that stay. */
  came = 0;

  /**
   * Looks for so many hours.
   *
   * @param others Of zombies that go again, how many there are at that second.
   * @param onLook Hears what is said, null for nothing.
   */
  look(
    hours: number,
    { leak, others = () => 3 }: { leak?: Generator<number>; others?: (seconds: number) => number },
    onLook: (perHour: number | null) => void,
  ): void {
    const end = this.seconds + hours * hour;
    let next = leak?.next().value ?? Number.POSITIVE_INFINITY;
    for (; this.seconds < end; this.seconds += interval) {
      for (; next <= this.seconds; next = leak?.next().value) this.came += 1;
      this.series.add(this.seconds, others(this.seconds) + this.came);
      const slope = this.series.slope();
      onLook(slope === null ? null : Math.round(slope * hour * 10) / 10);
    }
  }
}

/** From 0.2 to 100 an hour, as many slow ones as fast ones. */
const rates = fc.double({ min: 0, max: 1, noNaN: true }).map((share) => 0.2 * 500 ** share);

describe('a leak', () => {
  it('of one every so many hours is told exactly from its sixth zombie on, without a break', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        const watch = new Watch();
        const said: (number | null)[] = [];
        watch.look(Math.max(3, 30 / rate), { leak: regular(rate)() }, (perHour) => {
          if (watch.came >= 8 && watch.seconds > 2 * hour) said.push(perHour);
        });
        for (const perHour of [Math.min(...said.map(Number)), Math.max(...said.map(Number))]) {
          expect(perHour).toBeGreaterThan(0);
          expect(Math.abs(perHour - rate)).toBeLessThan(0.15 * rate + 0.1);
        }
      }),
      { numRuns: 12 },
    );
  });

  it('at random is never 0 after its first two dozen, and at most looks right within a factor of two', () => {
    fc.assert(
      fc.property(rates, fc.nat(), (rate, seed) => {
        const watch = new Watch();
        const said: number[] = [];
        watch.look(Math.max(8, 60 / rate), { leak: random(rate, seed)() }, (perHour) => {
          if (watch.came >= 24 && watch.seconds > 4 * hour) said.push(Number(perHour));
        });
        expect(Math.min(...said)).toBeGreaterThan(0);
        const right = said.filter((perHour) => perHour > rate / 2 - 0.1 && perHour < rate * 2 + 0.1);
        // In 800 of them it was 0.77 at the least, and 0.95 in all but eleven.
        expect(right.length / said.length).toBeGreaterThan(0.6);
      }),
      { numRuns: 12 },
    );
  });

  it('at random is seen by its twelfth zombie, and within two hours where these come sooner', () => {
    fc.assert(
      fc.property(rates, fc.nat(), (rate, seed) => {
        const watch = new Watch();
        let seen = false;
        watch.look(Math.max(3, 40 / rate), { leak: random(rate, seed)() }, (perHour) => {
          if (watch.came <= 12 || watch.seconds < 2 * hour) seen ||= Number(perHour) > 0;
        });
        expect(seen).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it('that ends is 0 after 25 of its intervals, and three and a half hours at least, and stays so', () => {
    fc.assert(
      fc.property(rates, fc.nat(), (rate, seed) => {
        const watch = new Watch();
        watch.look(Math.max(5, 40 / rate), { leak: random(rate, seed)() }, () => {});
        const endsAt = watch.seconds + Math.max(3.5, 25 / rate) * hour;
        let most = 0;
        watch.look(Math.max(5, 40 / rate), {}, (perHour) => {
          if (watch.seconds > endsAt) most = Math.max(most, Number(perHour));
        });
        expect(most).toBe(0);
      }),
      { numRuns: 8 },
    );
  });

  it('that becomes slower or faster is told anew within a factor of two after a dozen more and three hours', () => {
    for (const [before, after] of [
      [1, 10],
      [10, 1],
      [100, 2],
      [0.5, 4],
      [2, 60],
    ] as const) {
      const watch = new Watch();
      watch.look(Math.max(8, 30 / before), { leak: regular(before)() }, () => {});
      const changed = watch.seconds;
      const came = watch.came;
      function* later() {
        for (const seconds of regular(after)()) yield changed + seconds;
      }
      const said: number[] = [];
      watch.look(Math.max(5, 16 / after), { leak: later() }, (perHour) => {
        if (watch.came - came >= 12 && watch.seconds - changed > 3 * hour) said.push(Number(perHour));
      });
      expect(Math.min(...said)).toBeGreaterThan(after / 2);
      expect(Math.max(...said)).toBeLessThan(after * 2);
    }
  });

  it('beside others that are reaped after some minutes is told as well', () => {
    const uniform = randomNumbers(7);
    const watch = new Watch();
    const said: number[] = [];
    const others = () => Math.floor(uniform() * 4);
    watch.look(72, { leak: regular(1)(), others }, (perHour) => {
      if (watch.came >= 24) said.push(Number(perHour));
    });
    expect(Math.min(...said)).toBeGreaterThan(0.5);
    expect(Math.max(...said)).toBeLessThan(2);
  });

  it('of a cron job, many at once every hour, is told as what they come to', () => {
    const watch = new Watch();
    function* cron() {
      for (let run = 1; ; run += 1) for (let one = 0; one < 20; one += 1) yield run * hour + one * 15;
    }
    const said: number[] = [];
    watch.look(36, { leak: cron() }, (perHour) => {
      if (watch.seconds > 8 * hour) said.push(Number(perHour));
    });
    expect(Math.min(...said)).toBeGreaterThan(15);
    expect(Math.max(...said)).toBeLessThan(25);
  });
});

describe('without zombies that stay', () => {
  /** The part of looks at which growth was told. */
  function growingPart(hours: number, others: (seconds: number) => number): number {
    const watch = new Watch();
    let [growing, looks] = [0, 0];
    watch.look(hours, { others }, (perHour) => {
      if (watch.seconds < 2 * hour) return;
      looks += 1;
      if (perHour !== null && perHour > 0) growing += 1;
    });
    return growing / looks;
  }

  it('there is no growth after a start beside any number, ever', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), (count) => {
        expect(growingPart(12, () => count)).toBe(0);
      }),
      { numRuns: 5 },
    );
  });

  it('there is none of bursts, fewer than six of them', () => {
    const bursts = fc.array(
      fc.record({ at: fc.nat({ max: 48 * hour }), size: fc.integer({ min: 1, max: 1000 }) }),
      {
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(bursts, (bursts) => {
        const others = (seconds: number) =>
          bursts.filter(({ at }) => at <= seconds).reduce((sum, { size }) => sum + size, 0);
        expect(growingPart(60, others)).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it('there is none of zombies that are reaped at a fixed age', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 360 }),
        (everyMinutes, livingMinutes) => {
          const others = (seconds: number) => {
            const minutes = seconds / 60;
            const born = Math.floor(minutes / everyMinutes);
            const died = Math.max(0, Math.floor((minutes - livingMinutes) / everyMinutes));
            return minutes < livingMinutes ? born : born - died;
          };
          // While the first live, nobody has been reaped yet.
          const watch = new Watch();
          let most = 0;
          watch.look(40, { others }, (perHour) => {
            if (watch.seconds > 20 * hour) most = Math.max(most, Number(perHour));
          });
          expect(most).toBe(0);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('there is none, but for less than 3 of 100 looks, of zombies that are reaped at random', () => {
    const churn = fc.record({
      perHour: fc.integer({ min: 1, max: 300 }),
      livingHours: fc.double({ min: 0.02, max: 2, noNaN: true }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(churn, ({ perHour, livingHours, seed }) => {
        const uniform = randomNumbers(seed);
        let count = Math.round(perHour * livingHours);
        const others = () => {
          const gone = 1 - Math.exp(-interval / hour / livingHours);
          const there = count;
          for (let zombie = 0; zombie < there; zombie += 1) if (uniform() < gone) count -= 1;
          for (let sum = -Math.log(1 - uniform()); sum < (perHour * interval) / hour; count += 1)
            sum -= Math.log(1 - uniform());
          return count;
        };
        expect(growingPart(72, others)).toBeLessThan(0.03);
      }),
      { numRuns: 8 },
    );
  });

  it('there is none of a clock that jumps ahead', () => {
    const series = new Series();
    for (let look = 0; look < 500; look += 1) {
      const jump = look < 200 ? 0 : 30 * 24 * hour;
      series.add(look * interval + jump, look < 200 ? 5 : 6);
      expect(Math.max(0, series.slope() ?? 0)).toBe(0);
    }
  });
});
