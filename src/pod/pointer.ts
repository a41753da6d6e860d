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

/**
 * The value that a JSON Pointer (RFC 6901) stands for.
 *
 * @param document JSON of any shape.
 * @param path A JSON Pointer, `''` for the whole document.
 * @returns The value; undefined where there is none.
 */
export function valueAt(document: unknown, path: string): unknown {
  let value = document;
  for (const token of path.split('/').slice(1)) {
    const key = token.includes('~') ? token.replaceAll('~1', '/').replaceAll('~0', '~') : token;
    if (Array.isArray(value)) value = String(Number(key)) === key ? value[Number(key)] : undefined;
    else if (isJsonObject(value)) value = Object.hasOwn(value, key) ? value[key] : undefined;
    else return undefined;
  }
  return value;
}
