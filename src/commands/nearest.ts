const longestCompared = 64;
/** One mistake in three letters. */
const farthest = 1 / 3;

/**
 * Finds the words that somebody may have meant.
 *
 * @param typed What was typed.
 * @param known What there is.
 * @returns At most three of the known words, the likeliest first; none where nothing is near.
 */
export function nearest(typed: string, known: readonly string[]): readonly string[] {
  const wanted = typed.toLowerCase().slice(0, longestCompared);
  return known
    .map((word) => ({ word, distance: distanceTo(word, wanted) }))
    .filter(({ distance }) => distance <= farthest)
    .toSorted((one, other) => one.distance - other.distance)
    .slice(0, 3)
    .map(({ word }) => word);
}

/** Mistakes per letter of a word, or of one of its parts between hyphens; 0 where what was typed is part of it. */
function distanceTo(word: string, typed: string): number {
  if (typed.length >= 3 && word.includes(typed)) return 0;
  const parts = word.split('-').filter((part) => part.length >= 4);
  return Math.min(...[word, ...parts].map((part) => editDistance(typed, part) / part.length));
}

/** How many letters must be put in, taken out or replaced to make one word of the other (Levenshtein). */
function editDistance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...one].entries()) {
    const line = [row + 1];
    for (let column = 0; column < other.length; column += 1) {
      const replaced = (above[column] ?? 0) + (letter === other[column] ? 0 : 1);
      line.push(Math.min((above[column + 1] ?? 0) + 1, (line[column] ?? 0) + 1, replaced));
    }
    above = line;
  }
  return above.at(-1) ?? 0;
}
