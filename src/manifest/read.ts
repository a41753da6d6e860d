import { type Document, isMap, isNode, isSeq, LineCounter, parseAllDocuments, type YAMLMap } from 'yaml';
import { isJsonObject } from '../pod/json.ts';

/** One object of a file. */
export interface ManifestDocument {
  /** The object: its members as JSON has them. */
  readonly value: Readonly<Record<string, unknown>>;
  /** The line that it begins on, counted from 1. */
  readonly line: number;
}

/** Something in a file that could not be read. */
export interface ManifestProblem {
  /** The file as the user named it. */
  readonly file: string;
  /** Line, counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** What a file holds. */
export interface Manifest {
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly ManifestProblem[];
}

/** Aliases multiply: a few hundred bytes of them can stand for gigabytes. */
const maxAliasCount = 1000;

/**
 * Reads a file of YAML documents or of JSON objects. Lists (`kind: List`, `PodList` …) become their items, and an
 * item that does not say what it is gets that from its list.
 *
 * @param text What the file holds.
 * @param file Its name, for problems.
 * @returns Its objects in their order, empty documents left out, and a problem for each document that is not valid
 *   YAML, has a key twice, holds too many aliases or is no object. One bad document does not lose the others. It
 *   never throws.
 */
export function readDocuments(text: string, file: string): Manifest {
  const documents: ManifestDocument[] = [];
  const problems: ManifestProblem[] = [];
  for (const part of partsOf(text)) {
    const lines = new LineCounter();
    const lineAt: LineAt = (offset) => part.line + lines.linePos(offset).line - 1;
    for (const document of parseAllDocuments(part.text, {
      lineCounter: lines,
      merge: true,
      resolveKnownTags: false,
      logLevel: 'error',
    })) {
      const outcome = read(document, lineAt);
      documents.push(...outcome.documents);
      problems.push(...outcome.problems.map((problem) => ({ file, ...problem })));
    }
  }
  return { documents, problems };
}

/** From an offset in the text to a line of the file. */
type LineAt = (offset: number) => number;

interface Outcome {
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly Omit<ManifestProblem, 'file'>[];
}

/**
 * Cuts a file at its document markers, as kubectl does: an open quote or bracket then loses one document, not the
 * rest of the file. No scalar may hold a line that begins with `---` (YAML 1.2.2, 9.1.2). JSON objects may also
 * follow one another without a marker, as `jq` writes them.
 */
function partsOf(text: string): { readonly text: string; readonly line: number }[] {
  const parts: { text: string; line: number }[] = [];
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
    for (const piece of /^(---)?\s*\{/.test(whole) ? whole.split(/(?<=\}[ \t\r]*\n)(?=\{)/) : [whole]) {
      parts.push({ text: piece, line });
      line += piece.split('\n').length - 1;
    }
  }
  return parts;
}

function read(document: Document.Parsed, lineAt: LineAt): Outcome {
  const { contents, errors } = document;
  const complain = (line: number, message: string): Outcome => ({
    documents: [],
    problems: [{ line, message }],
  });
  const [error] = errors;
  if (error) return complain(lineAt(error.pos[0]), inWords(error.message));
  const line = lineAt(contents?.range[0] ?? document.range[0]);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount });
  } catch (error) {
    return complain(line, inWords(error instanceof Error ? error.message : String(error)));
  }
  if (value === null || value === undefined) return { documents: [], problems: [] };
  if (!isJsonObject(value)) {
    return complain(line, `this is ${typeName(value)}; expected an object with apiVersion and kind`);
  }
  return itemsOf(value, line, isMap(contents) ? contents : null, lineAt);
}

function itemsOf(
  value: Readonly<Record<string, unknown>>,
  line: number,
  node: YAMLMap | null,
  lineAt: LineAt,
): Outcome {
  const { apiVersion, kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) {
    return { documents: [{ value, line }], problems: [] };
  }
  const implied = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
  const sequence = node?.get('items', true);
  const documents: ManifestDocument[] = [];
  const problems: Omit<ManifestProblem, 'file'>[] = [];
  items.forEach((item: unknown, index) => {
    const itemNode = isSeq(sequence) ? sequence.items[index] : null;
    const itemLine = isNode(itemNode) && itemNode.range ? lineAt(itemNode.range[0]) : line;
    if (isJsonObject(item)) documents.push({ value: { ...implied, ...item }, line: itemLine });
    else
      problems.push({ line: itemLine, message: `items[${index}] is ${typeName(item)}; expected an object` });
  });
  return { documents, problems };
}

/** The problem in words: `file:line: message`. */
export function problemText({ file, line, message }: ManifestProblem): string {
  return `${file}:${line}: ${message}`;
}

function inWords(message: string): string {
  if (message.includes('call stack')) return 'this document is nested too deeply';
  if (message.startsWith('Excessive alias count')) {
    return 'this document is too large: its aliases stand for more than a thousand nodes';
  }
  return `not valid YAML: ${message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '')}`;
}

function typeName(value: unknown): string {
  if (value === null) return 'empty';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
