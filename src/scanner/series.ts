/** How many samples a series keeps. */
const capacity = 64;

/** How many of the newest samples are kept at the pace at which they come, however far apart the others are. */
const newestCapacity = 12;

/** Below this many samples a slope is chance. */
const fewestSamples = 6;

/** How long back a full series ought to reach. */
const wantedSpanSeconds = 3600;

/** In how many of the newest intervals a count must rise for that to be growth: fewer may be one burst. */
const fewestRises = 3;

/** Two slopes that differ by no more than this factor tell of the same growth. */
const sameGrowthFactor = 1.5;

/** What a count falls to when the thing that is counted starts anew, in parts of what it was: about nothing. */
const restartFraction = 0.1;

/** Room for the slopes of all pairs of samples; shared, since a slope is computed in one go. */
const pairSlopes = new Float64Array((capacity * (capacity - 1)) / 2);

/** Samples of which the oldest makes room; times ascend. */
class Samples {
  readonly #seconds: Float64Array;
  readonly #values: Float64Array;
  #length = 0;

  constructor(capacity: number) {
    this.#seconds = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length === this.#seconds.length;
  }

  get span(): number {
    return at(this.#seconds, this.#length - 1) - at(this.#seconds, 0);
  }

  get seconds(): Float64Array {
    return this.#seconds.subarray(0, this.#length);
  }

  get values(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }

  add(seconds: number, value: number): void {
    if (this.isFull) {
      this.#seconds.copyWithin(0, 1);
      this.#values.copyWithin(0, 1);
      this.#length -= 1;
    }
    this.#seconds[this.#length] = seconds;
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  /** Keeps every other sample, the newest among them. */
  thinOut(): void {
    for (let index = 1; index < this.#length; index += 2) {
      this.#seconds[index >> 1] = at(this.#seconds, index);
      this.#values[index >> 1] = at(this.#values, index);
    }
    this.#length >>= 1;
  }
}

/** What the samples of an hour tell. */
interface HourTrend {
  /** The Theil–Sen slope of what is counted now; null where it is beyond all numbers. */
  readonly slope: number | null;
  /** Since when what is counted now is counted. */
  readonly startSeconds: number;
  /** Whether the count rose within the newest third of the samples. */
  readonly roseLately: boolean;
  /** Up to where the count may climb and be no higher than a saw has taken it before; null where there is no saw. */
  readonly sawTop: number | null;
}

/**
 * A count over time, and how fast it grows.
 *
 * It keeps an hour in 64 samples at most. When they are full and span less than that, every other one goes, and from
 * then on only every second one that arrives is kept; once they span an hour, the oldest makes room for the newest.
 * Beside them it keeps the newest 12 that arrived, so that growth which has just begun is seen.
 *
 * Samples whose time is not after that of the one before are ignored, so the clock ought to be one that is never
 * set back, such as the machine's uptime.
 */
export class Series {
  readonly #hour = new Samples(capacity);
  readonly #newest = new Samples(newestCapacity);
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
    this.#lastSeconds = seconds;
    this.#newest.add(seconds, value);
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
   * The growth per second, by the Theil–Sen estimate: the median of the slopes between all pairs of samples, which up
   * to 29 % of wild samples cannot carry away.
   *
   * It is the slope of the newest 12 samples if they rise, in three intervals at least: what has just begun counts,
   * a burst does not. Where the hour tells about the same, it is that of the hour, which is the more exact. Else it
   * is that of the hour: where that is positive, only if the count rose in its newest third, else 0.
   *
   * After a restart of what is counted (see {@link presentLife}) only the samples since then count. Where it falls
   * more than once, as that of a program which reaps now and then, all of them count, and the newest on their own only
   * once they leave the teeth of that saw behind: over several teeth the median is about 0, and a limit that they
   * never reach is no danger.
   *
   * @returns Null below 6 samples.
   */
  slope(): number | null {
    if (this.#hour.length < fewestSamples) return null;
    this.#hourTrend ??= trendOf(this.#hour);
    const { slope: long, roseLately } = this.#hourTrend;
    const short = newestGrowth(this.#newest, this.#hourTrend);
    if (short !== null) return long !== null && isSameGrowth(short, long) ? long : short;
    return long === null || long <= 0 || roseLately ? long : 0;
  }
}

function at(numbers: Float64Array, index: number): number {
  return numbers[index] ?? Number.NaN;
}

function trendOf(hour: Samples): HourTrend {
  const start = presentLife(hour.values);
  const seconds = hour.seconds.subarray(start);
  const values = hour.values.subarray(start);
  const newestThird = values.subarray(values.length - Math.floor(values.length / 3));
  return {
    slope: theilSen(seconds, values),
    startSeconds: at(seconds, 0),
    roseLately: rises(newestThird) > 0,
    sawTop: sawTop(values),
  };
}

/** The slope of the newest samples; null where they do not grow, or only as the teeth of a saw do. */
function newestGrowth(newest: Samples, { startSeconds, sawTop: hourTop }: HourTrend): number | null {
  const start = Math.max(
    0,
    newest.seconds.findIndex((seconds) => seconds >= startSeconds),
  );
  const values = newest.values.subarray(start);
  if (rises(values) < fewestRises) return null;
  const top = hourTop ?? sawTop(values);
  if (top !== null && at(values, values.length - 1) <= top) return null;
  const slope = theilSen(newest.seconds.subarray(start), values);
  return slope !== null && slope > 0 ? slope : null;
}

function isSameGrowth(a: number, b: number): boolean {
  return a <= b * sameGrowthFactor && b <= a * sameGrowthFactor;
}

/** In how many intervals between neighbours the count rises. */
function rises(values: Float64Array): number {
  let count = 0;
  for (let index = 1; index < values.length; index += 1)
    if (at(values, index) > at(values, index - 1)) count += 1;
  return count;
}

/**
 * Up to where the count may climb and be no higher than a saw has taken it before: its highest tooth and half of its
 * deepest fall, since samples may miss the tips.
 *
 * @returns Null where there is no saw, which has two falls at least of about the same depth.
 */
function sawTop(values: Float64Array): number | null {
  let deepest = 0;
  for (let index = 1; index < values.length; index += 1) deepest = Math.max(deepest, fallAt(values, index));
  if (deepest === 0) return null;
  let falls = 0;
  let lastFall = 0;
  for (let index = 1; index < values.length; index += 1) {
    if (fallAt(values, index) < deepest / 2) continue;
    falls += 1;
    lastFall = index;
  }
  return falls < 2 ? null : Math.max(...values.subarray(0, lastFall)) + deepest / 2;
}

function fallAt(values: Float64Array, index: number): number {
  return at(values, index - 1) - at(values, index);
}

/**
 * Where the samples begin that tell of what is counted now.
 *
 * A container that restarts takes its zombies with it. The slope over both its lives would tell of neither, and near
 * the middle it would be negative. So a single fall to about 0 that lasts is taken for the start of a new life. One
 * wild sample is no fall: it takes six samples on either side to tell.
 *
 * @returns An index; 0 without a fall, and with several.
 */
function presentLife(values: Float64Array): number {
  let start = 0;
  for (let index = fewestSamples; index <= values.length - fewestSamples; index += 1) {
    if (!isFall(values, index)) continue;
    if (start > 0) return 0;
    start = index;
  }
  return start;
}

/** Whether the count is about 0 here, against all of the samples before, and does not come back up to any of them. */
function isFall(values: Float64Array, index: number): boolean {
  const lowestBefore = Math.min(...values.subarray(index - fewestSamples, index));
  const highestAfter = Math.max(...values.subarray(index, index + fewestSamples));
  return at(values, index) <= restartFraction * lowestBefore && highestAfter < lowestBefore;
}

/** The median of the slopes between all pairs; null below 6 samples, and where it is beyond all numbers. */
function theilSen(seconds: Float64Array, values: Float64Array): number | null {
  if (seconds.length < fewestSamples) return null;
  let pairs = 0;
  for (let right = 1; right < seconds.length; right += 1) {
    for (let left = 0; left < right; left += 1) {
      pairSlopes[pairs] = (at(values, right) - at(values, left)) / (at(seconds, right) - at(seconds, left));
      pairs += 1;
    }
  }
  const sorted = pairSlopes.subarray(0, pairs).sort();
  const median = (at(sorted, (pairs - 1) >> 1) + at(sorted, pairs >> 1)) / 2;
  return Number.isFinite(median) ? median : null;
}
