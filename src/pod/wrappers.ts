import { basename } from './basename.ts';
import { type OptionSyntax, type ScannedOptions, scanOptions } from './options.ts';
import { type Effect, splitAt, type Unwrap, type Unwrapping, wrapped } from './unwrapping.ts';
import { unwrapRunuser, unwrapSu, unwrapSudo } from './user-wrappers.ts';

/** Wrappers that fork and wait: the process that they are never becomes the program behind them. */
export const stayingWrappers: ReadonlySet<string> = new Set(['timeout', 'su', 'runuser', 'sudo', 'setsid']);

/** Wrappers that always leave the program behind them in the background. */
export const detachingWrappers: ReadonlySet<string> = new Set(['nohup', 'daemon', 'daemonize']);

/**
 * Takes one wrapper off the front of a command line. Shells are not wrappers here.
 *
 * @param words The words as executed.
 * @returns The wrapper and what is behind it; null where the words are themselves the program.
 */
export function unwrap(words: readonly string[]): Unwrapping {
  const name = basename(words[0] ?? '');
  return wrappers.get(name)?.(words, name) ?? null;
}

/** Whether a program, by basename, is one that `unwrap` knows. */
export function isWrapper(name: string): boolean {
  return wrappers.has(name);
}

/** A wrapper that is options, then some operands of its own, then the program. */
function plain(
  syntax: OptionSyntax,
  operands = 0,
  effectOf: (options: ScannedOptions) => Effect | null = () => ({}),
): Unwrap {
  return (words, name) => {
    const options = scanOptions(words, syntax);
    if (!options) return 'unclear';
    const effect = effectOf(options);
    return effect && splitAt(words, name, options.next + operands, effect);
  };
}

/** Null, so that the wrapper is the program, where one of these options is given. */
function unless(...names: readonly string[]): (options: ScannedOptions) => Effect | null {
  return (options) => (names.some((name) => options.given.has(name)) ? null : {});
}

const timeoutSyntax: OptionSyntax = {
  flags: 'fpv',
  values: 'kst',
  longFlags: ['foreground', 'preserve-status', 'verbose'],
  longValues: ['kill-after', 'signal'],
};

/** GNU `timeout 5s cmd`, and the `timeout -t 5 cmd` of busybox before 1.30. */
function unwrapTimeout(words: readonly string[], name: string): Unwrapping {
  const options = scanOptions(words, timeoutSyntax);
  if (!options) return 'unclear';
  const old = options.given.get('t')?.at(-1);
  const duration = old ?? words[options.next] ?? '';
  const next = old === undefined ? options.next + 1 : options.next;
  return splitAt(words, name, next, { timeoutSeconds: secondsOf(duration) });
}

const secondsPerUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A duration of timeout(1) in seconds; null when it is no number, or 0, which means no limit. */
function secondsOf(duration: string): number | null {
  const match = /^\+?(\d+(?:\.\d*)?|\.\d+)([smhd]?)$/.exec(duration);
  const seconds = Number(match?.[1]) * (secondsPerUnit[match?.[2] || 's'] ?? Number.NaN);
  return seconds > 0 && Number.isFinite(seconds) ? seconds : null;
}

const envSyntax: OptionSyntax = {
  flags: 'i0v',
  values: 'uCSa',
  longFlags: [
    ...['ignore-environment', 'null', 'debug', 'list-signal-handling'],
    ...['block-signal', 'default-signal', 'ignore-signal'],
  ],
  longValues: ['unset', 'chdir', 'split-string', 'argv0'],
};

function unwrapEnv(words: readonly string[], name: string): Unwrapping {
  const options = scanOptions(words, envSyntax);
  if (!options) return 'unclear';
  const split = [...(options.given.get('S') ?? []), ...(options.given.get('split-string') ?? [])];
  if (split.length > 0) {
    const behind = splitString(split.join(' ')).concat(words.slice(options.next));
    const program = behind.findIndex((word) => !isAssignment(word));
    return program < 0 ? null : wrapped(name, words.slice(0, options.next), behind.slice(program));
  }
  let next = words[options.next] === '-' ? options.next + 1 : options.next;
  while (isAssignment(words[next])) next++;
  return splitAt(words, name, next);
}

function isAssignment(word: string | undefined): boolean {
  return word?.includes('=') ?? false;
}

/** The words of an `env -S` string, quotes removed. */
function splitString(text: string): string[] {
  const words = text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'));
}

const startStopDaemonSyntax: OptionSyntax = {
  flags: 'SKTHVtoqbmCv',
  values: 'xpnugsaRcrdNPIkO',
  longFlags: [
    ...[
      'start',
      'stop',
      'status',
      'help',
      'version',
      'test',
      'oknodo',
      'quiet',
      'background',
      'make-pidfile',
    ],
    ...['remove-pidfile', 'no-close', 'verbose', 'notify-await'],
  ],
  longValues: [
    ...['exec', 'pidfile', 'pid', 'ppid', 'name', 'user', 'group', 'signal', 'startas', 'retry', 'chuid'],
    ...['chroot', 'chdir', 'nicelevel', 'procsched', 'iosched', 'umask', 'output', 'notify-timeout'],
  ],
};

function unwrapStartStopDaemon(words: readonly string[], name: string): Unwrapping {
  const options = scanOptions(words, startStopDaemonSyntax);
  if (!options) return 'unclear';
  const last = (option: string) => options.given.get(option)?.at(-1);
  const program = last('startas') ?? last('a') ?? last('exec') ?? last('x');
  if (!program || !(options.given.has('S') || options.given.has('start'))) return null;
  const background = options.given.has('b') || options.given.has('background');
  return wrapped(name, words.slice(0, options.next), [program, ...words.slice(options.next)], {
    background,
    leaves: background,
  });
}

const tini = plain({ flags: 'hvwgls', values: 'pe', longFlags: ['version', 'license'] });
const always = (effect: Effect) => () => effect;

const wrappers: ReadonlyMap<string, Unwrap> = new Map<string, Unwrap>([
  ['tini', tini],
  ['tini-static', tini],
  ['docker-init', tini],
  [
    'dumb-init',
    plain({
      flags: 'chvV',
      values: 'r',
      longFlags: ['help', 'single-child', 'verbose', 'version'],
      longValues: ['rewrite'],
    }),
  ],
  ['catatonit', plain({ flags: 'hLVgP', longFlags: ['help', 'license', 'version', 'pause'] })],
  [
    'my_init',
    plain({
      longFlags: ['enable-insecure-key', 'skip-startup-files', 'skip-runit', 'no-kill-all-on-exit', 'quiet'],
    }),
  ],
  ['gosu', plain({}, 1)],
  ['su-exec', plain({}, 1)],
  ['setuidgid', plain({}, 1)],
  ['s6-setuidgid', plain({}, 1)],
  ['su', unwrapSu],
  ['runuser', unwrapRunuser],
  ['sudo', unwrapSudo],
  ['doas', plain({ flags: 'Lns', values: 'aCu' })],
  ['env', unwrapEnv],
  ['timeout', unwrapTimeout],
  ['nice', plain({ values: 'n', longValues: ['adjustment'], numeric: true })],
  [
    'ionice',
    plain(
      {
        flags: 't',
        values: 'cnpPu',
        longFlags: ['ignore'],
        longValues: ['class', 'classdata', 'pid', 'pgid', 'uid'],
      },
      0,
      unless('p', 'pid', 'P', 'pgid', 'u', 'uid'),
    ),
  ],
  ['chroot', plain({ longFlags: ['skip-chdir'], longValues: ['userspec', 'groups'] }, 1)],
  [
    'setpriv',
    plain({
      flags: 'dhV',
      longFlags: [
        ...['dump', 'nnp', 'no-new-privs', 'init-groups', 'clear-groups', 'keep-groups', 'reset-env'],
      ],
      longValues: [
        ...['reuid', 'regid', 'ruid', 'rgid', 'euid', 'egid', 'groups', 'inh-caps', 'ambient-caps'],
        ...['bounding-set', 'securebits', 'pdeathsig', 'ptracer', 'selinux-label', 'apparmor-profile'],
        ...['landlock-access', 'landlock-rule', 'seccomp-filter'],
      ],
    }),
  ],
  ['stdbuf', plain({ values: 'ioe', longValues: ['input', 'output', 'error'] })],
  ['nohup', plain({}, 0, always({ background: true }))],
  [
    'setsid',
    plain({ flags: 'cfw', longFlags: ['ctty', 'fork', 'wait'] }, 0, ({ given }) => {
      const forks = given.has('f') || given.has('fork');
      return { background: forks, leaves: forks && !given.has('w') && !given.has('wait') };
    }),
  ],
  ['exec', plain({ flags: 'cl', values: 'a' })],
  ['command', plain({ flags: 'pvV' }, 0, unless('v', 'V'))],
  ['builtin', plain({})],
  ['busybox', (words, name) => (words[1]?.startsWith('-') ? null : splitAt(words, name, 1))],
  ['start-stop-daemon', unwrapStartStopDaemon],
  ['daemonize', plain({ flags: 'avL', values: 'cdeElopu' }, 0, always({ background: true, leaves: true }))],
  [
    'daemon',
    plain({ flags: 'firvBICS', values: 'nXPFulodAM' }, 0, always({ background: true, leaves: true })),
  ],
]);
