import { basename } from '../pod/command-line.ts';
import { remember } from '../pod/remember.ts';

/** How the visible commands of a container relate to PID 1 of its PID namespace. */
export interface Pid1Use {
  /** They look at who PID 1 is, or rely on what only PID 1 is spared; under tini that is somebody else. */
  readonly identity: boolean;
  /** They signal or read PID 1 in any way; in a shared namespace that is pause. */
  readonly any: boolean;
  /** They write to PID 1's own files, which it must share a user with. */
  readonly files: boolean;
}

/** Text beyond this is not searched, and counts as using PID 1; no kernel would execute as much either. */
const longestSearched = 262_144;

/** Signals that tini does not pass on (its `man` page; src/tini.c `configure_signals`), as `kill` takes them. */
const keptByTini = new Map([
  ['FPE', '8'],
  ['ILL', '4'],
  ['SEGV', '11'],
  ['BUS', '7'],
  ['ABRT', '6'],
  ['TRAP', '5'],
  ['SYS', '31'],
  ['TTIN', '21'],
  ['TTOU', '22'],
]);

/** Programs that take a PID behind `-p`, `--pid` or the like, and look into that process. */
const takePidOption = new Set([
  ...['ps', 'pgrep', 'pkill', 'nsenter', 'strace', 'ltrace', 'gdb', 'py-spy', 'rbspy', 'perf', 'lsof', 'top'],
  ...[
    'htop',
    'prlimit',
    'dotnet-dump',
    'dotnet-trace',
    'dotnet-gcdump',
    'dotnet-counters',
    'taskset',
    'renice',
  ],
]);

/** Programs that take a PID as a word of its own. */
const takePidWord = new Set([
  'jcmd',
  'jstack',
  'jmap',
  'jinfo',
  'jstat',
  'jattach',
  'gcore',
  'ps',
  'pstree',
  'pmap',
]);

const wholeTextPatterns = [
  // What is found there differs between the program and an init in front of it.
  /\/proc\/+\{?1(?:[,}][,}\w]{0,16})?\/+(comm|cmdline|exe|stat|status|statm|smaps|io|sched|task|wchan|stack|syscall)\b/,
  /\bcd\s+\/proc\/+1(?!\d)/,
  /(getpid\(\)|process\.pid|\$PROCESS_ID|Process\.pid)\s{0,4}={2,3}\s{0,4}1(?!\d)/,
  /\bcase\s+x?(\$\$|\$\{\$\})\s+in\b/,
];

/**
 * Looks for uses of PID 1 in command lines. It is linear in their length.
 *
 * @param commandLines The words of commands, hooks and probes as executed.
 */
export function pid1UseOf(commandLines: readonly (readonly string[])[]): Pid1Use {
  const use = { identity: false, any: false, files: false };
  for (const words of commandLines) {
    if (!mayUsePid1(words)) continue;
    const { identity, any, files } = useOf(words);
    use.identity ||= identity;
    use.any ||= any;
    use.files ||= files;
  }
  return use;
}

/** Whether words need a closer look: most name neither PID 1, nor a variable that may hold it, nor `killall5`. */
function mayUsePid1(words: readonly string[]): boolean {
  let length = 0;
  for (const word of words) {
    if (/[15$]/.test(word)) return true;
    length += word.length;
  }
  return length > longestSearched;
}

const useOf = remember((words): Pid1Use => {
  const text = words.join(' ').replaceAll(/["'\\]/g, '');
  if (text.length > longestSearched) return { identity: true, any: true, files: true };
  const commands = text.split(/[;|&\n(){}`]+/);
  const identity = wholeTextPatterns.some((pattern) => pattern.test(text)) || commands.some(looksAtPid1);
  return {
    identity,
    any: identity || /\/proc\/+\{?1(?!\d)/.test(text) || commands.some(signalsPid1),
    files: /\/proc\/+1\/+fd\b/.test(text),
  };
});

/** Whether one command looks at PID 1, or sends it a signal that tini would keep. */
function looksAtPid1(command: string): boolean {
  if (comparesOwnPid(command)) return true;
  const words = command.split(/\s+/);
  const at = words.findIndex((word) => isKnownProgram(basename(word)));
  const program = basename(words[at] ?? '');
  const rest = words.slice(at + 1);
  if (at < 0) return false;
  if (program === 'killall5') return true;
  if (program === 'kill') return killsAllOrIsKept(rest);
  return (
    (takePidOption.has(program) && hasPidOption(rest)) || (takePidWord.has(program) && rest.includes('1'))
  );
}

function signalsPid1(command: string): boolean {
  const words = command.split(/\s+/);
  const at = words.findIndex((word) => basename(word) === 'kill');
  return at >= 0 && words.slice(at + 1).includes('1');
}

function isKnownProgram(name: string): boolean {
  return name === 'kill' || name === 'killall5' || takePidOption.has(name) || takePidWord.has(name);
}

const pidOption = /^(?:-[a-zA-Z]{0,8}[ptqPsg]|--(?:pid|ppid|parent|target|quick-pid)(?==|$))=?(.*)$/;

/** `-p 1`, `-fp 1`, `-p1`, `-t 1`, `-P 1`, `--pid 1`, `--pid=1`, `--ppid 1`, `--target=1`, and lists of PIDs. */
function hasPidOption(words: readonly string[]): boolean {
  return words.some((word, index) => {
    const glued = pidOption.exec(word)?.[1];
    if (glued === undefined) return false;
    return (glued === '' ? (words[index + 1] ?? '') : glued).split(',').includes('1');
  });
}

/** `kill -1` of a signal is no target; behind a signal it is every process but PID 1. */
function killsAllOrIsKept(words: readonly string[]): boolean {
  const [first = '', second = ''] = words;
  const separate = first === '-s' || first === '-n';
  const signal = separate ? second : first.startsWith('-') ? first.slice(1) : '';
  const targets = words.slice(separate ? 2 : signal === '' ? 0 : 1).filter((word) => word !== '--');
  const name = signal.toUpperCase().replace(/^SIG/, '');
  const isKept = keptByTini.has(name) || [...keptByTini.values()].includes(signal);
  return targets.includes('-1') || (isKept && targets.includes('1'));
}

/** `[ $$ = 1 ]`, `test 1 -eq $$`, `((${$}==1))`, `[ x$$ = x1 ]`, `[ $$ -lt 2 ]`. */
function comparesOwnPid(command: string): boolean {
  return (
    /\$\$|\$\{\$\}|\$BASHPID/.test(command) &&
    /(?<![<>])={1,2}(?!\w*\/)|!=|-(eq|ne|lt|gt|le|ge)\b/.test(command) &&
    /(^|[\s=x!])[12](?!\d)/.test(command)
  );
}

/**
 * Whether a signal's name, as `lifecycle.stopSignal` has it, is one that tini does not pass on.
 *
 * @param signal Such as `SIGTERM`.
 */
export function isKeptByTini(signal: string): boolean {
  return keptByTini.has(signal.toUpperCase().replace(/^SIG/, ''));
}
