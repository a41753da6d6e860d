import { isDeepStrictEqual } from 'node:util';
import { type Document, isCollection, isMap, isNode, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import { isJsonObject } from '../pod/json.ts';
import { tokensOf, valueAt } from '../pod/pointer.ts';
import { type DocumentPlace, parseYaml } from './source.ts';
import { entriesTo, ownPair } from './yaml-nodes.ts';

/** A member that an object of a manifest is to have. */
export interface Setting {
  /** JSON Pointer of the object that is to have it, below the document's own object. */
  readonly pointer: string;
  readonly key: string;
  readonly value: number | boolean;
  /** A member that a new one is put in front of; left out, a new one goes to the end. */
  readonly before?: string;
}

/** A setting in an object of a file. */
export interface PlacedSetting extends Setting {
  readonly place: DocumentPlace;
}

/** What became of settings. */
export interface Edited {
  readonly text: string;
  /** Those that could not be written, and why, for people. */
  readonly refused: ReadonlyMap<PlacedSetting, string>;
}

/**
 * Writes settings into the text of a manifest: it is spliced, not printed again, so comments, order, anchors,
 * quotes and line ends stay, and documents without a setting stay byte for byte. What was spliced is read again, and
 * kept only if it holds exactly what it held before and the settings.
 *
 * @param text The file, without a byte order mark.
 * @param settings As read from this very text.
 */
export function editManifest(text: string, settings: readonly PlacedSetting[]): Edited {
  const refused = new Map<PlacedSetting, string>();
  let edited = text;
  const byPart = Map.groupBy(settings, ({ place }) => place.part.offset);
  for (const ofPart of [...byPart.values()].sort((a, b) => offsetOf(b) - offsetOf(a))) {
    const part = ofPart[0]?.place.part;
    if (!part) continue;
    const outcome = editPart(part.text, ofPart);
    for (const [setting, why] of outcome.refused) refused.set(setting, why);
    edited = edited.slice(0, part.offset) + outcome.text + edited.slice(part.offset + part.text.length);
  }
  return { text: edited, refused };
}

function offsetOf(settings: readonly PlacedSetting[]): number {
  return settings[0]?.place.part.offset ?? 0;
}

/** Nodes of YAML take a hundred times the memory of their text. */
const longestEdited = 8 * 1024 * 1024;
const tooLong = `its document is larger than ${longestEdited / 1024 / 1024} MiB; split it, or write it by hand`;
/** Such as below an anchor that others use. */
const changesMore = 'an anchor or its place would change more than this; write it by hand';

function editPart(text: string, settings: readonly PlacedSetting[]): Edited {
  if (text.length > longestEdited) {
    return { text, refused: new Map(settings.map((setting) => [setting, tooLong])) };
  }
  // Two probes may be one by an anchor: together their settings agree where one alone would change the other.
  const together = spliced(text, settings);
  if (together !== null) return { text: together, refused: new Map() };
  const refused = new Map<PlacedSetting, string>();
  let edited = text;
  for (const setting of settings) {
    const next = spliced(edited, [setting]);
    if (next === null) refused.set(setting, changesMore);
    else edited = next;
  }
  return { text: edited, refused };
}

/** The text with the settings; null where it would not hold exactly what it should. */
function spliced(text: string, settings: readonly PlacedSetting[]): string | null {
  const documents = parseYaml(text);
  const wanted = documents.map((document) => structuredClone(plain(document)));
  const edits = new Map<number, Splice>();
  for (const setting of settings) {
    const document = documents[setting.place.document];
    const splice = document ? spliceFor(text, document, setting) : null;
    if (!splice || !set(wanted[setting.place.document], setting)) return null;
    const known = edits.get(splice.start);
    if (known && known.with !== splice.with) {
      if (known.end !== known.start || splice.end !== splice.start) return null;
      edits.set(splice.start, { ...known, with: known.with + splice.with });
    } else edits.set(splice.start, splice);
  }
  const inOrder = [...edits.values()].sort((a, b) => b.start - a.start);
  const edited = inOrder.reduce(
    (all, { start, end, with: by }) => all.slice(0, start) + by + all.slice(end),
    text,
  );
  const read = parseYaml(edited);
  const isRight =
    read.length === documents.length &&
    read.every(
      (document, index) => document.errors.length === 0 && isDeepStrictEqual(plain(document), wanted[index]),
    );
  return isRight ? edited : null;
}

function plain(document: Document): unknown {
  return JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 1000 }) ?? null));
}

function set(value: unknown, setting: PlacedSetting): boolean {
  const parent = valueAt(value, wayTo(setting));
  return isJsonObject(parent) && Reflect.set(parent, setting.key, setting.value);
}

/** The reference tokens from the document to the object that is to have the member. */
function wayTo({ place, pointer }: PlacedSetting): readonly string[] {
  return [...(place.item === null ? [] : ['items', String(place.item)]), ...tokensOf(pointer)];
}

/** A stretch of text and what is to stand there instead. */
interface Splice {
  readonly start: number;
  readonly end: number;
  readonly with: string;
}

function spliceFor(text: string, document: Document.Parsed, setting: PlacedSetting): Splice | null {
  const { key, value, before } = setting;
  const tokens = wayTo(setting);
  const entries = entriesTo(document, document.contents, tokens);
  const map = entries.length === tokens.length ? (entries.at(-1)?.value ?? document.contents) : null;
  if (!isMap(map)) return null;
  const pair = ownPair(map, key);
  if (pair) {
    const old = isNode(pair.value) ? pair.value : null;
    if (!old?.range || isCollection(old)) return null;
    const [start, end] = old.range;
    // `key:` alone: there is nothing to replace, not even a blank.
    return { start, end, with: start === end ? ` ${value}` : String(value) };
  }
  return map.flow ? insertInFlow(text, map, key, value) : insertInBlock(text, map, key, value, before);
}

function insertInFlow(text: string, map: YAMLMap, key: string, value: Setting['value']): Splice | null {
  const last = map.items.at(-1);
  const lastKey = isNode(last?.key) ? last.key : null;
  const lastValue = isNode(last?.value) ? last.value : null;
  if (!lastKey?.range || !lastValue?.range) return null;
  const isQuoted = isScalar(lastKey) && lastKey.type === 'QUOTE_DOUBLE';
  const colon = text.slice(lastKey.range[1], lastValue.range[0]);
  const between = /^:\s*$/.test(colon) && !colon.includes('\n') ? colon : ': ';
  const lead = leadOf(text, lastKey.range[0]);
  const gap =
    lead.isBlank && map.items.length > 0 ? `${lineEndOf(text)}${lead.text}` : between === ':' ? '' : ' ';
  const end = lastValue.range[1];
  return { start: end, end, with: `,${gap}${isQuoted ? JSON.stringify(key) : key}${between}${value}` };
}

function insertInBlock(
  text: string,
  map: YAMLMap,
  key: string,
  value: Setting['value'],
  before: string | undefined,
): Splice | null {
  const member = `${key}: ${value}`;
  const next = before === undefined ? undefined : ownPair(map, before)?.key;
  const nextStart = isNode(next) ? next.range?.[0] : undefined;
  if (nextStart !== undefined) {
    const lead = leadOf(text, nextStart);
    if (!lead.isBlank) {
      const indent = ' '.repeat(lead.text.length);
      return { start: nextStart, end: nextStart, with: `${member}${lineEndOf(text)}${indent}` };
    }
    const start = aboveComments(text, nextStart - lead.text.length, lead.text);
    return { start, end: start, with: `${lead.text}${member}${lineEndOf(text)}` };
  }
  const firstKey = map.items[0]?.key;
  const first = isNode(firstKey) ? firstKey.range?.[0] : undefined;
  const end = contentEndOf(map);
  if (first === undefined || end === null) return null;
  const lead = leadOf(text, first).text;
  const indent = /^\s*$/.test(lead) ? lead : ' '.repeat(lead.length);
  // A block scalar ends behind its last line break, everything else before it and before a comment.
  if (text[end - 1] === '\n') return { start: end, end, with: `${indent}${member}${lineEndOf(text)}` };
  const lineBreak = text.slice(end).search(/\r?\n/);
  const at = lineBreak < 0 ? text.length : end + lineBreak;
  return { start: at, end: at, with: `${lineEndOf(text)}${indent}${member}` };
}

/** What stands on the line in front of an offset. */
function leadOf(text: string, offset: number): { readonly text: string; readonly isBlank: boolean } {
  const lead = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return { text: lead, isBlank: /^[ \t]*$/.test(lead) };
}

/** The beginning of the comment that stands right above a line, at the same indentation. */
function aboveComments(text: string, lineStart: number, indent: string): number {
  let start = lineStart;
  while (start > 0) {
    const above = text.lastIndexOf('\n', start - 2) + 1;
    if (!text.startsWith(`${indent}#`, above)) break;
    start = above;
  }
  return start;
}

/** Where the last thing of a node ends, without the comments and blanks behind it. */
function contentEndOf(node: Node): number | null {
  if (isCollection(node) && !node.flow) {
    const last: unknown = node.items.at(-1);
    if (isSeq(node)) return isNode(last) ? contentEndOf(last) : null;
    if (isMap(node)) {
      const pair = node.items.at(-1);
      return isNode(pair?.value) ? contentEndOf(pair.value) : null;
    }
  }
  return node.range?.[1] ?? null;
}

function lineEndOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}
