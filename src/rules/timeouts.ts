import { basename, type CommandLine } from '../pod/command-line.ts';
import { unwrap } from '../pod/wrappers.ts';

/** A `timeout` in front of a program or a script. */
interface Timeout {
  /** What it allows; null where that is no number, or no limit. */
  readonly seconds: number | null;
  /** It is called as `busybox timeout`. */
  readonly isBusybox: boolean;
}

/** Every `timeout` of a command line: in front of each program, and on the way to a script that starts none. */
export function timeoutsOf({ chain, invocations }: CommandLine): readonly Timeout[] {
  const paths = [chain, ...invocations.map(({ wrappers }) => wrappers.map(({ words }) => words))];
  const found = new Map<readonly string[], Timeout>();
  for (const links of paths) {
    for (const [index, words] of links.entries()) {
      if (basename(words[0] ?? '') !== 'timeout' || found.has(words)) continue;
      const before = links[index - 1] ?? [];
      const isBusybox = before.length === 1 && basename(before[0] ?? '') === 'busybox';
      found.set(words, { seconds: secondsOf(words), isBusybox });
    }
  }
  return [...found.values()];
}

function secondsOf(words: readonly string[]): number | null {
  const step = unwrap([...words, 'true']);
  return step === null || step === 'unclear' ? null : (step.timeoutSeconds ?? null);
}
