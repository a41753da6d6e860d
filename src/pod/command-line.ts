/** A program in front of another one, which it starts or turns into: `tini --`, `gosu redis`, `timeout 5`, `env A=1`. */
export interface Wrapper {
  /** Basename of the wrapper. */
  readonly name: string;
  /** Its own words, without those of the program behind it. */
  readonly words: readonly string[];
}

/** A program that a command line starts. */
export interface Invocation {
  /** Its words after unwrapping, with quotes removed and what is known expanded; never empty. */
  readonly argv: readonly string[];
  /** Basename of `argv[0]`. */
  readonly program: string;
  /** What was unwrapped from it, outermost first; shells included. */
  readonly wrappers: readonly Wrapper[];
  /** It is left behind by whoever started it: `&`, `nohup`, `setsid -f`, `daemon`. */
  readonly background: boolean;
  /** A shell starts it as a child and lives on, so that it is orphaned when that shell is killed. */
  readonly childOfShell: boolean;
  /** Seconds that the innermost `timeout` in front of it allows; null without one or when not a number. */
  readonly timeoutSeconds: number | null;
}

/** A visible shell script in a command line, the innermost one. */
export interface ShellScript {
  /** Basename of the shell: `sh`, `bash`, `dash`, `ash`; `busybox` for `busybox sh`. */
  readonly shell: string;
  readonly script: string;
  /** The last command may run as a child of a shell that lives on, instead of replacing it. */
  readonly mayStay: boolean;
  /** The script sets a trap for TERM, and so forwards or handles it itself. */
  readonly trapsTerm: boolean;
  /** The parser found the script incomplete or malformed; what it found is a best effort. */
  readonly malformed: boolean;
}

/** What a command line starts, as far as its words tell. */
export interface CommandLine {
  readonly argv: readonly string[];
  /**
   * The chain from the outermost wrapper to the program that ends up in the foreground, each link with its own
   * words: `[["tini", "--"], ["gosu", "redis"], ["redis-server", "--port", "1"]]`. A script with arguments that
   * it presumably execs (`/entrypoint.sh redis-server`) is a link of its own, with its arguments as the next.
   */
  readonly chain: readonly (readonly string[])[];
  /**
   * The words of the program that this process becomes once wrappers and shells have exec'ed; null when that
   * cannot be told: a shell that may stay, an unexpanded `$` in the program's own word, or no words at all.
   */
  readonly program: readonly string[] | null;
  /** The innermost visible shell script on the way to the program, or null. */
  readonly shell: ShellScript | null;
  /** Every program that may run, in the order of the text: also in pipes, substitutions and behind `&`. */
  readonly invocations: readonly Invocation[];
}

/**
 * Reads a command line: wrappers, then shells, then the programs that a visible script starts.
 *
 * @param argv The words as the container runtime would execute them: `$(VAR)` of Kubernetes already expanded.
 */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const program = argv.length > 0 ? argv : null;
  return { argv, chain: program ? [argv] : [], program, shell: null, invocations: [] };
}

/** The file name at the end of a path. */
export function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
