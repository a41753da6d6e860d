import { basename } from './basename.ts';
import { scanShellOptions } from './shell-options.ts';

/**
 * How a shell ends a script: which of its last commands it turns into, instead of starting a child and waiting.
 * Measured on bash 5.2, dash 0.5.12 and busybox 1.35 (test/process/shells.test.ts). `bash` execs a last simple
 * command, also after `&&`; before 5.1 it did not after `;`, which therefore does not count. `busybox` execs a
 * single command. `exec-only`: dash, and `sh`, which may be any of the three.
 */
export type ShellKind = 'bash' | 'busybox' | 'exec-only';

const kinds: ReadonlyMap<string, ShellKind> = new Map([
  ['bash', 'bash'],
  ['ash', 'busybox'],
  ['sh', 'exec-only'],
  ['dash', 'exec-only'],
  ['ksh', 'exec-only'],
  ['mksh', 'exec-only'],
  ['zsh', 'exec-only'],
]);

/** Whether a program, by basename, is a shell. */
export function isShell(name: string): boolean {
  return kinds.has(name);
}

/** The command line of a shell. */
export interface ShellCall {
  /** Basename of the shell; `busybox` for `busybox sh`. */
  readonly shell: string;
  readonly kind: ShellKind;
  /** The words up to the script, and the script. */
  readonly words: readonly string[];
  /** The text behind `-c`, or null where a file is run or nothing is given. */
  readonly script: string | null;
  /** `$0` and the positional parameters, or the file and its arguments. */
  readonly operands: readonly string[];
}

/**
 * Reads the command line of a shell.
 *
 * @param words The words as executed.
 * @returns Null if the first word is no shell.
 */
export function readShellCall(words: readonly string[]): ShellCall | null {
  const name = basename(words[0] ?? '');
  const applet = name === 'busybox' ? basename(words[1] ?? '') : '';
  const isApplet = applet === 'sh' || applet === 'ash';
  const kind = isApplet ? 'busybox' : kinds.get(name);
  if (!kind) return null;
  const { command, next } = scanShellOptions(words, isApplet ? 2 : 1);
  const script = command ? (words[next] ?? null) : null;
  const operandsFrom = script === null ? next : next + 1;
  return {
    shell: name,
    kind,
    words: words.slice(0, operandsFrom),
    script,
    operands: words.slice(operandsFrom),
  };
}
