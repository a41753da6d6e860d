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
 */
export function expandVariables(text: string, lookup: (name: string) => string | undefined): string {
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
  }
  return expanded + text.slice(copied);
}

/** What becomes of text in which no reference is closed. */
function unescaped(text: string): string {
  return text.replaceAll('$$', () => '$');
}

/**
 * The variables of a container whose values can be told from the pod alone, evaluated in order as the kubelet
 * does: a value may refer to earlier variables, and a later one of the same name wins. A variable from
 * `valueFrom`, or one whose value mentions a variable that is not known, is not in the map, and takes an earlier
 * one of the same name out of it: `$(NAME)` would be expanded, to a value that nobody can see here.
 *
 * @param env The entries of `env`, or null or undefined where the container has none.
 */
export function literalEnv(env: readonly EnvEntry[] | null | undefined): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  for (const { name, value, valueFrom } of env ?? []) {
    let unknown = valueFrom !== undefined && valueFrom !== null;
    const expanded = expandVariables(value ?? '', (reference) => {
      const found = known.get(reference);
      if (found === undefined) unknown = true;
      return found;
    });
    if (unknown) known.delete(name);
    else known.set(name, expanded);
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
