/** An environment variable as a container's `env` lists it. */
export interface EnvEntry {
  readonly name: string;
  readonly value?: string | null | undefined;
  readonly valueFrom?: unknown;
}

/**
 * Expands `$(NAME)` as the kubelet does in a container's command, args and env. `$$` is a literal `$`, so
 * `$$(NAME)` stays `$(NAME)`; a reference that cannot be resolved and any other `$` stay as they are.
 * Source: kubernetes third_party/forked/golang/expansion/expand.go.
 *
 * @param text The text as it stands in the pod.
 * @param lookup The value of a variable, or undefined where it is not known.
 * @param longest The most characters that may come out.
 * @returns The text, or null where it would be longer: `a=$(b)$(b)`, `b=$(c)$(c)` and so on doubles at each step.
 */
export function expandVariables(
  text: string,
  lookup: (name: string) => string | undefined,
  longest = Number.POSITIVE_INFINITY,
): string | null {
  let expanded = '';
  let copied = 0;
  for (let at = text.indexOf('$'); at >= 0; at = text.indexOf('$', Math.max(at + 1, copied))) {
    if (text[at + 1] === '$') {
      expanded += text.slice(copied, at + 1);
      copied = at + 2;
    } else if (text[at + 1] === '(') {
      const close = text.indexOf(')', at + 2);
      if (close < 0) return expanded + unescaped(text.slice(copied));
      expanded += text.slice(copied, at) + (lookup(text.slice(at + 2, close)) ?? text.slice(at, close + 1));
      copied = close + 1;
    }
    if (expanded.length > longest) return null;
  }
  return expanded.length + text.length - copied > longest ? null : expanded + text.slice(copied);
}

/** The kernel executes no program whose words are longer together, on any of its platforms (execve(2), ARG_MAX). */
const longestExpansion = 262_144;

/**
 * Expands the words of a command line.
 *
 * @param words As they stand in the pod.
 * @param lookup The value of a variable, or undefined where it is not known.
 * @returns The words, or null where they would be longer together than 256 Ki characters.
 */
export function expandWords(
  words: readonly string[],
  lookup: (name: string) => string | undefined,
): readonly string[] | null {
  if (!words.some((word) => word.includes('$'))) return words;
  const expanded: string[] = [];
  let left = longestExpansion;
  for (const word of words) {
    const next = expandVariables(word, lookup, left);
    if (next === null) return null;
    left -= next.length;
    expanded.push(next);
  }
  return expanded;
}

/** What becomes of text in which no reference is closed. */
function unescaped(text: string): string {
  return text.replaceAll('$$', () => '$');
}

/**
 * The variables of a container whose values can be told from the pod alone, evaluated in order as the kubelet
 * does: a value may refer to earlier variables, and a later one of the same name wins. A variable from
 * `valueFrom`, one whose value mentions a variable that is not known, and one beyond 256 Ki characters for all of
 * them together is not in the map, and takes an earlier one of the same name out of it: `$(NAME)` would be expanded, to a value that nobody can see here.
 *
 * @param env The entries of `env`, or null or undefined where the container has none.
 */
export function literalEnv(env: readonly EnvEntry[] | null | undefined): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  let left = longestExpansion;
  for (const { name, value, valueFrom } of env ?? []) {
    let unknown = valueFrom !== undefined && valueFrom !== null;
    const lookup = (reference: string) => {
      const found = known.get(reference);
      if (found === undefined) unknown = true;
      return found;
    };
    const expanded = expandVariables(value ?? '', lookup, left);
    if (unknown || expanded === null) {
      known.delete(name);
    } else {
      known.set(name, expanded);
      left -= expanded.length;
    }
  }
  return known;
}

/**
 * Doubles every `$`, so that the text comes out of the kubelet's expansion as it was: for words that move from an
 * image's configuration, which is never expanded, into a pod's command and args, which are.
 */
export function escapeDollars(text: string): string {
  return text.replaceAll('$', '$$$$');
}
