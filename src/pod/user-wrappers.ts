import { type OptionSyntax, scanOptions } from './options.ts';
import { splitAt, type Unwrapping, wrapped } from './unwrapping.ts';

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
export function unwrapSu(words: readonly string[], name: string): Unwrapping {
  return unwrapSuWith(suSyntax, words, name);
}

function unwrapSuWith(syntax: OptionSyntax, words: readonly string[], name: string): Unwrapping {
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
  return wrapped(name, own, [last('s', 'shell') ?? 'sh', '-c', script, ...args]);
}

/** `runuser -u user [--] command`, or anything that `su` understands. */
export function unwrapRunuser(words: readonly string[], name: string): Unwrapping {
  const syntax = { ...suSyntax, values: `${suSyntax.values}u` };
  const options = scanOptions(words, syntax);
  if (options && (options.given.has('u') || options.given.has('user'))) {
    return options.given.has('c') || options.given.has('command')
      ? unwrapSuWith(syntax, words, name)
      : splitAt(words, name, options.next);
  }
  return unwrapSuWith(syntax, words, name);
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

/** `sudo [options] [A=1] command`. */
export function unwrapSudo(words: readonly string[], name: string): Unwrapping {
  const options = scanOptions(words, sudoSyntax);
  if (!options) return 'unclear';
  if (['l', 'list', 'e', 'edit', 'v', 'validate'].some((option) => options.given.has(option))) return null;
  let next = options.next;
  while (words[next]?.includes('=')) next++;
  const background = options.given.has('b') || options.given.has('background');
  return splitAt(words, name, next, { background, leaves: background });
}
