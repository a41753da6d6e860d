import { basename } from './basename.ts';
import { remember } from './remember.ts';
import { readScript, type ScriptCommand, type ScriptReading } from './shell-script.ts';
import type { Budget } from './shell-walk.ts';
import { readShellCall, type ShellCall } from './shells.ts';
import { detachingWrappers, unwrap } from './wrappers.ts';

export { basename } from './basename.ts';

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
 * Reads a command line: wrappers, then shells, then the programs that a visible script starts. It never throws,
 * and its work is bounded whatever the words are; a script that is beyond the bounds is called malformed. The
 * command lines that came last are remembered.
 *
 * @param argv The words as the container runtime would execute them: `$(VAR)` of Kubernetes already expanded.
 */
export const readCommandLine: (argv: readonly string[]) => CommandLine = remember(readAnew, sizeOf);

/** What an object with a few fields takes, in UTF-16 units. */
const unitsPerObject = 64;

/**
 * What a reading holds, in UTF-16 units: a script that repeats `"$*"` makes far more invocations than it has text, and
 * each has its own list of wrappers.
 */
function sizeOf({ invocations }: CommandLine): number {
  return invocations.reduce(
    (sum, { argv, wrappers }) =>
      sum + argv.join(' ').length + unitsPerObject * (1 + argv.length + wrappers.length),
    0,
  );
}

function readAnew(argv: readonly string[]): CommandLine {
  if (argv.length === 0) return { argv, chain: [], program: null, shell: null, invocations: [] };
  const budget = { characters: 262_144, commands: 10_000, links: 1_000, exceeded: false };
  return { argv, ...follow(argv, outermost, budget) };
}

/** What is known of the words at a place of the chain from what stands before them. */
interface Context {
  /** Links of the chain before them. */
  readonly depth: number;
  readonly wrappers: readonly Wrapper[];
  readonly background: boolean;
  readonly childOfShell: boolean;
  readonly timeoutSeconds: number | null;
  /** A wrapper before them leaves them behind, so that this process does not become them. */
  readonly left: boolean;
  /** They stand in a script, where `*` and `{a,b}` are expanded. */
  readonly inScript: boolean;
}

const outermost: Context = {
  depth: 0,
  wrappers: [],
  background: false,
  childOfShell: false,
  timeoutSeconds: null,
  left: false,
  inScript: false,
};

type Reading = Omit<CommandLine, 'argv'>;

/** Wrappers and shells that may stand one behind the other. */
const maxDepth = 32;

function follow(words: readonly string[], context: Context, budget: Budget): Reading {
  if (context.depth >= maxDepth || budget.links-- <= 0) {
    budget.exceeded = true;
    return end(words, context, null);
  }
  const call = readShellCall(words);
  if (call?.script != null) return followScript(call, call.script, context, budget);
  const step = unwrap(words);
  if (step === null) return endInProgram(words, call, context, budget);
  if (step === 'unclear') {
    const detaches = detachingWrappers.has(basename(words[0] ?? ''));
    return end(words, { ...context, background: context.background || detaches }, null);
  }
  const { name, behind, background, leaves, timeoutSeconds = context.timeoutSeconds } = step;
  return follow(
    behind,
    {
      ...context,
      depth: context.depth + 1,
      wrappers: [...context.wrappers, { name, words: step.words }],
      background: context.background || background,
      left: context.left || leaves,
      timeoutSeconds,
    },
    budget,
  );
}

/** The words are a program: one invocation, and the end of the chain but for what a script presumably execs. */
function endInProgram(
  words: readonly string[],
  call: ShellCall | null,
  context: Context,
  budget: Budget,
): Reading {
  const unknown = context.inScript ? /[$`*?{[]|^$/ : /[$`]|^$/;
  const program = context.left || unknown.test(words[0] ?? '') ? null : words;
  const reading = end(words, context, program);
  const args = scriptArguments(words, call);
  if (args.length === 0) return reading;
  const presumed = follow(args, { ...outermost, depth: context.depth + 1 }, budget);
  const own = words.slice(0, words.length - args.length);
  return { ...reading, chain: [...linksOf(context), own, ...presumed.chain], shell: presumed.shell };
}

/** The arguments of a script that look like a command of their own, which such scripts exec as a rule. */
function scriptArguments(words: readonly string[], call: ShellCall | null): readonly string[] {
  const isScript = call ? call.operands.length > 0 : /entrypoint|\.sh$/.test(basename(words[0] ?? ''));
  const args = call ? call.operands.slice(1) : words.slice(1);
  return isScript && args[0] && !args[0].startsWith('-') ? args : [];
}

function end(words: readonly string[], context: Context, program: readonly string[] | null): Reading {
  const { wrappers, background, childOfShell, timeoutSeconds } = context;
  const word = words[0] ?? '';
  const invocation: Invocation = {
    argv: words,
    program: /\$\(|`/.test(word) ? word : basename(word),
    wrappers,
    background,
    childOfShell,
    timeoutSeconds,
  };
  return { chain: [...linksOf(context), words], program, shell: null, invocations: [invocation] };
}

function linksOf({ wrappers }: Context): (readonly string[])[] {
  return wrappers.map(({ words }) => words);
}

function followScript(call: ShellCall, script: string, context: Context, budget: Budget): Reading {
  const [zero = call.words[0] ?? '', ...args] = call.operands;
  const reading = readScript(script, call.kind, { zero, args }, budget);
  const inside = {
    ...context,
    depth: context.depth + 1,
    wrappers: [...context.wrappers, { name: call.shell, words: call.words }],
    inScript: true,
  };
  const invocations: Invocation[] = [];
  let last: Reading | null = null;
  for (const command of reading.commands) {
    const outcome = followCommand(command, inside, budget);
    for (const invocation of outcome.invocations) invocations.push(invocation);
    if (command === reading.last) last = outcome;
  }
  const mine = shellScript(call, script, reading, budget);
  return {
    chain: last?.chain ?? linksOf(inside),
    program: mine.malformed || !reading.becomesLast || !last ? null : last.program,
    shell: last?.shell ? within(mine, last.shell) : mine,
    invocations,
  };
}

function shellScript(call: ShellCall, script: string, reading: ScriptReading, budget: Budget): ShellScript {
  const malformed = reading.malformed || budget.exceeded;
  return {
    shell: call.shell,
    script,
    mayStay: reading.mayStay || malformed,
    trapsTerm: reading.trapsTerm,
    malformed,
  };
}

/** A shell that another one starts: the outer one is the one to be signalled, if it stays. */
function within(outer: ShellScript, inner: ShellScript): ShellScript {
  return {
    ...inner,
    mayStay: outer.mayStay || inner.mayStay,
    trapsTerm: outer.mayStay ? outer.trapsTerm : inner.trapsTerm,
    malformed: outer.malformed || inner.malformed,
  };
}

function followCommand(command: ScriptCommand, inside: Context, budget: Budget): Reading {
  const context = {
    ...inside,
    background: inside.background || command.background,
    childOfShell: inside.childOfShell || command.child,
  };
  return command.builtin ? end(command.words, context, null) : follow(command.words, context, budget);
}
