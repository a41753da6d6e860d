/** The options that a program understands before its first operand, as getopt(3) reads them. */
export interface OptionSyntax {
  /** Letters without a value. */
  readonly flags?: string;
  /** Letters with a value, in the same word or the next. */
  readonly values?: string;
  /** Those of `values` that end the options, as Python's `-c` and `-m` do. */
  readonly final?: string;
  readonly longFlags?: readonly string[];
  readonly longValues?: readonly string[];
  /** Words such as `-19` are options too (nice). */
  readonly numeric?: boolean;
}

export interface ScannedOptions {
  /** Values by option name (`k`, `kill-after`), in order; `''` for one without a value. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  /** Index of the first operand; the number of words if there is none. */
  readonly next: number;
}

/**
 * Scans options up to the first operand or `--`.
 *
 * @param words The program's words, its own name first.
 * @param syntax What it understands.
 * @param start Index of the first word to look at.
 * @returns What was found, or null at an option that the program is not known to have: nobody can tell then
 *   whether the next word is its value.
 */
export function scanOptions(
  words: readonly string[],
  syntax: OptionSyntax,
  start = 1,
): ScannedOptions | null {
  const given = new Map<string, string[]>();
  const add = (name: string, value: string) => {
    const values = given.get(name);
    if (values) values.push(value);
    else given.set(name, [value]);
  };
  let next = start;
  for (; next < words.length; next++) {
    const word = words[next] ?? '';
    if (word === '--') return { given, next: next + 1 };
    if (!word.startsWith('-') || word === '-') break;
    if (syntax.numeric && /^-\d+$/.test(word)) continue;
    const consumed = word.startsWith('--')
      ? scanLong(word.slice(2), words[next + 1], syntax, add)
      : scanShort(word.slice(1), words[next + 1], syntax, add);
    if (consumed === null) return null;
    next += consumed;
    if ([...(syntax.final ?? '')].some((letter) => given.has(letter))) {
      next++;
      break;
    }
  }
  return { given, next: Math.min(next, words.length) };
}

type Add = (name: string, value: string) => void;

/** Returns how many of the following words it took, or null at an unknown option. */
function scanLong(option: string, following: string | undefined, syntax: OptionSyntax, add: Add) {
  const equals = option.indexOf('=');
  const name = equals < 0 ? option : option.slice(0, equals);
  if (syntax.longValues?.includes(name)) {
    add(name, equals < 0 ? (following ?? '') : option.slice(equals + 1));
    return equals < 0 ? 1 : 0;
  }
  if (!syntax.longFlags?.includes(name)) return null;
  add(name, equals < 0 ? '' : option.slice(equals + 1));
  return 0;
}

function scanShort(letters: string, following: string | undefined, syntax: OptionSyntax, add: Add) {
  for (let at = 0; at < letters.length; at++) {
    const letter = letters.charAt(at);
    if (syntax.values?.includes(letter)) {
      const attached = letters.slice(at + 1);
      add(letter, attached || (following ?? ''));
      return attached ? 0 : 1;
    }
    if (!syntax.flags?.includes(letter)) return null;
    add(letter, '');
  }
  return 0;
}
