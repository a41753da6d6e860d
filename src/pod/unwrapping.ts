/** A wrapper taken off the front of a command line. */
export interface Unwrapped {
  readonly name: string;
  /** The wrapper's own words. */
  readonly words: readonly string[];
  /** The words of the program behind it; never empty. */
  readonly behind: readonly string[];
  /** It leaves the program running in the background. */
  readonly background: boolean;
  /** It ends before the program does, so that this process never becomes the program. */
  readonly leaves: boolean;
  /** Only of `timeout`: the seconds that it allows, null when they are not a number or unlimited. */
  readonly timeoutSeconds?: number | null;
}

/**
 * Null where the first word is no wrapper, or has no program behind it (`env`, `sudo -i`); `unclear` where the
 * wrapper has options that it is not known to have, so that the program behind it cannot be told.
 */
export type Unwrapping = Unwrapped | 'unclear' | null;

/** Takes one kind of wrapper off the front of a command line. */
export type Unwrap = (words: readonly string[], name: string) => Unwrapping;

/** What a wrapper does with the program behind it. */
export type Effect = Partial<Pick<Unwrapped, 'background' | 'leaves' | 'timeoutSeconds'>>;

/** The wrapper with its own words and those behind it; null where nothing is behind it. */
export function wrapped(
  name: string,
  words: readonly string[],
  behind: readonly string[],
  effect: Effect = {},
): Unwrapping {
  return behind.length === 0 ? null : { name, words, behind, background: false, leaves: false, ...effect };
}

/** As `wrapped`, where the program begins at an index of the words. */
export function splitAt(words: readonly string[], name: string, next: number, effect?: Effect): Unwrapping {
  return wrapped(name, words.slice(0, next), words.slice(next), effect);
}
