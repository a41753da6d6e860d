import { basename, type CommandLine, readCommandLine } from './pod/command-line.ts';
import { scanOptions } from './pod/options.ts';
import { isShell } from './pod/shells.ts';
import { isWrapper, stayingWrappers } from './pod/wrappers.ts';

/** What a program does with orphans when it is PID 1 of its namespace. */
export type Pid1 = 'reaps' | 'leaks' | 'must-be-pid-1' | 'unknown';

/** The small inits that reap whatever stands behind them; s6's and runit's start services of their own. */
export const initsThatReap: ReadonlySet<string> = new Set([
  'tini',
  'tini-static',
  'dumb-init',
  'catatonit',
  'docker-init',
  's6-svscan',
  'runsvdir',
  'my_init',
  'pebble',
]);

/** Programs that reap adopted children, by basename; measured with three adopted orphans each. */
const reapingPrograms: ReadonlySet<string> = new Set([
  ...initsThatReap,
  'supervisord',
  'nginx',
  'crond',
  'beam.smp',
  // A shell script that ends in `wait`, and so reaps as shells do.
  'rabbitmq-server',
  // Since version 3.1: kubernetes/kubernetes pull request 36853.
  'pause',
]);

/** Programs that never wait for a child that they did not start. */
const leakingPrograms: ReadonlySet<string> = new Set([
  'sleep',
  'tail',
  'cat',
  'node',
  'nodejs',
  'java',
  'redis-server',
  'perl',
]);

const initNames: ReadonlySet<string> = new Set(['init', 'systemd', 'runit', 'runit-init', 'openrc-init']);

/**
 * Says what a command line would be as PID 1. A shell that may stay is unknown, and so is one that runs a script
 * file: what stands in it is not visible.
 *
 * @param argv The words as executed, or null when they are not known.
 */
export function pid1Of(argv: readonly string[] | null): Pid1 {
  return argv === null ? 'unknown' : pid1OfLine(readCommandLine(argv));
}

/** As `pid1Of`, of a command line that has been read. */
export function pid1OfLine(line: CommandLine): Pid1 {
  if (hasInitInFront(line) || isBusyboxInit(line)) return 'reaps';
  if (startsInit(line)) return 'must-be-pid-1';
  const waits = line.chain.slice(0, -1).some(([word]) => stayingWrappers.has(basename(word ?? '')));
  return line.program === null || waits ? 'unknown' : pid1OfProgram(line.program);
}

/**
 * Whether a command line starts an init that refuses to run as anything but PID 1: `/init` of s6-overlay, or an
 * absolute path whose basename is init, systemd, runit, runit-init or openrc-init, also behind wrappers, shells
 * and entry scripts, or `busybox init`.
 *
 * @param line The command line, read.
 */
export function mustBePid1(line: CommandLine): boolean {
  return isBusyboxInit(line) || startsInit(line);
}

function startsInit({ chain, invocations }: CommandLine): boolean {
  // What a shell starts as its child is never PID 1.
  const replacing = invocations.filter(({ childOfShell, background }) => !childOfShell && !background);
  const commands = [...chain, ...replacing.map(({ argv }) => argv)];
  return commands.some(([word = '']) => word.startsWith('/') && initNames.has(basename(word)));
}

/** busybox's init reaps, and says "must be run as PID 1" anywhere else. */
function isBusyboxInit({ chain, program }: CommandLine): boolean {
  return program?.[0] === 'init' && basename(chain.at(-2)?.[0] ?? '') === 'busybox';
}

/** Whether this process becomes an init that reaps before anything stays in front of it. */
function hasInitInFront({ chain, program }: CommandLine): boolean {
  for (const [word = ''] of chain) {
    const name = basename(word);
    if (initsThatReap.has(name)) return true;
    const execs = isWrapper(name) ? !stayingWrappers.has(name) : isShell(name) && program !== null;
    if (!execs) return false;
  }
  return false;
}

function pid1OfProgram(words: readonly string[]): Pid1 {
  const program = basename(words[0] ?? '');
  if (/^python[\d.]*$/.test(program)) {
    return reapingPrograms.has(basename(pythonScript(words))) ? 'reaps' : 'leaks';
  }
  if (leakingPrograms.has(program)) return 'leaks';
  if (reapingPrograms.has(program) || /^php-fpm[\d.]*$/.test(program)) return 'reaps';
  const letter = foregroundLetter.get(program);
  const inForeground = letter && words.some((word) => /^-[a-zA-Z]+$/.test(word) && word.includes(letter));
  return inForeground ? 'reaps' : 'unknown';
}

/** Daemons that reap, and the option without which they leave the foreground. */
const foregroundLetter: ReadonlyMap<string, string> = new Map([
  ['sshd', 'D'],
  ['cron', 'f'],
]);

/** The script that a Python runs: `supervisord` of `python3 -u /usr/bin/supervisord` and of `-m supervisor.supervisord`. */
function pythonScript(words: readonly string[]): string {
  const options = scanOptions(words, { flags: 'bBdEhiIOPqRsSuvVx?', values: 'cmWX', final: 'cm' });
  const module = options?.given.get('m')?.at(-1);
  if (module !== undefined) return module.slice(module.lastIndexOf('.') + 1);
  return options && !options.given.has('c') ? (words[options.next] ?? '') : '';
}
