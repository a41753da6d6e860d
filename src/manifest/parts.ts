/** A stretch of a file that stands for itself: one document as a rule, with the comments around it. */
export interface Part {
  readonly text: string;
  /** Of its first character in the file, in UTF-16 units. */
  readonly offset: number;
  /** Of its first character in the file, counted from 1. */
  readonly line: number;
}

/**
 * Cuts a file at its document markers, as kubectl does: an open quote or bracket then loses one document, not the
 * rest of the file. No scalar may hold a line that begins with `---` (YAML 1.2.2, 9.1.2). JSON objects may also
 * follow one another without a marker, as `jq` writes them.
 *
 * @param text What the file holds, without a byte order mark.
 * @returns Parts in their order, without a gap between them; each begins at the beginning of a line.
 */
export function* partsOf(text: string): Generator<Part> {
  let offset = 0;
  let line = 1;
  let directives = '';
  for (const part of text.split(/(?<=\n)(?=---(?:\s|$))/)) {
    // Directives stand before the marker of the document that they are about.
    if (/^%/m.test(part) && /^(\s*([%#].*)?(\n|$))*$/.test(part)) {
      directives += part;
      continue;
    }
    const whole = directives + part;
    directives = '';
    for (const piece of isJson(whole) ? whole.split(/(?<=\}[ \t\r]*\n)(?=\{)/) : [whole]) {
      yield { text: piece, offset, line };
      offset += piece.length;
      line += newlinesIn(piece);
    }
  }
  if (directives !== '') yield { text: directives, offset, line };
}

/** Whether a text looks like a JSON object, or like YAML that begins as one. */
export function isJson(text: string): boolean {
  return /^(---)?\s*\{/.test(text);
}

function newlinesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
