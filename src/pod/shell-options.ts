const longOptionsWithValue = new Set(['--rcfile', '--init-file']);

/**
 * Scans the options of a shell: `-c`, clusters such as `-euxc`, `-o pipefail`, `+x`, `--login`. The script is the
 * first word that is no option, wherever `-c` stands.
 *
 * @param words The words of the shell's command line.
 * @param start Index of the first word behind the shell's name.
 * @returns Whether `-c` is given, and the index of the first operand.
 */
export function scanShellOptions(
  words: readonly string[],
  start: number,
): { command: boolean; next: number } {
  let command = false;
  let next = start;
  while (next < words.length) {
    const word = words[next] ?? '';
    if (!/^[-+]/.test(word) || word === '+') break;
    next++;
    if (word === '-' || word === '--') break;
    if (word.startsWith('--')) {
      if (longOptionsWithValue.has(word)) next++;
      continue;
    }
    if (word.startsWith('-') && word.includes('c')) command = true;
    next += [...word.slice(1)].filter((letter) => letter === 'o' || letter === 'O').length;
  }
  return { command, next: Math.min(next, words.length) };
}
