import { cut, harmless, harmlessName } from './text.ts';

/** Something to tell the author of an object through the API server, which kubectl prints. */
export interface Warning {
  /** A reason code or the id of a rule; null for what is about the other warnings. */
  readonly code: string | null;
  /** The container that it is about, null for the whole object. */
  readonly container: string | null;
  /** The same thing said at decreasing length: the first that fits is taken, else the last is cut. */
  readonly texts: readonly [string, ...string[]];
}

/** The most characters of one warning. The API server may cut each at 256 when all are too long together. */
const longestWarning = 120;

/** The most bytes of all warnings of one answer. The API server drops what passes 4,096 characters. */
const longestTogether = 4096;

/** Room for container names in a warning that stands for several. */
const longestNames = 40;

/** A code with more different texts than this is said once, with the first of them. */
const mostTextsPerCode = 3;

interface Group {
  readonly code: string | null;
  readonly texts: readonly [string, ...string[]];
  /** Empty for the whole object. */
  readonly containers: Set<string>;
}

/**
 * Writes warnings as `gravekeeper <code>: <container>: <text>`, or `gravekeeper <code>: <text>` for a whole object;
 * `gravekeeper: <text>` without a code.
 *
 * @param warnings What there is to say, the most important first; container names and texts may hold anything.
 * @returns Lines of printable ASCII, each of at most 120 characters and all together of at most 4,096 bytes. What
 *   is said of several containers is one line that names some of them; what does not fit is counted in the last.
 */
export function formatWarnings(warnings: readonly Warning[]): readonly string[] {
  return warnings.length === 0 ? [] : withinTotal(group(warnings).map(line));
}

function group(warnings: readonly Warning[]): readonly Group[] {
  const byText = new Map<string, Group>();
  for (const { code, container, texts } of warnings) {
    const key = JSON.stringify([code, container === null, texts[0]]);
    const known = byText.get(key) ?? { code, texts, containers: new Set() };
    if (container !== null) known.containers.add(container);
    byText.set(key, known);
  }
  const groups = [...byText.values()];
  const textsOfCode = new Map<string | null, number>();
  for (const { code, containers } of groups) {
    if (containers.size > 0) textsOfCode.set(code, (textsOfCode.get(code) ?? 0) + 1);
  }
  const merged = new Map<string | null, Group>();
  return groups.filter((each) => {
    if (each.containers.size === 0 || (textsOfCode.get(each.code) ?? 0) <= mostTextsPerCode) return true;
    const first = merged.get(each.code);
    if (!first) {
      merged.set(each.code, each);
      return true;
    }
    for (const container of each.containers) first.containers.add(container);
    return false;
  });
}

function line({ code, texts, containers }: Group): string {
  const about = containers.size === 0 ? '' : `${names([...containers])}: `;
  const start = `gravekeeper${code === null ? '' : ` ${code}`}: ${about}`;
  const room = longestWarning - start.length;
  const candidates = texts.map(harmless);
  const fitting = candidates.find((text) => text.length <= room);
  return `${start}${fitting ?? cut(candidates.at(-1) ?? '', room)}`;
}

/** `app, web +3 more`: as many names as there is room for, at least one. */
function names(containers: readonly string[]): string {
  const shown: string[] = [];
  for (const container of containers) {
    const name = harmlessName(container, longestNames);
    if (shown.length > 0 && [...shown, name].join(', ').length > longestNames) break;
    shown.push(name);
  }
  const more = containers.length - shown.length;
  return more > 0 ? `${shown.join(', ')} +${more} more` : shown.join(', ');
}

function withinTotal(lines: readonly string[]): readonly string[] {
  const size = (some: readonly string[]) => some.reduce((total, each) => total + each.length, 0);
  if (size(lines) <= longestTogether) return lines;
  const kept: string[] = [];
  let room = longestTogether - leftOut(lines.length).length;
  for (const each of lines) {
    room -= each.length;
    if (room < 0) break;
    kept.push(each);
  }
  return [...kept, leftOut(lines.length - kept.length)];
}

function leftOut(count: number): string {
  return `gravekeeper: ${count} more ${count === 1 ? 'warning' : 'warnings'}`;
}
