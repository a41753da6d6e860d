/** Below this many samples a slope is chance. */
export const fewestSamples = 6;

/** The most samples that a slope is ever computed of. */
export const mostSamples = 64;

/** Room for the slopes of all pairs of samples; shared, since a slope is computed in one go. */
const pairSlopes = new Float64Array((mostSamples * (mostSamples - 1)) / 2);

/**
 * The Theil–Sen estimate of a slope: the median of the slopes between all pairs of samples, which up to 29 % of wild
 * samples cannot carry away.
 *
 * @param seconds When the samples were taken, ascending; 64 of them at most.
 * @param values The counts, as many.
 * @returns Per second; null below 6 samples, and where it is beyond all numbers.
 */
export function theilSen(seconds: ArrayLike<number>, values: ArrayLike<number>): number | null {
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

/** A number of a list; NaN beyond its ends. */
export function at(numbers: ArrayLike<number>, index: number): number {
  return numbers[index] ?? Number.NaN;
}
