import { isJsonObject } from './json.ts';

/**
 * Joins reference tokens onto a JSON Pointer (RFC 6901), escaping `~` and `/` in each.
 *
 * @param base A JSON Pointer, `''` for the whole document.
 * @param tokens Member names or array indices below it, unescaped.
 */
export function pointer(base: string, ...tokens: readonly (string | number)[]): string {
  return tokens.reduce<string>(
    (path, token) => `${path}/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`,
    base,
  );
}

/** The reference tokens of a JSON Pointer, unescaped. */
export function tokensOf(pointer: string): readonly string[] {
  const tokens = pointer.split('/').slice(1);
  return pointer.includes('~')
    ? tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    : tokens;
}

/** What reference tokens lead to in JSON; undefined where nothing stands there. */
export function valueAt(value: unknown, tokens: readonly string[]): unknown {
  return tokens.reduce<unknown>((parent, token) => {
    if (Array.isArray(parent)) return String(Number(token)) === token ? parent[Number(token)] : undefined;
    return isJsonObject(parent) && Object.hasOwn(parent, token) ? parent[token] : undefined;
  }, value);
}
