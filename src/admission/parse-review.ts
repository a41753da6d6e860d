const key = '"managedFields":[';
const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * Parses the JSON of a review, but leaves out what is in lists of `managedFields` where that can be told cheaply: it is
 * often the larger part of an object, parsing it costs most of the time that parsing takes, and nothing here reads or
 * changes it.
 *
 * @param bytes JSON in UTF-8. Only lists written without white space, as Go writes them, are left out, and they are not
 *   looked into: whether they are JSON remains open.
 * @returns The value; each list of `managedFields` is as it was, or empty.
 * @throws SyntaxError if it is not JSON.
 */
export function parseReview(bytes: Buffer): unknown {
  const begin = byteOrderMark.every((byte, index) => bytes[index] === byte) ? byteOrderMark.length : 0;
  const shortened = withoutManagedFields(bytes, begin);
  if (shortened !== null) {
    try {
      return JSON.parse(shortened);
    } catch {
      // Either all of it is broken, and the error is to tell where, or the bracket closes an inner list.
    }
  }
  return JSON.parse(bytes.toString('utf8', begin));
}

/**
 * Cuts what is in lists of `managedFields` out of JSON; null where there are none.
 *
 * A list is taken to end at the first bracket that could close it. If it is an inner list that ends there, then what is
 * left has more brackets that close than open, and is no JSON.
 */
function withoutManagedFields(bytes: Buffer, begin: number): string | null {
  let text = '';
  let copied = begin;
  let bracket = begin;
  for (let at = bytes.indexOf(key, begin); at >= 0; at = bytes.indexOf(key, at)) {
    at += key.length;
    if (bracket < at) bracket = bytes.indexOf(closing, at);
    if (bracket < 0) break;
    if (!isKey(bytes, at - key.length) || !isOutsideString(bytes, bracket)) continue;
    text += bytes.toString('utf8', copied, at);
    copied = bracket;
    at = bracket;
  }
  return copied === begin ? null : text + bytes.toString('utf8', copied);
}

const quote = 0x22;
const comma = 0x2c;
const closing = 0x5d;
const closingBrace = 0x7d;
const openingBrace = 0x7b;

/** Whether the quote there begins a key: inside a string it would stand behind a backslash. */
function isKey(bytes: Buffer, at: number): boolean {
  return bytes[at - 1] === comma || bytes[at - 1] === openingBrace;
}

/**
 * Whether a closing bracket certainly is no part of a string: `]},"s` in one would end it at that quote, and no letter
 * may follow there. What closes a list of managedFields is followed by `},"spec":` or by the next key.
 */
function isOutsideString(bytes: Buffer, bracket: number): boolean {
  let at = bracket + 1;
  if (bytes[at] === closingBrace) at += 1;
  return bytes[at] === comma && bytes[at + 1] === quote && isLetter(bytes[at + 2]);
}

function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x61 && byte <= 0x7a;
}
