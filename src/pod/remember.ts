/** UTF-16 units of one pair of words and answer, and of all together. */
const longestRemembered = 4_096;
const mostRemembered = 1024 * 1024;
/** What an entry takes besides its words. */
const unitsPerEntry = 256;

/**
 * Remembers what a function says of the words of a command line: pods of a template come again and again, and reading
 * their scripts takes longer than all the rest of judging one. Those that came last are kept.
 *
 * @param read A pure function of the words.
 * @param sizeOf What an answer holds beyond the words, as UTF-16 units would take it; a large one is not kept.
 * @returns The function; equal words get the same answer, the very same object while it is remembered.
 */
export function remember<T>(
  read: (words: readonly string[]) => T,
  sizeOf: (answer: T) => number = () => 0,
): (words: readonly string[]) => T {
  const remembered = new Map<string, { readonly answer: T; readonly size: number }>();
  let total = 0;
  return (words) => {
    const key = JSON.stringify(words);
    const known = remembered.get(key);
    if (known !== undefined) return known.answer;
    const answer = read(words);
    const size = unitsPerEntry + key.length + sizeOf(answer);
    if (size <= longestRemembered) {
      remembered.set(key, { answer, size });
      total += size;
      for (const [oldest, entry] of remembered) {
        if (total <= mostRemembered) break;
        remembered.delete(oldest);
        total -= entry.size;
      }
    }
    return answer;
  };
}
