// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the shell's
import { describe, expect, it } from 'vitest';
import { type Invocation, readCommandLine } from '../../../src/pod/command-line.ts';

/** `& ^ words`: `&` in the background, `^` the child of a shell. */
function shown({ argv, background, childOfShell }: Invocation): string {
  return [...(background ? ['&'] : []), ...(childOfShell ? ['^'] : []), ...argv].join(' ');
}

function invocationsOf(...words: string[]): string[] {
  return readCommandLine(words).invocations.map(shown);
}

describe('the programs of a script', () => {
  const table: readonly (readonly [script: string, invocations: readonly string[]])[] = [
    ['a', ['^ a']],
    ["a 'b  c' \"d e\" f\\ g $'h\\ti'", ['^ a b  c d e f g h\ti']],
    ['a; b', ['^ a', '^ b']],
    ['a\nb', ['^ a', '^ b']],
    ['a && b || c', ['^ a', '^ b', '^ c']],
    ['a | b |& c', ['^ a', '^ b', '^ c']],
    ['! a', ['^ a']],
    ['time a', ['^ a']],
    ['A=1 B=2 a', ['^ a']],
    ['A=1', []],
    ['A=$(a) b', ['^ a', '^ b']],
    ['a > $(b) 2>&1', ['^ a', '^ b']],
    ['a "x$(b "$(c)")"', ['^ a x$(b "$(c)")', '^ b $(c)', '^ c']],
    ['a `b`', ['^ a `b`', '^ b']],
    ['a <(b) >(c)', ['^ a <(b) >(c)', '^ b', '^ c']],
    ['a ${B:-$(b)} $((1 + $(c)))', ['^ a ${B:-$(b)} $((1 + $(c)))', '^ b', '^ c']],
    ['(a; b)', ['^ a', '^ b']],
    ['{ a; b; }', ['^ a', '^ b']],
    ['if a; then b; elif c; then d; else e; fi', ['^ a', '^ b', '^ c', '^ d', '^ e']],
    ['while a; do b; done', ['^ a', '^ b']],
    ['until a; do b; done < $(c)', ['^ a', '^ b', '^ c']],
    ['for x in $(a); do b $x; done', ['^ a', '^ b $x']],
    ['case $(a) in b) c;; *) d;; esac', ['^ a', '^ c', '^ d']],
    ['[[ -n $(a) ]] && b', ['^ a', '^ b']],
    ['f() { a; }; f x; b', ['^ a', '^ b']],
    ['function f { a; }\nf', ['^ a']],
    ['cat <<E\na\n$(b)\nE\n', ['^ cat', '^ b']],
    ["cat <<'E'\n$(b)\nE\n", ['^ cat']],
    ['eval "a b"; eval \'c | d\'', ['eval a b', '^ a b', 'eval c | d', '^ c', '^ d']],
    ['eval "$(a)" b', ['eval $(a) b', '^ a']],
    ["eval 'a $(b)'", ['eval a $(b)', '^ a $(b)', '^ b']],
    ['coproc a', ['& ^ a']],
    ['a # b', ['^ a']],
    ['sh -c "a; b"', ['^ a', '^ b']],
    ['timeout 5 sh -c "exec a"', ['^ a']],
    ['env A=1 bash -c a', ['^ a']],
    ['exec a', ['a']],
    ['exec env A=1 sh -c "exec a"', ['a']],
    ['a; exec b', ['^ a', 'b']],
    ['exec a | b', ['^ a', '^ b']],
    ['(exec a)', ['^ a']],
    ['x=$(exec a)', ['^ a']],
    ['command a', ['^ a']],
    ['command exec a', ['a']],
  ];
  it.each(table)('%s', (script, invocations) => {
    expect(invocationsOf('sh', '-c', script)).toEqual(invocations);
  });

  it.each([
    'cd /',
    'true',
    ':',
    '[ -f x ]',
    'test -f x',
    'echo x',
    'read x',
    'kill 1',
    'wait',
    'exit 1',
    'set -e',
    'export A=1',
    'trap x TERM',
    'command -v a',
    'type a',
    'printf x',
    'exec 2>&1',
    '. x',
    'source x',
    'command cd /',
  ])('a builtin is nobody’s child: %s', (script) => {
    for (const shell of ['sh', 'bash', 'dash', 'ash']) {
      const invocations = readCommandLine([shell, '-c', `${script}; a`]).invocations;
      expect(invocations.filter(({ childOfShell }) => childOfShell).map(shown)).toEqual(['^ a']);
    }
  });

  it('is a child where a program, not the shell, runs what bears the name of a builtin', () => {
    expect(invocationsOf('sh', '-c', 'env echo x')).toEqual(['^ echo x']);
  });
});

describe('which program replaces its shell', () => {
  it.each([
    ['bash -c', 'a', ['a']],
    ['bash -ec', 'a && b', ['^ a', 'b']],
    ['bash -c', 'a; b', ['^ a', '^ b']],
    ['bash -c', 'a || b', ['^ a', '^ b']],
    ['bash -c', 'a | b', ['^ a', '^ b']],
    ['bash -c', 'a\nb\n', ['^ a', 'b']],
    ['bash -c', 'a > /dev/null', ['^ a']],
    ['bash -c', 'trap x TERM && a', ['trap x TERM', '^ a']],
    ['bash -c', "trap '' TERM && a", ['trap  TERM', 'a']],
    ['bash -c', 'cd / && a "$(b)"', ['cd /', 'a $(b)', '^ b']],
    ['bash -c', '[ -f x ] && a', ['[ -f x ]', 'a']],
    ['bash -lc', 'a', ['a']],
    ['bash --login -c', 'a', ['a']],
    ['bash -o pipefail -c', 'a', ['a']],
    ['bash -euxo pipefail -c --', 'a', ['a']],
    ['/usr/bin/bash -c', 'timeout 5 a', ['a']],
    ['ash -c', 'a', ['a']],
    ['busybox sh -c', 'a > /dev/null', ['a']],
    ['/bin/busybox ash -ec', 'a', ['a']],
    ['ash -c', 'a && b', ['^ a', '^ b']],
    ['ash -c', 'a\n', ['^ a']],
    ['dash -c', 'a', ['^ a']],
    ['dash -c', 'exec a', ['a']],
    ['sh -c', 'a', ['^ a']],
    ['ksh -c', 'a', ['^ a']],
    ['zsh -c', 'exec a', ['a']],
    ['su - u -c', 'a', ['^ a']],
    ['su u -s /bin/bash -c', 'a', ['a']],
    ['sh -c', 'bash -c a', ['^ a']],
    ['bash -c', 'sh -c "exec a"', ['a']],
    ['bash -c', 'bash -c "bash -c a"', ['a']],
  ])('%s %j', (shell, script, invocations) => {
    expect(invocationsOf(...shell.split(' '), script)).toEqual(invocations);
  });
});

describe('what is left in the background', () => {
  it.each([
    ['a &', ['& ^ a']],
    ['a & b', ['& ^ a', '^ b']],
    ['a && b &', ['& ^ a', '& ^ b']],
    ['a | b &', ['& ^ a', '& ^ b']],
    ['{ a; b; } &', ['& ^ a', '& ^ b']],
    ['( a; b ) & c', ['& ^ a', '& ^ b', '^ c']],
    ['if a; then b & fi', ['^ a', '& ^ b']],
    ['while a; do b; done &', ['& ^ a', '& ^ b']],
    ['x=$(a & b)', ['& ^ a', '^ b']],
    ['f() { a; }; f &', ['& ^ a']],
    ['f() { a; }; f', ['^ a']],
    ['exec a &', ['& ^ a']],
    ['sh -c "a; b" &', ['& ^ a', '& ^ b']],
    ['nohup a > /dev/null 2>&1 &', ['& ^ a']],
    ['setsid -f a', ['& ^ a']],
    ["sh -c 'a &'", ['& ^ a']],
    ['a && b', ['^ a', '^ b']],
    ['a 2>&1', ['^ a']],
    ['a &> /dev/null', ['^ a']],
    ['a &>> /dev/null', ['^ a']],
    ['a >&2 <&-', ['^ a']],
    ['a |& b', ['^ a', '^ b']],
    ['a \'&\' "b &" \\& c', ['^ a & b & & c']],
    ["echo 'x &'", ['echo x &']],
    ['a # &', ['^ a']],
    ["curl 'http://x/?a=1&b=2'", ['^ curl http://x/?a=1&b=2']],
    ['curl http://x/?a=1&b=2', ['& ^ curl http://x/?a=1']],
    ['a $((1 & 2))', ['^ a $((1 & 2))']],
    ['cat <<E\na &\nE\n', ['^ cat']],
    ['[[ a == "&" ]] && b', ['^ b']],
    ['case a in b) c ;& d) e ;; esac', ['^ c', '^ e']],
  ])('%s', (script, invocations) => {
    expect(invocationsOf('sh', '-c', script)).toEqual(invocations);
  });
});

describe('positional parameters', () => {
  it.each([
    ['exec "$@"', ['--', 'app', 'a b', ''], ['app', 'a b', '']],
    ['exec $@', ['--', 'app', 'a b', ''], ['app', 'a', 'b']],
    ['exec "$0" "$@"', ['app', 'x', 'y'], ['app', 'x', 'y']],
    ['exec $0 "$*"', ['app', 'x', 'y'], ['app', 'x y']],
    ['exec $0 $*', ['app', 'x', 'y'], ['app', 'x', 'y']],
    ['exec "$1" -x"$2"y ${1}z', ['sh', 'app', 'b'], ['app', '-xby', 'appz']],
    [
      'exec app "${10}" $10',
      ['sh', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'ten'],
      ['app', 'ten', '10'],
    ],
    ['exec app $# "$9" $9', ['sh', 'x'], ['app', '1', '']],
    ['exec app "x$@y"', ['sh', 'a', 'b'], ['app', 'xa', 'by']],
    ['exec app "$@" "x$@"', ['sh'], ['app', 'x']],
    ['exec "$@"', ['sh', 'tini', '--', 'app'], ['app']],
    ['exec app "\\$1" \'$1\'', ['sh', 'x'], ['app', '$1', '$1']],
    ['sh -c \'exec "$0" "$1"\' "$@"', ['sh', 'app', 'x'], ['app', 'x']],
  ])('%s %j', (script, operands, argv) => {
    expect(readCommandLine(['sh', '-c', script, ...operands]).invocations.at(-1)?.argv).toEqual(argv);
  });

  it.each([
    ['shift; exec "$@"', ['$@']],
    ['set -- a b; exec "$@"', ['$@']],
    ['set a; exec "$1"', ['$1']],
    ['f() { exec "$1"; }; f y', ['$1']],
    ['exec "${1:-app}"', ['${1:-app}']],
    ['exec "${@:2}"', ['${@:2}']],
    ['exec "$APP"', ['$APP']],
    ['set -euo pipefail; exec "$1"', ['x']],
    ['f() { shift; }; f; exec "$1"', ['x']],
  ])('stay as they are where they are not known: %s', (script, argv) => {
    expect(readCommandLine(['sh', '-c', script, 'sh', 'x']).invocations.at(-1)?.argv).toEqual(argv);
  });
});

it('names the program and what was unwrapped from it, outermost first', () => {
  const words = ['timeout', '9', 'sh', '-c', 'exec /usr/sbin/gosu u "$1"', 'sh', '/opt/bin/app'];
  expect(readCommandLine(words).invocations).toEqual([
    {
      argv: ['/opt/bin/app'],
      program: 'app',
      wrappers: [
        { name: 'timeout', words: ['timeout', '9'] },
        { name: 'sh', words: ['sh', '-c', 'exec /usr/sbin/gosu u "$1"'] },
        { name: 'exec', words: ['exec'] },
        { name: 'gosu', words: ['/usr/sbin/gosu', 'u'] },
      ],
      background: false,
      childOfShell: false,
      timeoutSeconds: 9,
    },
  ]);
});

it('names a program by its file although its folder is not known', () => {
  const [java, other] = readCommandLine([
    'sh',
    '-c',
    '$JAVA_HOME/bin/java -version; $(which /bin/java)',
  ]).invocations;
  expect([java?.program, other?.program]).toEqual(['java', '$(which /bin/java)']);
});
