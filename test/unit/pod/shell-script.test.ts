import { describe, expect, it } from 'vitest';
import { readCommandLine } from '../../../src/pod/command-line.ts';

/** The shell and the program of a command line, whose last word is the script. */
function read(shell: string, script: string) {
  const { shell: found, program } = readCommandLine([...shell.split(' '), script]);
  if (!found) throw new Error('no shell found');
  return { ...found, program: program?.join(' ') ?? null };
}

describe('a shell that does not stay', () => {
  it.each([
    ['bash -c', 'app', 'app'],
    ['bash -c', 'A=1 app', 'app'],
    ['bash -c', 'cd /x && app', 'app'],
    ['bash -ec', 'a && b && app\n', 'app'],
    ['bash -c', 'set -e\nmigrate\napp --flag\n', 'app --flag'],
    ['ash -c', 'app', 'app'],
    ['busybox sh -c', 'app > /log', 'app'],
    ['sh -c', 'exec app', 'app'],
    ['sh -c', 'exec -a name app x', 'app x'],
    ['sh -c', 'exec > /log 2>&1; exec app', 'app'],
    ['sh -c', 'cd /x && exec app', 'app'],
    ['sh -c', 'until nc -z db 5432; do sleep 1; done\nexec app', 'app'],
    ['sh -c', 'helper & exec app', 'app'],
    ['sh -c', '{ a; exec app; } > /log', 'app'],
    ['sh -c', 'exec gosu u env A=1 app', 'app'],
    ['sh -c', 'exec sh -c "exec app"', 'app'],
    ['sh -c', 'exec bash -c "cd / && app"', 'app'],
    ['sh -c', 'exec timeout 5 app', 'app'],
    ['tini -- sh -c', 'exec app', 'app'],
    ['dash -c', 'if a; then exec b; else exec c; fi', null],
    ['dash -c', 'if a; then exec b; fi; exec c', null],
    ['dash -c', 'exec $APP', null],
    ['dash -c', 'exec "$(which app)"', null],
    ['dash -c', 'exec /opt/*/app', null],
    ['dash -c', 'exec {app,x}', null],
    ['dash -c', 'exec ""', null],
    ['dash -c', 'exec setsid -f app', null],
  ])('%s %j', (shell, script, program) => {
    expect(read(shell, script)).toMatchObject({ mayStay: false, malformed: false, program });
  });
});

describe('a shell that may stay', () => {
  it.each([
    ['sh -c', 'app'],
    ['dash -c', 'app'],
    ['sh -c', 'cd /x && app'],
    ['bash -c', 'a; app'],
    ['bash -c', 'a || app'],
    ['bash -c', 'a | app'],
    ['bash -c', 'app > /log'],
    ['bash -c', '! app'],
    ['bash -c', 'time app'],
    ['bash -c', 'app && echo done'],
    ['bash -c', 'app; exit $?'],
    ['bash -c', 'app || true'],
    ['bash -c', '(app)'],
    ['bash -c', '{ app; }'],
    ['bash -c', 'command app'],
    ['bash -c', 'eval app'],
    ['bash -c', 'trap x EXIT && app'],
    ['bash -c', 'trap x TERM; app'],
    ['bash -c', 'app\n\n# the end\n'],
    ['bash -c', 'app &'],
    ['bash -c', 'app & wait'],
    ['bash -c', 'app & wait $!'],
    ['bash -c', 'while true; do app; sleep 5; done'],
    ['bash -c', 'for x in 1 2; do app; done'],
    ['bash -c', 'app() { a; }; app'],
    ['bash -c', 'main() { exec app; }; main "$@"'],
    ['bash -c', ''],
    ['bash -c', 'exit 0'],
    ['ash -c', 'a && app'],
    ['ash -c', 'app\n'],
    ['ash -c', 'app <<E\nx\nE'],
    ['busybox sh -c', 'a; app'],
    ['sh -c', 'exec app &'],
    ['sh -c', 'exec app | b'],
    ['sh -c', '(exec app)'],
    ['sh -c', 'exec > /log'],
    ['sh -c', 'exec app; echo unreachable'],
    ['sh -c', 'if a; then exec app; fi'],
    ['sh -c', '[ -f x ] || exec app'],
    ['sh -c', 'case $1 in a) exec app;; esac'],
    ['sh -c', 'bash -c app'],
    ['sh -c', 'exec sh -c app'],
    ['su - u -c', 'app'],
  ])('%s %j', (shell, script) => {
    expect(read(shell, script)).toMatchObject({ mayStay: true, malformed: false, program: null });
  });

  it.each([
    ['app & wait', ['sh -c app & wait']],
    ['cd /x; gosu u app', ['sh -c cd /x; gosu u app', 'gosu u', 'app']],
    ['app; echo done', ['sh -c app; echo done', 'app']],
    ['app 2>&1 | tee /log', ['sh -c app 2>&1 | tee /log', 'app']],
    ['helper & sudo app', ['sh -c helper & sudo app', 'sudo', 'app']],
    ['echo "$(sudo a)"', ['sh -c echo "$(sudo a)"']],
  ])('still has a program in the foreground at the end of its chain: %s', (script, chain) => {
    expect(readCommandLine(['sh', '-c', script]).chain.map((link) => link.join(' '))).toEqual(chain);
  });
});

describe('a trap for TERM', () => {
  it.each([
    ["trap 'kill $PID' TERM", true],
    ['trap stop SIGTERM', true],
    ['trap stop 15', true],
    ['trap stop term', true],
    ['trap -- stop INT TERM QUIT', true],
    ['stop() { kill $!; }; trap stop TERM INT; app & wait', true],
    ['if a; then trap stop TERM; fi', true],
    ['trap - TERM; trap stop TERM', true],
    ['trap stop INT', false],
    ['trap stop EXIT', false],
    ['trap - TERM', false],
    ["trap '' TERM", false],
    ['trap TERM', false],
    ['trap stop TERM; trap - TERM', false],
    ['(trap stop TERM); app', false],
    ["echo 'trap stop TERM'", false],
    ['# trap stop TERM\napp', false],
    ['app', false],
  ])('%s: %o', (script, trapsTerm) => {
    expect(read('sh -c', `${script}\napp`).trapsTerm).toBe(trapsTerm);
  });

  it('counts in the shell that is signalled: the outer one, where it stays', () => {
    expect(read('sh -c', "trap x TERM; sh -c 'app'; wait").trapsTerm).toBe(true);
    expect(read('sh -c', "sh -c 'trap x TERM; app & wait'; b").trapsTerm).toBe(false);
    expect(read('sh -c', "exec sh -c 'trap x TERM; app & wait'").trapsTerm).toBe(true);
    expect(read('bash -c', "cd / && sh -c 'trap x TERM; app & wait'").trapsTerm).toBe(true);
  });
});

describe('which shell it is', () => {
  it.each([
    ['sh -c', 'sh'],
    ['/bin/bash -c', 'bash'],
    ['/usr/bin/env bash -c', 'bash'],
    ['dash -ec', 'dash'],
    ['ash -c', 'ash'],
    ['busybox sh -c', 'busybox'],
    ['/bin/busybox ash -c', 'busybox'],
    ['tini -- timeout 5 sh -c', 'sh'],
    ['/entrypoint.sh sh -c', 'sh'],
    ['su - u -c', 'sh'],
    ['su u --shell=/bin/bash --command', 'bash'],
  ])('%s', (shell, name) => {
    expect(read(shell, 'x; y')).toMatchObject({ shell: name, script: 'x; y', mayStay: true });
  });

  it('is the innermost', () => {
    const { shell } = readCommandLine(['sh', '-c', 'exec "$@"', 'sh', 'bash', '-c', 'x; y']);
    expect(shell).toMatchObject({ shell: 'bash', script: 'x; y', mayStay: true });
  });

  it.each([
    'bash',
    'sh -s',
    'bash -l -i',
    'bash /app/run.sh',
    'sh -x run',
    '/entrypoint.sh app',
    'sh -c',
    'app',
  ])('is none in %s, where no script is visible', (text) => {
    const words = text.split(' ');
    expect(readCommandLine(words)).toMatchObject({ shell: null, program: words });
  });
});

describe('a script that is incomplete, malformed or beyond the bounds', () => {
  it.each([
    'if a; then b',
    "a 'b",
    'a && ',
    'a $(b',
    'exec a )',
    'exec "$(b',
    `exec a; ${'# '.repeat(30_000)}`,
    `${'$('.repeat(400)}exec a${')'.repeat(400)}`,
    `${'a;'.repeat(20_000)}exec a`,
    `exec a "${'$(b c)'.repeat(10_000)}"`,
  ])('is called so, may stay and has no program: %.40s', (script) => {
    expect(read('bash -c', script)).toMatchObject({ malformed: true, mayStay: true, program: null });
  });

  it('still has the programs that were found', () => {
    const { invocations } = readCommandLine(['sh', '-c', 'rabbitmqctl status; if a; then b']);
    expect(invocations.map(({ program }) => program)).toEqual(['rabbitmqctl', 'a', 'b']);
  });

  it('is malformed as a whole where a shell in it is', () => {
    expect(read('bash -c', 'exec bash -c "if a"')).toMatchObject({
      malformed: true,
      mayStay: true,
      program: null,
    });
  });
});
