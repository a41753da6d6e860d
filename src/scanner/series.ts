/** How many samples a series keeps. */
const capacity = 64;

/** Below this many samples a slope is chance. */
const fewestSamples = 6;

/** How long back a full series ought to reach. */
const wantedSpanSeconds = 3600;

/** What a count falls to when the thing that is counted starts anew, in parts of what it was: about nothing. */
const restartFraction = 0.1;

/** Room for the slopes of all pairs of samples; shared, since a slope is computed in one go. */
const pairSlopes = new Float64Array((capacity * (capacity - 1)) / 2);

/**
 * A count over time, and how fast it grows.
 *
 * It keeps 64 samples at most. When they are full and span less than an hour, every other one goes, and from then
 * on only every second one that arrives is kept; once they span an hour, the oldest makes room for the newest.
 *
 * Samples whose time is not after that of the one before are ignored, so the clock ought to be one that is never
 * set back, such as the machine's uptime.
 */
export class Series {
  readonly #seconds = new Float64Array(capacity);
  readonly #values = new Float64Array(capacity);
  #length = 0;
  /** Every how manieth sample is kept. */
  #stride = 1;
  #arrivedSinceKept = 0;
  #lastSeconds = Number.NEGATIVE_INFINITY;
  #slope: number | null = null;
  #isSlopeCurrent = true;

  /** How many samples are kept. */
  get length(): number {
    return this.#length;
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
    this.#arrivedSinceKept += 1;
    if (this.#length > 0 && this.#arrivedSinceKept < this.#stride) return;
    if (this.#length === capacity) {
      if (this.#span() < wantedSpanSeconds) {
        this.#thinOut();
        return;
      }
      this.#dropOldest();
    }
    this.#seconds[this.#length] = seconds;
    this.#values[this.#length] = value;
    this.#length += 1;
    this.#arrivedSinceKept = 0;
    this.#isSlopeCurrent = false;
  }

  /**
   * The growth per second: the Theil–Sen estimate, the median of the slopes between all pairs of samples, which up to
   * 29 % of wild samples cannot carry away.
   *
   * After a restart of what is counted (see {@link presentLife}) only the samples since then count. Where it falls
   * more than once, as that of a program which reaps now and then, all of them count: over several teeth of a saw the
   * median is about 0, and a limit that the teeth never reach is no danger.
   *
   * @returns Null below 6 samples.
   */
  slope(): number | null {
    if (!this.#isSlopeCurrent) {
      const start = presentLife(this.#values.subarray(0, this.#length));
      this.#slope = theilSen(
        this.#seconds.subarray(start, this.#length),
        this.#values.subarray(start, this.#length),
      );
      this.#isSlopeCurrent = true;
    }
    return this.#slope;
  }

  #span(): number {
    return at(this.#seconds, this.#length - 1) - at(this.#seconds, 0);
  }

  /** Keeps every other sample, the newest among them, and doubles the distance of those to come. */
  #thinOut(): void {
    for (let index = 1; index < capacity; index += 2) {
      this.#seconds[index >> 1] = at(this.#seconds, index);
      this.#values[index >> 1] = at(this.#values, index);
    }
    this.#length = capacity / 2;
    this.#stride *= 2;
    this.#isSlopeCurrent = false;
  }

  #dropOldest(): void {
    this.#seconds.copyWithin(0, 1);
    this.#values.copyWithin(0, 1);
    this.#length -= 1;
  }
}

function at(numbers: Float64Array, index: number): number {
  return numbers[index] ?? Number.NaN;
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
