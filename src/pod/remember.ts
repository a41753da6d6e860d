const mostRemembered = 1_000;
const longestRemembered = 4_096;

/**
 * Remembers what a function says of the words of a command line: pods of a template come again and again, and reading
 * their scripts takes longer than all the rest of judging one. Those that came last are kept.
 *
 * @param read A pure function of the words.
 * @param sizeOf UTF-16 units that an answer holds beyond the words; a long one is not kept.
 * @returns The function; equal words get the same answer, the very same object while it is remembered.
 */
export function remember<T>(
  read: (words: readonly string[]) => T,
  sizeOf: (answer: T) => number = () => 0,
): (words: readonly string[]) => T {
  const remembered = new Map<string, T>();
  return (words) => {
    const key = JSON.stringify(words);
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const answer = read(words);
    if (key.length <= longestRemembered && sizeOf(answer) <= longestRemembered) {
      const [oldest] = remembered.keys();
      if (oldest !== undefined && remembered.size >= mostRemembered) remembered.delete(oldest);
      remembered.set(key, answer);
    }
    return answer;
  };
}
