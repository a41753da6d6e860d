import { at, fewestSamples, theilSen } from './theil-sen.ts';

/** How many rises are kept. */
const capacity = 32;

/** Rises that follow closer upon one another than this are one: a burst is no more than that. */
const apartSeconds = 600;

/** After so many times the mean interval between arrivals without one, growth has ended. By chance that is e^-10. */
const patience = 10;

/** For how long it is remembered, at the least, up to where a count climbed before it fell. */
const memorySeconds = 24 * 3600;

/** A fall that is this much deeper than those before it is the first of its kind. */
const newFallFactor = 2;

/** What some of the newest rises tell. */
export interface LastingGrowth {
  /** The Theil–Sen slope over the rises, per second. */
  readonly slope: number;
  /** By how much the count rose from the first of them to the last, and in what time. */
  readonly risen: number;
  readonly spanSeconds: number;
  /** The mean time between arrivals, in seconds; what comes together is one of them. */
  readonly arrivalSeconds: number;
}

/** What is remembered of the falls of some time. */
interface Falls {
  /** The highest that the count was before a fall. */
  peak: number;
  deepest: number;
}

/**
 * Follows the rises of a count that last: to more than it ever was before a fall, and never taken back since. What
 * comes and goes leaves none, however it does so, and growth of one in hours leaves as clear ones as that of many in
 * a minute. So it is known by what has come, not by how long it took.
 *
 * A first deep fall is forgiven, as that of a pod which is deleted: what was below it moves down with it. From the
 * second on the count is a saw, and its teeth tell of no growth, for one to two days after they ended.
 *
 * It holds the newest 32 rises, which are ten minutes apart at least.
 */
export class LastingRises {
  readonly #seconds: number[] = [];
  readonly #levels: number[] = [];
  /** What the oldest rise rose from. */
  #floor = Number.NaN;
  #last = Number.NaN;
  #bucketStart = 0;
  #falls: Falls = { peak: Number.NEGATIVE_INFINITY, deepest: 0 };
  #fallsBefore: Falls = { peak: Number.NEGATIVE_INFINITY, deepest: 0 };
  #fallsSince = 0;
  /** Kept since they are costly, and change only with the rises. */
  #growths: readonly LastingGrowth[] | null = null;

  /**
   * Takes a sample.
   *
   * @param seconds When it was taken, later than the one before.
   * @param count What was counted.
   */
  add(seconds: number, count: number): void {
    if (Number.isNaN(this.#last)) {
      this.#floor = count;
      this.#last = count;
      this.#bucketStart = seconds;
      this.#fallsSince = seconds;
      return;
    }
    this.#forget(seconds);
    if (count < this.#last) this.#fall(count);
    this.#last = count;
    if (seconds - this.#bucketStart < apartSeconds) return;
    this.#bucketStart = seconds;
    if (count > this.#top && count > this.ceiling) this.#rise(seconds, count);
  }

  /** Up to where the count came before and did not stay; minus infinity where it never fell but once. */
  get ceiling(): number {
    return Math.max(this.#falls.peak, this.#fallsBefore.peak);
  }

  /** The largest of the rises that are kept; 0 where they are too few to tell. */
  get largest(): number {
    if (this.#levels.length < fewestSamples) return 0;
    return this.#levels.reduce((most, level, index) => Math.max(most, level - this.#below(index)), 0);
  }

  /**
   * How it grows: by all rises first, then by the newest half and quarter of them, since the pace may have changed.
   * Only those are told by which it still grows.
   *
   * @param now Seconds, by the clock of the samples.
   */
  growths(now: number): readonly LastingGrowth[] {
    this.#growths ??= this.#computed();
    const quiet = now - at(this.#seconds, this.#seconds.length - 1);
    return this.#growths.filter(({ arrivalSeconds }) => quiet <= apartSeconds + patience * arrivalSeconds);
  }

  #computed(): readonly LastingGrowth[] {
    const growths: LastingGrowth[] = [];
    for (let count = this.#levels.length; count >= fewestSamples; count >>= 1) {
      const seconds = this.#seconds.slice(-count);
      const levels = this.#levels.slice(-count);
      const slope = theilSen(seconds, levels);
      if (slope === null) continue;
      const spanSeconds = at(seconds, count - 1) - at(seconds, 0);
      const risen = at(levels, count - 1) - at(levels, 0);
      growths.push({ slope, risen, spanSeconds, arrivalSeconds: arrivalSecondsOf(count, spanSeconds) });
    }
    return growths;
  }

  get #top(): number {
    return this.#below(this.#levels.length);
  }

  #below(index: number): number {
    return index === 0 ? this.#floor : at(this.#levels, index - 1);
  }

  #rise(seconds: number, level: number): void {
    if (this.#levels.length === capacity) {
      this.#floor = this.#levels.shift() ?? level;
      this.#seconds.shift();
    }
    this.#seconds.push(seconds);
    this.#levels.push(level);
    this.#growths = null;
  }

  /** Takes back what did not last, and remembers how high it was. */
  #fall(count: number): void {
    const depth = this.#last - count;
    if (depth > newFallFactor * Math.max(this.#falls.deepest, this.#fallsBefore.deepest)) {
      this.#falls.peak -= depth;
      this.#fallsBefore.peak -= depth;
    } else this.#falls.peak = Math.max(this.#falls.peak, this.#last);
    this.#falls.deepest = Math.max(this.#falls.deepest, depth);

    while (this.#levels.length > 0 && this.#below(this.#levels.length - 1) >= count) {
      this.#levels.pop();
      this.#seconds.pop();
      this.#growths = null;
    }
    if (this.#top <= count) return;
    if (this.#levels.length > 0) this.#levels[this.#levels.length - 1] = count;
    else this.#floor = count;
    this.#growths = null;
  }

  #forget(seconds: number): void {
    if (seconds - this.#fallsSince < memorySeconds) return;
    this.#fallsSince = seconds;
    this.#fallsBefore = this.#falls;
    this.#falls = { peak: Number.NEGATIVE_INFINITY, deepest: 0 };
  }
}

/**
 * The mean time between arrivals that come at random, by how many of the possible moments saw one: where nearly all
 * did, they come much faster than moments are apart.
 */
function arrivalSecondsOf(rises: number, spanSeconds: number): number {
  const moments = Math.max(rises, spanSeconds / apartSeconds + 1);
  return apartSeconds / -Math.log1p(-(rises - 1) / moments);
}
