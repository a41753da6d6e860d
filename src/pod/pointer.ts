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
