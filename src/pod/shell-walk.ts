import {
  type Command,
  type CommandArgument,
  forEachChild,
  type ParsedScript,
  parse,
  type SyntaxNode,
  type Word,
  type WordPart,
} from 'unbash';
import { shellBuiltins } from './shell-builtins.ts';
import { expandWord, type Positionals } from './shell-words.ts';
import { unwrap } from './wrappers.ts';

/** What may still be spent on one command line, however its scripts are nested. */
export interface Budget {
  /** UTF-16 units of scripts and of substitutions, each of which the parser reads again. */
  characters: number;
  commands: number;
  /** Wrappers and shells, one behind the other or inside one another. */
  links: number;
  /** Set where something was left out for want of budget. */
  exceeded: boolean;
}

/** A simple command where it stands in its script. */
export interface Occurrence {
  readonly node: Command;
  /** Never empty. */
  readonly words: readonly string[];
  /** The shell carries it out itself. */
  readonly builtin: boolean;
  /** The program that follows `exec` replaces the process. */
  readonly exec: boolean;
  readonly place: Place;
}

export interface Place {
  /** In the shell's own process: in no subshell, pipeline or substitution. */
  readonly main: boolean;
  /** It, or a group around it, ends in `&`. */
  readonly background: boolean;
  /** The function of the script in whose body it stands. */
  readonly inFunction: string | null;
  /** In no substitution, and not fed by a pipe. */
  readonly upstream: boolean;
}

/** What a walk through a script found. */
export interface Walk {
  /** In the order of the text, calls of the script's own functions left out. */
  readonly occurrences: readonly Occurrence[];
  /** A trap is set for some signal, which makes bash stay to run it. */
  readonly traps: boolean;
  readonly trapsTerm: boolean;
  /** `set` or `shift` change `$1`, `$2` …, so that what they stand for is not known. */
  readonly setsPositionals: boolean;
  /** The budget ran out, or a nested script has a syntax error. */
  readonly incomplete: boolean;
}

/**
 * Finds every simple command of a script.
 *
 * @param script The script, parsed.
 * @param positionals What `$0`, `$1` … stand for.
 * @param budget Reduced by what is read; where it runs out the rest is left out.
 */
export function walkScript(script: ParsedScript, positionals: Positionals, budget: Budget): Walk {
  const walker = new Walker(positionals, budget);
  walker.visit(script, { main: true, background: false, inFunction: null, upstream: true });
  return {
    occurrences: withoutCalls(walker.occurrences, walker.functions),
    traps: walker.traps,
    trapsTerm: walker.trapsTerm,
    setsPositionals: walker.setsPositionals,
    incomplete: walker.incomplete,
  };
}

/** Leaves out the calls of the script's own functions; what a function does is done where it is called. */
function withoutCalls(occurrences: readonly Occurrence[], functions: ReadonlySet<string>): Occurrence[] {
  const isCall = ({ words }: Occurrence) => functions.has(words[0] ?? '');
  const calledInBackground = new Set(
    occurrences.filter((found) => isCall(found) && found.place.background).map(({ words }) => words[0]),
  );
  return occurrences
    .filter((found) => !isCall(found))
    .map((found) =>
      found.place.inFunction !== null && calledInBackground.has(found.place.inFunction)
        ? { ...found, place: { ...found.place, main: false, background: true } }
        : found,
    );
}

class Walker {
  readonly occurrences: Occurrence[] = [];
  readonly functions = new Set<string>();
  traps = false;
  trapsTerm = false;
  setsPositionals = false;
  incomplete = false;
  readonly #positionals: Positionals;
  readonly #budget: Budget;

  constructor(positionals: Positionals, budget: Budget) {
    this.#positionals = positionals;
    this.#budget = budget;
  }

  visit(node: SyntaxNode, place: Place): void {
    switch (node.type) {
      case 'Word':
        if (mayHoldCommands(node)) this.#children(node, place);
        return;
      case 'Command':
        this.#command(node, place);
        return;
      case 'Statement':
        this.visit(node.command, node.background ? { ...place, background: true, main: false } : place);
        return;
      case 'Subshell':
        this.#children(node, { ...place, main: false });
        return;
      case 'Pipeline':
        node.commands.forEach((command, index) => {
          const alone = node.commands.length === 1;
          this.visit(
            command,
            alone ? place : { ...place, main: false, upstream: place.upstream && index === 0 },
          );
        });
        return;
      case 'Coproc':
        this.visit(node.body, { ...place, main: false, background: true });
        return;
      case 'Function':
        this.functions.add(node.name.value);
        this.visit(node.body, { ...place, inFunction: node.name.value });
        return;
      case 'CommandExpansion':
      case 'ProcessSubstitution':
      case 'ArithmeticCommandExpansion':
        if (!this.#spend(node.end - node.pos)) return;
        if (node.script?.errors?.length) this.incomplete = true;
        this.#children(node, { ...place, main: false, upstream: false });
        return;
      case 'ParameterExpansion':
      case 'ArithmeticExpansion':
      case 'ArithmeticCommand':
        if (this.#spend(node.end - node.pos)) this.#children(node, place);
        return;
      default:
        this.#children(node, place);
    }
  }

  #children(node: SyntaxNode, place: Place): void {
    forEachChild(node, (child) => this.visit(child, place));
  }

  /** Takes from the budget what the parser is about to read again; false where it does not suffice. */
  #spend(characters: number): boolean {
    this.#budget.characters -= characters;
    if (this.#budget.characters < 0) this.incomplete = true;
    return this.#budget.characters >= 0;
  }

  #command(node: Command, place: Place): void {
    for (const child of node.prefix) this.visit(child, place);
    if (!node.name) return;
    if (this.#budget.commands-- <= 0 || this.#budget.characters < 0) {
      this.incomplete = true;
      return;
    }
    const words = this.#expand(node, place);
    if (words.length > 0) this.#record(node, words, place);
    this.visit(node.name, place);
    for (const child of node.suffix) this.visit(child, place);
  }

  #expand(node: Command, place: Place): string[] {
    const positionals = place.inFunction ? { ...this.#positionals, args: null } : this.#positionals;
    const words = [node.name, ...node.args].flatMap((word) => (word ? expandWord(word, positionals) : []));
    const length = words.reduce((sum, word) => sum + word.length + 1, 0);
    const isLonger = length > 2 * (node.end - node.pos);
    return isLonger && !this.#spend(length) ? [] : words;
  }

  #record(node: Command, words: readonly string[], place: Place): void {
    const { head, exec } = headOf(words);
    const name = head[0] ?? '';
    const builtin = !exec && (shellBuiltins.has(name) || name === 'exec');
    this.occurrences.push({ node, words, builtin, exec, place });
    if (!builtin) return;
    if (name === 'eval' && !node.args.some(substitutes)) this.#eval(head.slice(1).join(' '), place);
    if (name === 'trap' && place.main) this.#trap(head.slice(1));
    if (name === 'shift' && !place.inFunction) this.setsPositionals = true;
    if (name === 'set' && !place.inFunction && setsArguments(head)) this.setsPositionals = true;
  }

  #eval(text: string, place: Place): void {
    if (!this.#spend(text.length)) return;
    const script = parse(text);
    if (script.errors?.length) this.incomplete = true;
    this.visit(script, place);
  }

  #trap(args: readonly string[]): void {
    const [action, ...signals] = args[0] === '--' ? args.slice(1) : args;
    if (action === undefined || signals.length === 0) return;
    const handles = action !== '-' && action !== '';
    if (handles) this.traps = true;
    if (signals.some((signal) => /^(SIGTERM|TERM|15)$/i.test(signal))) this.trapsTerm = handles;
  }
}

/** What is left of a command behind `command`, `builtin` and `exec`; exec tells whether the last was there. */
function headOf(words: readonly string[]): { head: readonly string[]; exec: boolean } {
  let head = words;
  let exec = false;
  while (!exec && (head[0] === 'command' || head[0] === 'builtin' || head[0] === 'exec')) {
    const step = unwrap(head);
    if (step === null) return { head: head[0] === 'exec' ? head : ['type'], exec };
    exec = head[0] === 'exec';
    if (step === 'unclear') break;
    head = step.behind;
  }
  return { head, exec };
}

/** Whether `set` has operands, which become `$1`, `$2` …: not for `set -euo pipefail`. */
function setsArguments(words: readonly string[]): boolean {
  for (let at = 1; at < words.length; at++) {
    const word = words[at] ?? '';
    if (!/^[-+]./.test(word) || word === '--') return true;
    if (/o$/.test(word)) at++;
  }
  return false;
}

/** Whether a substitution stands in a word: then what `eval` reads is its output, which nobody can see. */
function substitutes(word: CommandArgument): boolean {
  const parts = word.type === 'Word' ? (word.parts ?? []) : [];
  const flat = parts.flatMap((part): readonly WordPart[] =>
    part.type === 'DoubleQuoted' ? part.parts : [part],
  );
  return flat.some((part) => part.type === 'CommandExpansion');
}

function mayHoldCommands(word: Word): boolean {
  return /[$`(]/.test(word.text);
}
