import { basename } from './basename.ts';
import { type OptionSyntax, type ScannedOptions, scanOptions } from './options.ts';

/** A wrapper taken off the front of a command line. */
export interface Unwrapped {
  readonly name: string;
  /** The wrapper's own words. */
  readonly words: readonly string[];
  /** The words of the program behind it; never empty. */
  readonly behind: readonly string[];
  /** It leaves the program running in the background. */
  readonly background: boolean;
  /** It ends before the program does, so that this process never becomes the program. */
  readonly leaves: boolean;
  /** Only of `timeout`: the seconds that it allows, null when they are not a number or unlimited. */
  readonly timeoutSeconds?: number | null;
}

/** `unclear`: it is a wrapper, but which program stands behind it cannot be told. */
export type Unwrapping = Unwrapped | 'unclear' | null;

type Unwrap = (words: readonly string[], name: string) => Unwrapping;

/** Wrappers that fork and wait: the process that they are never becomes the program behind them. */
export const stayingWrappers: ReadonlySet<string> = new Set(['timeout', 'su', 'runuser', 'sudo', 'setsid']);

/**
 * Takes one wrapper off the front of a command line. Shells are not wrappers here.
 *
 * @param words The words as executed.
 * @returns The wrapper and what is behind it; null if the first word is no wrapper, or has no program behind it
 *   (`env`, `sudo -i`): then the words are the program.
 */
export function unwrap(words: readonly string[]): Unwrapping {
  const name = basename(words[0] ?? '');
  return wrappers.get(name)?.(words, name) ?? null;
}

/** Whether a program, by basename, is one that `unwrap` knows. */
export function isWrapper(name: string): boolean {
  return wrappers.has(name);
}

interface Taken {
  readonly background?: boolean;
  readonly leaves?: boolean;
  readonly timeoutSeconds?: number | null;
}

function taken(words: readonly string[], name: string, next: number, more: Taken = {}): Unwrapping {
  return assembled(name, words.slice(0, next), words.slice(next), more);
}

function assembled(name: string, words: readonly string[], behind: readonly string[], more: Taken = {}) {
  return behind.length === 0 ? null : { name, words, behind, background: false, leaves: false, ...more };
}

/** A wrapper that is options, then some operands of its own, then the program. */
function plain(
  syntax: OptionSyntax,
  operands = 0,
  more: (options: ScannedOptions) => Taken | null = () => ({}),
): Unwrap {
  return (words, name) => {
    const options = scanOptions(words, syntax);
    if (!options) return 'unclear';
    const facts = more(options);
    return facts && taken(words, name, options.next + operands, facts);
  };
}

/** Null, so that the wrapper is the program, where one of these options is given. */
function unless(...names: readonly string[]): (options: ScannedOptions) => Taken | null {
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
  return taken(words, name, next, { timeoutSeconds: secondsOf(duration) });
}

const secondsPerUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A duration of timeout(1) in seconds; null when it is no number, or 0, which means no limit. */
function secondsOf(duration: string): number | null {
  const match = /^\s*\+?(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(duration);
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
    return program < 0 ? null : assembled(name, words.slice(0, options.next), behind.slice(program));
  }
  let next = words[options.next] === '-' ? options.next + 1 : options.next;
  while (isAssignment(words[next])) next++;
  return taken(words, name, next);
}

function isAssignment(word: string | undefined): boolean {
  return word?.includes('=') ?? false;
}

/** The words of an `env -S` string, quotes removed. */
function splitString(text: string): string[] {
  const words = text.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replaceAll(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, '$1$2'));
}

const suSyntax: OptionSyntax = {
  flags: 'flmpPTh',
  values: 'cgGsw',
  longFlags: ['fast', 'login', 'preserve-environment', 'pty', 'no-pty'],
  longValues: [
    ...['command', 'session-command', 'group', 'supp-group', 'shell', 'whitelist-environment'],
    'user',
  ],
};

/** `su [-] [user] -c script [args]`: options may also follow the user. What is behind it is a shell again. */
function unwrapSu(words: readonly string[], name: string, syntax = suSyntax): Unwrapping {
  const options = new Map<string, readonly string[]>();
  const operands: string[] = [];
  for (let at = 1; at < words.length; ) {
    const scanned = scanOptions(words, syntax, at);
    if (!scanned) return 'unclear';
    for (const [option, values] of scanned.given) options.set(option, values);
    at = scanned.next;
    if (words[at - 1] === '--') {
      operands.push(...words.slice(at));
      break;
    }
    const operand = words[at++];
    if (operand !== undefined && operand !== '-') operands.push(operand);
  }
  const last = (...names: string[]) => names.map((option) => options.get(option)?.at(-1)).find(Boolean);
  const script = last('c', 'command', 'session-command');
  if (script === undefined) return null;
  const hasUser = options.has('u') || options.has('user');
  const args = operands.slice(hasUser ? 0 : 1);
  const own = words.slice(0, words.length - args.length).filter((word) => word !== script);
  return assembled(name, own, [last('s', 'shell') ?? 'sh', '-c', script, ...args]);
}

/** `runuser -u user [--] command`, or anything that `su` understands. */
function unwrapRunuser(words: readonly string[], name: string): Unwrapping {
  const syntax = { ...suSyntax, values: `${suSyntax.values}u` };
  const options = scanOptions(words, syntax);
  if (options && (options.given.has('u') || options.given.has('user'))) {
    return options.given.has('c') || options.given.has('command')
      ? unwrapSu(words, name, syntax)
      : taken(words, name, options.next);
  }
  return unwrapSu(words, name, syntax);
}

const sudoSyntax: OptionSyntax = {
  flags: 'ABbEeHiKklNnPSsVv',
  values: 'CDghpRrTtUu',
  longFlags: [
    ...[
      'askpass',
      'bell',
      'background',
      'preserve-env',
      'edit',
      'set-home',
      'login',
      'list',
      'non-interactive',
    ],
    ...['preserve-groups', 'stdin', 'shell', 'reset-timestamp', 'remove-timestamp', 'no-update', 'validate'],
  ],
  longValues: [
    ...['close-from', 'chdir', 'group', 'host', 'prompt', 'chroot', 'role', 'command-timeout', 'type'],
    ...['other-user', 'user'],
  ],
};

function unwrapSudo(words: readonly string[], name: string): Unwrapping {
  const options = scanOptions(words, sudoSyntax);
  if (!options) return 'unclear';
  if (['l', 'list', 'e', 'edit', 'v', 'validate'].some((option) => options.given.has(option))) return null;
  let next = options.next;
  while (isAssignment(words[next])) next++;
  const background = options.given.has('b') || options.given.has('background');
  return taken(words, name, next, { background, leaves: background });
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
  return assembled(name, words.slice(0, options.next), [program, ...words.slice(options.next)], {
    background,
    leaves: background,
  });
}

const tini = plain({ flags: 'hvwgls', values: 'pe', longFlags: ['version', 'license'] });
const always = (facts: Taken) => () => facts;

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
  ['su', (words, name) => unwrapSu(words, name)],
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
  ['busybox', (words, name) => (words[1]?.startsWith('-') ? null : taken(words, name, 1))],
  ['start-stop-daemon', unwrapStartStopDaemon],
  ['daemonize', plain({ flags: 'avL', values: 'cdeElopu' }, 0, always({ background: true, leaves: true }))],
  [
    'daemon',
    plain({ flags: 'firvBICS', values: 'nXPFulodAM' }, 0, always({ background: true, leaves: true })),
  ],
]);
