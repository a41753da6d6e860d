const quote = '"';

/** A member of an object or an item of a list, in the text of a JSON document. */
interface JsonEntry {
  /** The key of a member, the index of an item. */
  readonly token: string;
  /** Offset of the key, or of the item. */
  readonly start: number;
  /** Offset of the value. */
  readonly value: number;
}

/**
 * Finds a value in a text that `JSON.parse` has accepted.
 *
 * @param text The text.
 * @param start Offset of the value that the tokens lead down from.
 * @param tokens Reference tokens of a JSON Pointer, unescaped.
 * @returns Offset of the member's key or of the item; of the nearest one above, where it is not there.
 */
export function offsetInJson(text: string, start: number, tokens: readonly string[]): number {
  let found = start;
  let value = start;
  for (const wanted of tokens) {
    const entry = entryOf(text, value, wanted);
    if (!entry) break;
    found = entry.start;
    value = entry.value;
  }
  return found;
}

function entryOf(text: string, parent: number, wanted: string): JsonEntry | null {
  for (const entry of entriesOf(text, parent)) {
    if (entry.token === wanted) return entry;
  }
  return null;
}

/** The entries of the object or the list that begins at an offset of valid JSON; none for any other value. */
export function* entriesOf(text: string, start: number): Generator<JsonEntry> {
  const isObject = text[start] === '{';
  if (!isObject && text[start] !== '[') return;
  let at = skipBlanks(text, start + 1);
  for (let index = 0; text[at] !== '}' && text[at] !== ']' && at < text.length; index += 1) {
    const begin = at;
    let value = at;
    let token = String(index);
    if (isObject) {
      const end = endOfString(text, at);
      token = String(JSON.parse(text.slice(at, end)));
      value = skipBlanks(text, skipBlanks(text, end) + 1);
    }
    yield { token, start: begin, value };
    at = skipBlanks(text, endOfValue(text, value));
    if (text[at] === ',') at = skipBlanks(text, at + 1);
  }
}

/**
 * Finds a key that stands twice in one object, which `JSON.parse` lets pass.
 *
 * @param text A text that `JSON.parse` has accepted.
 * @returns Offset of the second one; null if there is none.
 */
export function duplicateKeyIn(text: string): number | null {
  const open: (Set<string> | null)[] = [];
  let keyComes = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{') {
      open.push(new Set());
      keyComes = true;
    } else if (character === '[') {
      open.push(null);
      keyComes = false;
    } else if (character === '}' || character === ']') {
      open.pop();
      keyComes = false;
    } else if (character === ',') {
      keyComes = open.at(-1) !== null;
    } else if (character === quote) {
      const end = endOfString(text, at);
      if (keyComes) {
        const keys = open.at(-1);
        const key = text.slice(at, end);
        const unescaped = key.includes('\\') ? JSON.stringify(JSON.parse(key)) : key;
        if (keys?.has(unescaped)) return at;
        keys?.add(unescaped);
        keyComes = false;
      }
      at = end - 1;
    }
  }
  return null;
}

/** Offset of the first character that is not blank, from an offset on. */
export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n'.includes(text[at] ?? '')) at += 1;
  return at;
}

function endOfValue(text: string, start: number): number {
  if (text[start] === quote) return endOfString(text, start);
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === quote) at = endOfString(text, at) - 1;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (character === ',' || character === '\n')) return at;
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf(quote, start + 1); end >= 0; end = text.indexOf(quote, end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}
