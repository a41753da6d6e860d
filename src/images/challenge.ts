/** What a registry asks for in `WWW-Authenticate` (RFC 9110). */
export interface Challenge {
  readonly scheme: 'bearer' | 'basic';
  /** By name in lower case: `realm`, `service`, `scope`. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameter = new RegExp(`(${token})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))`, 'y');
const scheme = new RegExp(`(${token})(?:[ \\t]+|$|(?=[ \\t]*,))`, 'y');
const separators = /[ \t,]*/y;
const longestHeader = 8 * 1024;

/**
 * Reads the challenge that can be met: a Bearer one before a Basic one.
 *
 * @param header The header, several of them joined by commas.
 * @returns Null where there is neither.
 */
export function readChallenge(header: string | undefined): Challenge | null {
  const challenges = header === undefined || header.length > longestHeader ? [] : challengesIn(header);
  for (const wanted of ['bearer', 'basic'] as const) {
    const found = challenges.find((challenge) => challenge.scheme === wanted);
    if (found) return { scheme: wanted, parameters: found.parameters };
  }
  return null;
}

function challengesIn(header: string): { scheme: string; parameters: Map<string, string> }[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match;
  };
  while (at < header.length) {
    take(separators);
    const found = take(parameter);
    if (found) {
      const [, name = '', quoted, plain = ''] = found;
      const value = quoted === undefined ? plain : quoted.replace(/\\(.)/gs, '$1');
      challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
      continue;
    }
    const [, name] = take(scheme) ?? [];
    if (name === undefined) break;
    challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
  }
  return challenges;
}
