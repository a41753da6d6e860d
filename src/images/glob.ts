/** What matches one character, or any number of them. */
type Token = '*' | ((character: string) => boolean);

/**
 * Whether a name matches a shell pattern as Go's `filepath.Match` has it: `*` and `?` stop at `/`, `[a-z]` and `[^a-z]`
 * are classes, `\` takes the next character as it stands. Takes time in proportion to both lengths, whatever the
 * pattern: it comes from a tenant.
 *
 * @returns False for a malformed pattern too.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  const tokens = tokensOf(pattern);
  return tokens !== null && matches(tokens, [...name]);
}

function matches(tokens: readonly Token[], characters: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star: { readonly token: number; at: number } | null = null;
  while (at < characters.length) {
    const current = tokens[token];
    const character = characters[at] ?? '';
    if (current === '*') {
      star = { token, at };
      token += 1;
    } else if (current?.(character)) {
      token += 1;
      at += 1;
    } else if (star !== null && characters[star.at] !== '/') {
      star.at += 1;
      token = star.token + 1;
      at = star.at;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every((left) => left === '*');
}

function tokensOf(pattern: string): readonly Token[] | null {
  const characters = [...pattern];
  const tokens: Token[] = [];
  let at = 0;
  while (at < characters.length) {
    const character = characters[at] ?? '';
    if (character === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
      at += 1;
    } else if (character === '?') {
      tokens.push((found) => found !== '/');
      at += 1;
    } else if (character === '[') {
      const group = classAt(characters, at + 1);
      if (group === null) return null;
      tokens.push(group.token);
      at = group.end;
    } else {
      const literal = literalAt(characters, at);
      if (literal === null) return null;
      tokens.push((found) => found === literal.character);
      at = literal.end;
    }
  }
  return tokens;
}

/** A character, or the one behind a backslash. */
function literalAt(characters: readonly string[], at: number): { character: string; end: number } | null {
  const escaped = characters[at] === '\\';
  const character = characters[escaped ? at + 1 : at];
  return character === undefined ? null : { character, end: at + (escaped ? 2 : 1) };
}

/** The class whose bracket stands before `at`. */
function classAt(characters: readonly string[], at: number): { token: Token; end: number } | null {
  const negated = characters[at] === '^';
  const ranges: { readonly low: string; readonly high: string }[] = [];
  let position = negated ? at + 1 : at;
  while (characters[position] !== ']' || ranges.length === 0) {
    const low = memberAt(characters, position);
    if (low === null) return null;
    position = low.end;
    let high = low;
    if (characters[position] === '-') {
      const found = memberAt(characters, position + 1);
      if (found === null) return null;
      high = found;
      position = found.end;
    }
    ranges.push({ low: low.character, high: high.character });
  }
  return {
    token: (found) => ranges.some(({ low, high }) => low <= found && found <= high) !== negated,
    end: position + 1,
  };
}

function memberAt(characters: readonly string[], at: number): { character: string; end: number } | null {
  return characters[at] === '-' || characters[at] === ']' ? null : literalAt(characters, at);
}
