import { type LastingGrowth, LastingRises } from './lasting-rises.ts';
import { presentLife, rises, Samples, sawTop } from './samples.ts';
import { at, fewestSamples, mostSamples, theilSen } from './theil-sen.ts';

/** How many of the newest samples are kept at the pace at which they come, however far apart the others are. */
const newestCapacity = 12;

/** How long back a full series ought to reach. */
const wantedSpanSeconds = 3600;

/** In how many of the newest intervals a count must rise for that to be growth: fewer may be one burst. */
const fewestRises = 3;

/** Two slopes that differ by no more than this factor tell of the same growth. */
const sameGrowthFactor = 1.5;

/** The hour counts more than what is known from longer where it rises in this part of its intervals. */
const densePart = 0.5;

/** For so long a count that comes and goes is not to be told from one that grows. */
const tideSeconds = 1800;

/** What the samples of an hour tell of what is counted now (see {@link presentLife}). */
class HourTrend {
  readonly #seconds: Float64Array;
  readonly #values: Float64Array;
  #slope: number | null | undefined;
  /** In how many of its intervals the count rose. */
  readonly rises: number;

  constructor(hour: Samples) {
    const start = presentLife(hour.values);
    this.#seconds = hour.seconds.subarray(start);
    this.#values = hour.values.subarray(start);
    this.rises = rises(this.#values);
  }

  /** The Theil–Sen slope; null where it is beyond all numbers. Computed when it is asked for, since it is costly. */
  get slope(): number | null {
    this.#slope ??= theilSen(this.#seconds, this.#values);
    return this.#slope;
  }

  /** Growth by these samples alone: only where the count rose often enough, and within their newest third. */
  get growth(): number | null {
    if (this.rises < fewestRises && this.risen >= 0) return 0;
    const roseLately = rises(this.#values.subarray(-Math.floor(this.#values.length / 3))) > 0;
    if (this.slope === null || this.slope <= 0) return this.slope;
    return roseLately && this.rises >= fewestRises ? this.slope : 0;
  }

  /** Since when what is counted now is counted. */
  get startSeconds(): number {
    return at(this.#seconds, 0);
  }

  get spanSeconds(): number {
    return at(this.#seconds, this.#seconds.length - 1) - this.startSeconds;
  }

  /** How much more is counted at the end than at the beginning. */
  get risen(): number {
    return at(this.#values, this.#values.length - 1) - at(this.#values, 0);
  }

  /** Whether it rose in so many intervals that it needs nothing else to be trusted. */
  get isDense(): boolean {
    return this.rises >= densePart * (this.#values.length - 1);
  }

  /** Up to where the count may climb and be no higher than a saw has taken it before; null where there is no saw. */
  get sawTop(): number | null {
    return sawTop(this.#values);
  }
}

/**
 * A count over time, and how fast it grows.
 *
 * It keeps an hour in 64 samples at most. When they are full and span less than that, every other one goes, and from
 * then on only every second one that arrives is kept; once they span an hour, the oldest makes room for the newest.
 * Beside them it keeps the newest 12 that arrived, so that growth which has just begun is seen, and the newest 32
 * rises that lasted, so that slow growth is.
 *
 * Samples whose time is not after that of the one before are ignored, so the clock ought to be one that is never
 * set back, such as the machine's uptime.
 */
export class Series {
  readonly #hour = new Samples(mostSamples);
  readonly #newest = new Samples(newestCapacity);
  readonly #lasting = new LastingRises();
  #firstSeconds = Number.NaN;
  /** Every how manieth sample is kept for the hour. */
  #stride = 1;
  #arrivedSinceKept = 0;
  #lastSeconds = Number.NEGATIVE_INFINITY;
  /** Kept since it is costly, and changes only with the samples of the hour. */
  #hourTrend: HourTrend | null = null;

  /** How many samples of the hour are kept. */
  get length(): number {
    return this.#hour.length;
  }

  /**
   * Takes a sample.
   *
   * @param seconds When it was taken, on a clock that only goes forward.
   * @param value The count. A sample that is not of two finite numbers is ignored.
   */
  add(seconds: number, value: number): void {
    if (!Number.isFinite(value) || !Number.isFinite(seconds) || seconds <= this.#lastSeconds) return;
    if (Number.isNaN(this.#firstSeconds)) this.#firstSeconds = seconds;
    this.#lastSeconds = seconds;
    this.#newest.add(seconds, value);
    this.#lasting.add(seconds, value);
    this.#arrivedSinceKept += 1;
    if (this.#hour.length > 0 && this.#arrivedSinceKept < this.#stride) return;
    this.#hourTrend = null;
    if (this.#hour.isFull && this.#hour.span < wantedSpanSeconds) {
      this.#hour.thinOut();
      this.#stride *= 2;
      return;
    }
    this.#hour.add(seconds, value);
    this.#arrivedSinceKept = 0;
  }

  /**
   * The growth per second, by the Theil–Sen estimate, the median of the slopes between all pairs of samples. It is
   * that of the first of these which tell of growth:
   *
   * 1. the newest 12 samples, if they rise in three intervals at least, and by more than ever within ten minutes
   *    before: what has just begun counts, a burst does not. Where the hour tells about the same, it is that of the
   *    hour, which is the more exact;
   * 2. the hour, if it rises in half of its intervals;
   * 3. the rises that lasted, six at least, as far back as nothing newer speaks against them. Where that holds for
   *    none, and the hour rose too seldom for a slope, it is the slower one of the newest of them and the hour;
   * 4. the hour, if it rises in three intervals, and in its newest third.
   *
   * A count that after half an hour is no higher than it came before and did not stay says nothing in 1, 2 and 4.
   * After a restart of what is counted (see {@link presentLife}) only the samples since then count. Where it falls
   * more than once, as that of a program which reaps now and then, all of them count, and the newest on their own only
   * once they leave the teeth of that saw behind: over several teeth the median is about 0, and a limit that they
   * never reach is no danger.
   *
   * @returns Null below 6 samples.
   */
  slope(): number | null {
    if (this.#hour.length < fewestSamples) return null;
    this.#hourTrend ??= new HourTrend(this.#hour);
    const hour = this.#hourTrend;
    const lasting = this.#lasting.growths(this.#lastSeconds);
    if (!this.#isTide()) {
      const short = newestGrowth(this.#newest, hour);
      if (short !== null && (lasting.length === 0 || isNews(this.#newest, this.#lasting.largest)))
        return hour.slope !== null && isSameGrowth(short, hour.slope) ? hour.slope : short;
      if (hour.isDense && (hour.growth ?? 0) > 0) return hour.growth;
    }
    const alone = this.#isTide() ? Math.min(0, hour.growth ?? 0) : hour.growth;
    const newest = lasting.at(-1);
    if (newest === undefined) return alone;
    return borneOut(lasting, hour) ?? (hour.rises < fewestSamples ? slower(newest, hour) : alone);
  }

  /** Whether the count is no higher than it came before and did not stay; of the first half hour that says nothing. */
  #isTide(): boolean {
    if (this.#lastSeconds - this.#firstSeconds < tideSeconds) return false;
    return at(this.#newest.values, this.#newest.length - 1) <= this.#lasting.ceiling;
  }
}

/** The slope of the newest samples; null where they do not grow, or only as the teeth of a saw do. */
function newestGrowth(newest: Samples, hour: HourTrend): number | null {
  const start = Math.max(
    0,
    newest.seconds.findIndex((seconds) => seconds >= hour.startSeconds),
  );
  const values = newest.values.subarray(start);
  if (rises(values) < fewestRises) return null;
  const top = hour.sawTop ?? sawTop(values);
  if (top !== null && at(values, values.length - 1) <= top) return null;
  const slope = theilSen(newest.seconds.subarray(start), values);
  return slope !== null && slope > 0 ? slope : null;
}

/**
 * The growth known from longest that nothing newer speaks against, neither those known from less nor the hour, give or
 * take what arrivals at random do: two standard deviations and two arrivals.
 */
function borneOut(growths: readonly LastingGrowth[], hour: HourTrend): number | undefined {
  return growths.find(({ slope, arrivalSeconds }, index) =>
    [...growths.slice(index + 1), hour].every(({ risen, spanSeconds }) => {
      const each = slope * arrivalSeconds;
      const expected = slope * spanSeconds;
      return Math.abs(risen - expected) <= 2 * (Math.sqrt(each * expected) + each);
    }),
  )?.slope;
}

/** The pace of the hour where it is slower: too few rises for a slope of their own, and 0 would be wrong. */
function slower({ slope }: LastingGrowth, { risen, spanSeconds }: HourTrend): number {
  return Math.min(slope, Math.max(0, risen / spanSeconds));
}

/** Whether the newest samples rose by more than ever within ten minutes before. */
function isNews({ values }: Samples, largestBefore: number): boolean {
  return at(values, values.length - 1) - at(values, 0) > sameGrowthFactor * largestBefore + fewestRises;
}

function isSameGrowth(a: number, b: number): boolean {
  return a <= b * sameGrowthFactor && b <= a * sameGrowthFactor;
}
