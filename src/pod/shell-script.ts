import { type Command, type ParsedScript, parse, type Statement } from 'unbash';
import { type Budget, type Occurrence, type Walk, walkScript } from './shell-walk.ts';
import type { Positionals } from './shell-words.ts';
import type { ShellKind } from './shells.ts';

/** A simple command of a script. */
export interface ScriptCommand {
  /** Never empty. */
  readonly words: readonly string[];
  /** The shell carries it out itself. */
  readonly builtin: boolean;
  readonly background: boolean;
  /** The shell starts a process for it and lives on. */
  readonly child: boolean;
}

/** What a script does. */
export interface ScriptReading {
  /** In the order of the text. */
  readonly commands: readonly ScriptCommand[];
  /** The command of `commands` that is in the foreground at the end, as far as that can be told. */
  readonly last: ScriptCommand | null;
  /** The shell does not certainly turn into its last command. */
  readonly mayStay: boolean;
  /** The shell turns into `last` and, unless something fails on the way, into nothing else. */
  readonly becomesLast: boolean;
  readonly trapsTerm: boolean;
  readonly malformed: boolean;
}

/** Longer scripts are read up to here: nobody waits for the parser. */
const maxScriptLength = 32_768;

/**
 * Reads a script. It never throws.
 *
 * @param source The text behind `-c`.
 * @param kind How the shell ends a script.
 * @param positionals What `$0`, `$1` … stand for.
 * @param budget Reduced by what is read; where it runs out the rest is left out and the script called malformed.
 */
export function readScript(
  source: string,
  kind: ShellKind,
  positionals: Positionals,
  budget: Budget,
): ScriptReading {
  const text = source.slice(0, Math.min(maxScriptLength, Math.max(0, budget.characters)));
  budget.characters -= text.length;
  try {
    const script = parse(text);
    const first = walkScript(script, positionals, budget);
    const walk = first.setsPositionals
      ? walkScript(script, { zero: positionals.zero, args: null }, budget)
      : first;
    const malformed = text.length < source.length || walk.incomplete || (script.errors?.length ?? 0) > 0;
    return reading(walk, endOf(script, text, kind, walk), malformed);
  } catch {
    return { ...nothing, malformed: true };
  }
}

const nothing: ScriptReading = {
  commands: [],
  last: null,
  mayStay: true,
  becomesLast: false,
  trapsTerm: false,
  malformed: false,
};

function reading(walk: Walk, end: ReadonlySet<Command>, malformed: boolean): ScriptReading {
  const commands: ScriptCommand[] = [];
  let last: ScriptCommand | null = null;
  for (const occurrence of walk.occurrences) {
    const { words, builtin, exec, place, node } = occurrence;
    const replaces = (exec && place.main) || end.has(node);
    const command = { words, builtin, background: place.background, child: !builtin && !replaces };
    commands.push(command);
    if (end.size > 0 ? end.has(node) : couldBeLast(occurrence)) last = command;
  }
  const execs = walk.occurrences.filter(({ exec, place, node }) => exec && place.main && !end.has(node));
  return {
    commands,
    last,
    mayStay: malformed || end.size === 0,
    becomesLast: !malformed && end.size === 1 && execs.length === 0,
    trapsTerm: walk.trapsTerm,
    malformed,
  };
}

function couldBeLast({ builtin, place }: Occurrence): boolean {
  return !builtin && !place.background && place.upstream;
}

/** The commands one of which the shell certainly turns into at the end of the script; none if it may stay. */
function endOf(script: ParsedScript, text: string, kind: ShellKind, walk: Walk): ReadonlySet<Command> {
  const candidates = lastCommands(script.commands) ?? [];
  const found = new Map(walk.occurrences.map((occurrence) => [occurrence.node, occurrence]));
  if (candidates.every((node) => found.get(node)?.exec)) return new Set(candidates);
  const [only] = candidates;
  const last = only && found.get(only);
  // Before bash 5.1 `command` was a builtin like others, which forks.
  const isProgram = last && !last.builtin && last.words[0] !== 'command';
  return new Set(isProgram && execsImplicitly(script, text, kind, walk) ? [only] : []);
}

/** The simple commands that can come last, in each branch; null where the last thing is something else. */
function lastCommands(statements: readonly Statement[]): Command[] | null {
  const statement = statements.at(-1);
  if (!statement || statement.background) return null;
  let node = statement.command;
  if (node.type === 'AndOr') {
    const final = node.commands.at(-1);
    if (!final || node.operators.includes('||')) return null;
    node = final;
  }
  if (node.type === 'Redirected') node = node.command;
  if (node.type === 'Command') return [node];
  if (node.type === 'BraceGroup') return lastCommands(node.body.commands);
  if (node.type !== 'If' || !node.else) return null;
  const branches = [node.then, ...node.elif.map((branch) => branch.then), node.else];
  const ends = branches.map((branch) => lastCommands(branch.commands));
  return ends.every((end) => end !== null) ? ends.flat() : null;
}

/** Whether the shell execs the last simple command of the script although nobody wrote `exec`. */
function execsImplicitly(script: ParsedScript, text: string, kind: ShellKind, walk: Walk): boolean {
  const statement = script.commands.at(-1);
  if (!statement || kind === 'exec-only') return false;
  const { command } = statement;
  const rest = text.slice(statement.end);
  if (kind === 'busybox') {
    const heredoc = command.type === 'Command' && command.redirects.some(({ type }) => type !== 'Redirect');
    return script.commands.length === 1 && command.type === 'Command' && !heredoc && !rest.includes('\n');
  }
  const simple = command.type === 'AndOr' ? command.commands.at(-1) : command;
  const before = script.commands.at(-2);
  const ownLine = !before || text.slice(before.end, statement.pos).includes('\n');
  const atEnd = /^[ \t]*(?:;[ \t]*)?(?:#[^\n]*)?\n?$/.test(rest);
  return simple?.type === 'Command' && simple.redirects.length === 0 && ownLine && atEnd && !walk.traps;
}
