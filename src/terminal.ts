import { stripVTControlCharacters, styleText } from 'node:util';

/** A style of `util.styleText`, such as `bold` or `['bold', 'red']`. */
export type Style = Parameters<typeof styleText>[0];

/** What is known of the place that text is written to. */
export interface Terminal {
  /** Columns that a line may have. */
  readonly width: number;
  readonly colour: boolean;
  /** The text in a style, or as it is where there is no colour. */
  paint(style: Style, text: string): string;
}

const widthOfNoTerminal = 100;
const narrowest = 40;

/**
 * Looks at a stream that text is to be written to.
 *
 * @param stream Standard output or standard error.
 * @param env NO_COLOR (any value) and TERM=dumb switch colour off, FORCE_COLOR (any value but 0 and false) switches
 *   it on and beats them; COLUMNS is the width where the stream is no terminal.
 */
export function terminalOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Terminal {
  const colour = wantsColour(stream.isTTY === true, env);
  const width = stream.columns || Number.parseInt(env.COLUMNS ?? '', 10) || widthOfNoTerminal;
  return {
    width: Math.max(width, narrowest),
    colour,
    paint: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
  };
}

function wantsColour(isTTY: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return isTTY && !env.NO_COLOR && env.TERM !== 'dumb';
}

/**
 * Makes text of strangers safe to show: control characters, escape codes, line breaks, marks that turn the direction
 * of writing around and everything else that is invisible become visible, as `\x1b` or `\u{202e}`.
 *
 * @param text Any string.
 */
export function escapeText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
  });
}

/**
 * Makes JSON safe to show. `JSON.stringify` escapes the control characters below U+0020 and lone surrogates; what else a
 * terminal acts on or does not show may stand in JSON only inside of a string, so it can be escaped wherever it stands.
 *
 * @param json Valid JSON; what comes out means the same.
 */
export function escapeJson(json: string): string {
  return json.replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/** A cell of a table; text of strangers must have gone through `escapeText`. */
export type Cell = string | { readonly text: string; readonly style: Style };

const gap = '  ';
/** The last column wraps, but never to fewer columns than this; a narrower terminal breaks the lines itself. */
const leastLastColumn = 20;

/**
 * Sets rows in columns. The last column wraps between words, and its further lines stand below its first.
 *
 * @param rows Cells without line breaks; a row may be shorter than others.
 * @param terminal Where it will stand.
 * @returns Lines without trailing blanks, each ended by a newline; empty for no rows.
 */
export function table(
  rows: readonly (readonly Cell[])[],
  terminal: Pick<Terminal, 'width' | 'paint'>,
): string {
  const last = Math.max(0, ...rows.map((row) => row.length)) - 1;
  const widths = Array.from({ length: Math.max(last, 0) }, (_, column) =>
    Math.max(...rows.map((row) => columnsOf(textOf(row[column] ?? '')))),
  );
  const indent = widths.reduce((sum, width) => sum + width + gap.length, 0);
  const room = Math.max(terminal.width - indent, leastLastColumn);
  const lines = rows.flatMap((row) => {
    const first = widths.map((width, column) => {
      const cell = row[column] ?? '';
      return painted(cell, textOf(cell), terminal) + ' '.repeat(width - columnsOf(textOf(cell))) + gap;
    });
    const cell = row[last] ?? '';
    return wrap(textOf(cell), room).map(
      (line, number) => (number === 0 ? first.join('') : ' '.repeat(indent)) + painted(cell, line, terminal),
    );
  });
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/**
 * Breaks text into lines between words; a word that is too long for a line is broken where the line ends.
 *
 * @param text Words with blanks between them.
 * @param width The most columns of a line; at least 2.
 * @returns One line at least.
 */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      line = '';
    }
    let rest = word;
    while (columnsOf(rest) > width) {
      const head = headOf(rest, width);
      lines.push(head);
      rest = rest.slice(head.length);
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  return [...lines, line];
}

/** Made when it is first needed: with it comes ICU, and the scanner of a node is to be small. */
let segmenter: Intl.Segmenter | undefined;
const asciiOnly = /^[\x20-\x7e]*$/;
/** Emoji, and the scripts of East Asia whose characters take two columns (Unicode Standard Annex 11). */
const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]/u;

/** Columns that text takes on a terminal; escape codes take none. */
export function columnsOf(text: string): number {
  if (asciiOnly.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemesOf(stripVTControlCharacters(text))) {
    columns += wide.test(segment) ? 2 : 1;
  }
  return columns;
}

function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter.segment(text);
}

function headOf(text: string, width: number): string {
  let head = '';
  for (const { segment } of graphemesOf(text)) {
    if (head !== '' && columnsOf(head + segment) > width) break;
    head += segment;
  }
  return head;
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function painted(cell: Cell, text: string, terminal: Pick<Terminal, 'paint'>): string {
  return typeof cell === 'string' || text === '' ? text : terminal.paint(cell.style, text);
}
