import { InvalidArgumentError } from 'commander';

/**
 * Reads a whole number, 0 or more, as an option's value.
 *
 * @throws {InvalidArgumentError} for any other text.
 */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError('Expected a whole number, 0 or more.');
  }
  return number;
}

/**
 * Reads a port, 0 included, as an option's value.
 *
 * @throws {InvalidArgumentError} for any other text.
 */
export function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new InvalidArgumentError('Expected a port from 0 to 65535.');
  }
  return port;
}

/**
 * Makes a reader of seconds, which may have a fraction, as an option's value.
 *
 * @returns It throws InvalidArgumentError for any text that is no number from `least` to `most`.
 */
export function secondsFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const seconds = Number(text);
    if (text.trim() === '' || !(seconds >= least && seconds <= most)) {
      throw new InvalidArgumentError(`Expected seconds from ${least} to ${most}.`);
    }
    return seconds;
  };
}
