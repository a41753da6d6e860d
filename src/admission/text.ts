/** Typographic characters of our own texts, in the spelling that every terminal and header can carry. */
const asciiSpellings: Readonly<Record<string, string>> = {
  '…': '...',
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '–': '-',
  '—': '-',
  '≥': '>=',
  '≤': '<=',
  '×': 'x',
  '→': '->',
};

/** How much of a stranger's text is looked at: a hostile one may be megabytes long, and far less is shown. */
const longestRead = 4096;

/**
 * Makes text of strangers safe for a header, a terminal and a log: printable ASCII on one line. What cannot be
 * shown becomes `?`, any white space one blank.
 *
 * @param text Any string; only its first 4,096 characters are read.
 */
export function harmless(text: string): string {
  if (text.length <= longestRead && !/[^\x21-\x7e]/.test(text)) return text;
  return text
    .slice(0, longestRead)
    .replace(/\s+/g, ' ')
    .replace(/[^\x20-\x7e]/gu, (character) => asciiSpellings[character] ?? '?')
    .trim();
}

/**
 * Cuts harmless text to a length, between words where that loses little, and marks the cut with `...`.
 *
 * @param text ASCII text.
 * @param limit The most characters that may be left; at least 3.
 */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const room = limit - 3;
  const blank = text.lastIndexOf(' ', room);
  const end = blank > room / 2 ? blank : room;
  return `${text.slice(0, end).replace(/[\s,;:.(-]+$/, '')}...`;
}

/**
 * A name as Kubernetes allows it, with what it does not allow replaced by `?`.
 *
 * @param name The name of a container, pod or namespace, or anything that came in its place.
 * @param limit The most characters that may be left.
 */
export function harmlessName(name: string, limit = 253): string {
  const shown = name.slice(0, limit + 1).replace(/[^A-Za-z0-9._-]/gu, '?');
  return cut(shown, limit) || '(unnamed)';
}
