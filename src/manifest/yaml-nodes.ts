import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  visit,
  type YAMLMap,
} from 'yaml';

/** A member of a map or an item of a sequence, as it stands in a YAML document. */
export interface YamlEntry {
  /** Its key, or the item itself; where it begins is where the entry begins. */
  readonly node: Node | null;
  /** Its value with aliases followed; null where it has none. */
  readonly value: Node | null;
}

/**
 * Finds a value among the nodes of a document. It follows aliases and merge keys, so it may end elsewhere in the
 * document than the pointer's parents do.
 *
 * @param document The document.
 * @param root The node that the tokens lead down from.
 * @param tokens Reference tokens of a JSON Pointer, unescaped.
 * @returns The entries on the way, as far as they are there.
 */
export function entriesTo(
  document: Document,
  root: Node | null,
  tokens: readonly string[],
): readonly YamlEntry[] {
  const entries: YamlEntry[] = [];
  let value = followed(document, root);
  for (const token of tokens) {
    const entry = entryOf(document, value, token);
    if (!entry) break;
    entries.push(entry);
    value = entry.value;
  }
  return entries;
}

/** The offset that an entry begins at; null where the document does not have it itself. */
export function startOf({ node }: YamlEntry): number | null {
  return node?.range?.[0] ?? null;
}

/** The member of a map that is written there itself, not merged into it. */
export function ownPair(map: YAMLMap, key: string): Pair | undefined {
  return map.items.findLast((pair) => keyOf(pair) === key);
}

/**
 * Finds a key that stands twice in one map.
 *
 * @returns Offset of the second one; null if there is none.
 */
export function duplicateKeyOf(document: Document): number | null {
  let found: number | null = null;
  visit(document, {
    Map(_, map) {
      const keys = new Set<string>();
      for (const pair of map.items) {
        const key = keyOf(pair);
        // A map may be merged with several others, each by a key of its own.
        if (key === null || key === '<<') continue;
        if (keys.has(key)) {
          found = isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
          return visit.BREAK;
        }
        keys.add(key);
      }
      return undefined;
    },
  });
  return found;
}

function entryOf(document: Document, parent: Node | null, token: string): YamlEntry | null {
  if (isSeq(parent)) {
    const item = parent.items[Number(token)];
    return isNode(item) ? { node: item, value: followed(document, item) } : null;
  }
  if (!isMap(parent)) return null;
  const pair = ownPair(parent, token);
  if (pair) {
    return {
      node: isNode(pair.key) ? pair.key : null,
      value: followed(document, isNode(pair.value) ? pair.value : null),
    };
  }
  return mergedEntry(document, parent, token);
}

/** The member that `<<: *map` or `<<: [*one, *other]` brings; the first map that has it counts. */
function mergedEntry(document: Document, parent: YAMLMap, token: string): YamlEntry | null {
  for (const pair of parent.items) {
    if (keyOf(pair) !== '<<') continue;
    const merged = followed(document, isNode(pair.value) ? pair.value : null);
    for (const source of isSeq(merged) ? merged.items : [merged]) {
      const map = isNode(source) ? followed(document, source) : null;
      // A map that merges itself would never end.
      if (!isMap(map) || map === parent) continue;
      const own = ownPair(map, token);
      if (own) return entryOf(document, map, token);
    }
  }
  return null;
}

function followed(document: Document, node: Node | null): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}

function keyOf({ key }: Pair): string | null {
  if (!isScalar(key)) return null;
  // The merge key `<<` is a symbol to the library.
  return typeof key.value === 'symbol' ? (key.value.description ?? null) : String(key.value);
}
