import type { CommandArgument, WordPart } from 'unbash';

/** What `$0` and `$1`, `$2` … stand for in a script; null where that is not known. */
export interface Positionals {
  readonly zero: string | null;
  readonly args: readonly string[] | null;
}

/**
 * The words that a shell makes of one word of a script: quotes removed, positional parameters expanded and split,
 * everything that is not known (`$HOME`, `$(date)`, `*.conf`) left as it is written.
 *
 * @param word A word, or an assignment that stands among the arguments.
 * @param positionals The parameters of the script.
 * @returns None for an unquoted `$@` without parameters, several for one with some.
 */
export function expandWord(word: CommandArgument, positionals: Positionals): string[] {
  if (word.type === 'Assignment') {
    if (word.value.type !== 'Word') return [word.text];
    const name = word.text.slice(0, word.value.pos - word.pos);
    return [name + expandWord(word.value, positionals).join(' ')];
  }
  const parts = word.parts;
  if (!parts) return [word.value];
  const fields = new Fields();
  for (const part of parts) addPart(part, positionals, fields);
  return fields.finish();
}

/** Fields as they grow: text without end is one field, a break begins the next. */
class Fields {
  readonly #done: string[] = [];
  #text = '';
  #begun = false;

  append(text: string): void {
    this.#text += text;
    this.#begun = true;
  }

  break(): void {
    if (this.#begun) this.#done.push(this.#text);
    this.#text = '';
    this.#begun = false;
  }

  finish(): string[] {
    this.break();
    return this.#done;
  }
}

function addPart(part: WordPart, positionals: Positionals, fields: Fields): void {
  switch (part.type) {
    case 'Literal':
    case 'Glob':
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      fields.append(part.value);
      return;
    case 'DoubleQuoted':
    case 'LocaleString':
      addQuoted(part.parts, positionals, fields);
      return;
    default: {
      const value = parameterValue(part, positionals);
      if (value === null) fields.append(part.text);
      else
        value.forEach((word, index) => {
          if (index > 0) fields.break();
          addSplit(word, fields);
        });
    }
  }
}

function addQuoted(parts: readonly WordPart[], positionals: Positionals, fields: Fields): void {
  const [only] = parts;
  const isAll = only && parts.length === 1 && parameterName(only) === '@';
  if (!(isAll && positionals.args?.length === 0)) fields.append('');
  for (const part of parts) {
    const value = parameterValue(part, positionals);
    if (value === null) fields.append(part.type === 'Literal' ? part.value : part.text);
    else if (parameterName(part) === '*') fields.append(value.join(' '));
    else
      value.forEach((word, index) => {
        if (index > 0) fields.break();
        fields.append(word);
      });
  }
}

/** An unquoted expansion: its blanks end fields. */
function addSplit(text: string, fields: Fields): void {
  for (const piece of text.split(/([ \t\n]+)/)) {
    if (/^[ \t\n]+$/.test(piece)) fields.break();
    else if (piece !== '') fields.append(piece);
  }
}

/** `@`, `*`, `#` or the number of a plain positional parameter; null of anything else. */
function parameterName(part: WordPart): string | null {
  const name =
    part.type === 'SimpleExpansion'
      ? part.text.slice(1)
      : part.type === 'ParameterExpansion' && !part.prefix && !part.index && !part.operation
        ? part.parameter
        : '';
  return /^([@*#]|\d+)$/.test(name) ? name : null;
}

/** The values of a positional parameter, or null where the part is none or nothing is known. */
function parameterValue(part: WordPart, { zero, args }: Positionals): readonly string[] | null {
  const name = parameterName(part);
  if (name === null) return null;
  if (/^0+$/.test(name)) return zero === null ? null : [zero];
  if (args === null) return null;
  if (name === '@' || name === '*') return args;
  if (name === '#') return [String(args.length)];
  return [args[Number(name) - 1] ?? ''];
}
