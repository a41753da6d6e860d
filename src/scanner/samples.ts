import { at, fewestSamples } from './theil-sen.ts';

/** What a count falls to when the thing that is counted starts anew, in parts of what it was: about nothing. */
const restartFraction = 0.1;

/** Samples of which the oldest makes room; times ascend. */
export class Samples {
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

/** In how many intervals between neighbours the count rises. */
export function rises(values: Float64Array): number {
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
export function sawTop(values: Float64Array): number | null {
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
export function presentLife(values: Float64Array): number {
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
  // Most are not even a fall from the one before.
  if (at(values, index) > restartFraction * at(values, index - 1)) return false;
  const lowestBefore = Math.min(...values.subarray(index - fewestSamples, index));
  const highestAfter = Math.max(...values.subarray(index, index + fewestSamples));
  return at(values, index) <= restartFraction * lowestBefore && highestAfter < lowestBefore;
}
