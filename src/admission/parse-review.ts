const key = '"managedFields":[';
const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * Parses the JSON of a review, but leaves the lists of `managedFields` in it empty: they are often the larger part of
 * an object, parsing them costs most of the time that parsing takes, and nothing here reads or changes them.
 *
 * @param bytes JSON in UTF-8. Only lists written without white space, as Go writes them, are left out, and of what is
 *   left out only quotes and brackets are checked.
 * @throws SyntaxError if it is not JSON.
 */
export function parseReview(bytes: Buffer): unknown {
  let text = '';
  let copied = byteOrderMark.every((byte, index) => bytes[index] === byte) ? byteOrderMark.length : 0;
  for (let at = bytes.indexOf(key, copied); at >= 0; at = bytes.indexOf(key, at)) {
    const begin = at + key.length;
    const end = isKey(bytes, at) ? endOfList(bytes, begin) : begin;
    if (end < 0) break;
    text += bytes.toString('utf8', copied, begin);
    copied = end;
    at = end;
  }
  return JSON.parse(text + bytes.toString('utf8', copied));
}

/** Whether the quote there begins a key: inside a string it would stand behind a backslash. */
function isKey(bytes: Buffer, at: number): boolean {
  const before = bytes[at - 1];
  return before === 0x2c || before === 0x7b;
}

const other = 0;
const quote = 1;
const backslash = 2;
const opening = 3;
const closing = 4;
/** What each byte means to a reader who only looks for the end of a list. */
const meaning = new Uint8Array(256).fill(other);
for (const [characters, kind] of [
  ['"', quote],
  ['\\', backslash],
  ['[{', opening],
  [']}', closing],
] as const) {
  for (const character of characters) meaning[character.charCodeAt(0)] = kind;
}

/** Where the bracket stands that closes the list which begins there; -1 where there is none. */
function endOfList(buffer: Buffer, begin: number): number {
  // V8 reads a plain array of bytes faster than a Buffer.
  const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
  let depth = 1;
  let inString = false;
  for (let at = begin; at < bytes.length; at += 1) {
    const kind = meaning[bytes[at] ?? 0];
    if (kind === other) continue;
    if (kind === quote) inString = !inString;
    else if (kind === backslash) at += 1;
    else if (!inString) {
      depth += kind === opening ? 1 : -1;
      if (depth === 0) return at;
    }
  }
  return -1;
}
