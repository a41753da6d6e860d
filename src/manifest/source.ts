import { type Document, isMap, isNode, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { isJsonObject, type JsonObject } from '../pod/json.ts';
import { tokensOf } from '../pod/pointer.ts';
import { duplicateKeyIn, entriesOf, offsetInJson, skipBlanks } from './json-text.ts';
import { isJson, type Part, partsOf } from './parts.ts';
import { duplicateKeyOf, entriesTo, startOf } from './yaml-nodes.ts';

/** A place in a file, counted from 1; columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One object of a file, and where each part of it stands there. */
export interface SourceDocument {
  /** The object: its members as JSON has them. */
  readonly value: JsonObject;
  /** Where it begins. */
  readonly start: Position;
  /**
   * Where the key of a member or an item of a list stands.
   *
   * @param pointer A JSON Pointer below the object. Where nothing stands there, its nearest parent's place is given.
   */
  positionOf(pointer: string): Position;
  /** Where it stands in the text of the file, for `edit.ts`. */
  readonly place: DocumentPlace;
}

/** The part of a file that holds an object, and which of its objects that is. */
export interface DocumentPlace {
  readonly part: Part;
  /** Which of the part's YAML documents holds it. */
  readonly document: number;
  /** Which item of a List it is; null where it is the document. */
  readonly item: number | null;
}

/** Something in a file that could not be read. */
export interface ManifestProblem {
  /** The file as the user named it. */
  readonly file: string;
  /** Line, counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** Aliases multiply: a few hundred bytes of them can stand for gigabytes. */
const maxAliasCount = 1000;
/** Nodes of YAML take a hundred times the memory of their text; JSON is read without them. */
const longestYaml = 8 * 1024 * 1024;

/**
 * Reads a file of YAML documents or of JSON objects. Lists (`kind: List`, `PodList` …) become their items, and an
 * item that does not say what it is gets that from its list.
 *
 * @param text What the file holds.
 * @param file Its name, for problems.
 * @returns Its objects in their order, empty documents left out, and a problem for each document that is not valid
 *   YAML, has a key twice, is too large, holds too many aliases or is no object. One bad document does not lose the
 *   others, and only one is held at a time. It never throws.
 */
export function* readManifest(text: string, file: string): Generator<SourceDocument | ManifestProblem> {
  for (const part of partsOf(text.startsWith('\ufeff') ? text.slice(1) : text)) {
    const lines = new Lines(part);
    const read = isJson(part.text) ? (readJson(part, lines) ?? readYaml(part, lines)) : readYaml(part, lines);
    for (const found of read) yield 'message' in found ? { file, ...found } : found;
  }
}

/** Whether what was read is a problem, and no document. */
export function isProblem(read: SourceDocument | ManifestProblem): read is ManifestProblem {
  return 'message' in read;
}

/** The problem in words: `file:line: message`; line is null where it is the whole file's. */
export function problemText({
  file,
  line,
  message,
}: Omit<ManifestProblem, 'line'> & { readonly line: number | null }): string {
  return `${file}:${line === null ? '' : `${line}:`} ${message}`;
}

/** Parses the YAML of a part of a file, the way that its documents are numbered in `DocumentPlace`. */
export function parseYaml(text: string): readonly Document.Parsed[] {
  return [
    ...parseAllDocuments(text, {
      merge: true,
      resolveKnownTags: false,
      logLevel: 'error',
      // `duplicateKeyOf` needs one look at each key, this one as many as there are keys.
      uniqueKeys: false,
    }),
  ];
}

/** Garbage that happens to begin so is no document to YAML, and no error either. */
const lonelyDirective =
  'a line that begins with % is a directive, and no document follows; expected an object with apiVersion and kind';

type Found = SourceDocument | Omit<ManifestProblem, 'file'>;

/** From an offset in a part to a place in the file. */
class Lines {
  readonly #part: Part;
  #counter: LineCounter | null = null;

  constructor(part: Part) {
    this.#part = part;
  }

  at(offset: number): Position {
    this.#counter ??= lineCounterOf(this.#part.text);
    const { line, col } = this.#counter.linePos(offset);
    return { line: this.#part.line + line - 1, column: col };
  }
}

function lineCounterOf(text: string): LineCounter {
  const counter = new LineCounter();
  counter.addNewLine(0);
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) counter.addNewLine(at + 1);
  return counter;
}

/** Reads a part that is strict JSON; null where it is not, which YAML may still be able to read. */
function readJson(part: Part, lines: Lines): readonly Found[] | null {
  const { text } = part;
  const start = text.indexOf('{');
  let value: unknown;
  try {
    value = JSON.parse(text.slice(start));
  } catch {
    return null;
  }
  const json = text.slice(start);
  const at = (offset: number) => lines.at(start + offset);
  const duplicate = duplicateKeyIn(json);
  if (duplicate !== null) return [{ line: at(duplicate).line, message: duplicateKey }];
  if (!isJsonObject(value)) return null;
  const document = (object: JsonObject, offset: number, item: number | null): SourceDocument => ({
    value: object,
    start: at(offset),
    positionOf: (pointer) => at(offsetInJson(json, offset, tokensOf(pointer))),
    place: { part, document: 0, item },
  });
  const items = itemsOf(value);
  if (!items) return [document(value, 0, null)];
  const starts = itemStarts(json);
  return items.map((item, index) =>
    typeof item === 'string'
      ? { line: at(starts[index] ?? 0).line, message: item }
      : document(item, starts[index] ?? 0, index),
  );
}

/** Offsets of the items of a List, in one pass. */
function itemStarts(json: string): readonly number[] {
  for (const { token, value } of entriesOf(json, skipBlanks(json, 0))) {
    if (token === 'items') return Array.from(entriesOf(json, value), ({ start }) => start);
  }
  return [];
}

function readYaml(part: Part, lines: Lines): readonly Found[] {
  if (part.text.length > longestYaml) {
    const size = Math.ceil(part.text.length / 1024 / 1024);
    return [
      {
        line: part.line,
        message: `this document has ${size} MiB; expected at most ${longestYaml / 1024 / 1024} MiB of YAML, or valid JSON`,
      },
    ];
  }
  try {
    const documents = parseYaml(part.text);
    const directive = documents.length === 0 ? part.text.search(/^%/m) : -1;
    if (directive >= 0) return [{ line: lines.at(directive).line, message: lonelyDirective }];
    return documents.flatMap((document, index) => readYamlDocument(document, index, part, lines));
  } catch (error) {
    return [{ line: part.line, message: inWords(error) }];
  }
}

function readYamlDocument(
  document: Document.Parsed,
  index: number,
  part: Part,
  lines: Lines,
): readonly Found[] {
  const { contents, errors } = document;
  const [error] = errors;
  if (error) return [{ line: lines.at(error.pos[0]).line, message: inWords(error) }];
  const duplicate = duplicateKeyOf(document);
  if (duplicate !== null) return [{ line: lines.at(duplicate).line, message: duplicateKey }];
  const start = contents?.range[0] ?? document.range[0];
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount });
  } catch (error) {
    return [{ line: lines.at(start).line, message: inWords(error) }];
  }
  if (value === null || value === undefined) return [];
  if (!isJsonObject(value)) {
    const message = `this is ${typeName(value)}; expected an object with apiVersion and kind`;
    return [{ line: lines.at(start).line, message }];
  }
  const found = (object: JsonObject, root: Node | null, item: number | null): SourceDocument => ({
    value: object,
    start: lines.at(root?.range?.[0] ?? start),
    positionOf: (pointer) => {
      const starts = entriesTo(document, root, tokensOf(pointer)).map(startOf);
      return lines.at(starts.findLast((offset) => offset !== null) ?? root?.range?.[0] ?? start);
    },
    place: { part, document: index, item },
  });
  const items = itemsOf(value);
  if (!items) return [found(value, contents, null)];
  const sequence = isMap(contents) ? contents.get('items', true) : null;
  return items.map((item, number) => {
    const nodes: readonly unknown[] = isSeq(sequence) ? sequence.items : [];
    const each = nodes[number];
    const node = isNode(each) ? each : null;
    return typeof item === 'string'
      ? { line: lines.at(node?.range?.[0] ?? start).line, message: item }
      : found(item, node, number);
  });
}

/** The items of a List, each an object or in words why it is none; null where the value is no List. */
function itemsOf(value: JsonObject): readonly (JsonObject | string)[] | null {
  const { apiVersion, kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return null;
  const implied = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
  return items.map((item: unknown, index) =>
    isJsonObject(item) ? { ...implied, ...item } : `items[${index}] is ${typeName(item)}; expected an object`,
  );
}

const duplicateKey = 'not valid YAML: Map keys must be unique';

function inWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
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
