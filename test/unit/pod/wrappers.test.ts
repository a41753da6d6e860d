import { describe, expect, it } from 'vitest';
import { readCommandLine } from '../../../src/pod/command-line.ts';

/** Words as a shell would split them, with no quoting but `'…'`. */
function split(text: string): string[] {
  return (text.match(/(?:'[^']*'|[^\s'])+/g) ?? []).map((word) => word.replaceAll("'", ''));
}

/** The chain, with ` | ` between its links. */
function chainOf(words: readonly string[]): string {
  return readCommandLine(words)
    .chain.map((link) => link.join(' '))
    .join(' | ');
}

/** Links are separated by `|`: the wrappers, and at the end the program. */
const chains: readonly string[] = [
  'redis-server --port 1',
  'tini -- | redis-server',
  'tini | redis-server',
  '/sbin/tini -s -g -vvv -w -p SIGKILL -e 143 -- | app -v',
  '/usr/bin/tini-static -sg -pSIGTERM -- | app',
  'docker-init -- | app',
  'dumb-init | app',
  'dumb-init -c -r 15:3 --rewrite 1:2 --rewrite=2:0 --verbose -- | app -c',
  'catatonit -- | app',
  'my_init --quiet --skip-runit -- | app',
  'gosu redis | redis-server',
  'gosu redis:redis | redis-server --port 1',
  'su-exec 1000:1000 | app',
  's6-setuidgid abc | app',
  'runuser -u postgres -- | postgres -D /data',
  'runuser -u postgres | postgres',
  'sudo -u nobody -E -- | app',
  'sudo -nHu nobody A=1 | app -u x',
  'sudo --user=nobody --preserve-env=A | app',
  'doas -n -u nobody | app',
  'env | app',
  'env A=1 B= | app C=1',
  'env -i -u HOME -uPATH - A=1 | app -i',
  'env --unset=A --chdir /tmp -- | app',
  'timeout 5 | app 6',
  'timeout -k 1 -s KILL --foreground --preserve-status -v 5s | app',
  'timeout -k1 --signal=TERM --kill-after 2m 0.5m | app',
  'timeout -t 5 -s KILL | app',
  'nice | app',
  'nice -n -5 | app',
  'nice -10 | app',
  'nice --adjustment=3 | app',
  'ionice -c 2 -n7 -t | app',
  'chroot /new | app',
  'chroot --userspec=1:1 --skip-chdir /new | app',
  'setpriv --reuid 1000 --regid=1000 --clear-groups --no-new-privs -- | app',
  'stdbuf -oL -e 0 --input=0 | app',
  'nohup | app',
  'setsid -w | app',
  'setsid -cf | app',
  'exec -c -a name | app',
  'busybox | httpd -f',
  '/bin/busybox | timeout -t 5 | app',
  'start-stop-daemon',
  'tini -- | gosu redis | env A=1 | timeout 5 | nice | redis-server --port 1',
  '/entrypoint.sh | redis-server --port 1',
  '/usr/local/bin/docker-entrypoint.sh | gosu redis | redis-server',
  '/opt/entrypoint | app',
  '/run.sh --option value',
  '/run.sh',
  'bash /app/run.sh | app',
  'bash -eu /app/run | app',
  'sh /app/run --option',
  'bash',
  'sh -s',
  'bash --login -i',
];

describe('the chain of wrappers', () => {
  it.each(chains)('%s', (chain) => {
    const words = split(chain.replaceAll(' | ', ' '));
    expect(chainOf(words)).toBe(chain.replaceAll("'", ''));
  });

  it('is the program alone where a wrapper has nothing behind it', () => {
    for (const text of [
      'env',
      'env A=1',
      'sudo -i',
      'sudo -l',
      'su',
      'su - postgres',
      'timeout 5',
      'tini --',
      'exec',
      'busybox --list',
      'ionice -p 1',
      'command -v app',
    ]) {
      expect(readCommandLine(split(text))).toMatchObject({ chain: [split(text)], program: split(text) });
    }
  });

  it('ends without a program at an option that nobody knows', () => {
    for (const text of [
      'tini --new -- app',
      'timeout --new 5 app',
      'env -Z app',
      'gosu -x u app',
      'sudo -? app',
      'su -? -c app',
    ]) {
      const line = readCommandLine(split(text));
      expect(line).toMatchObject({ chain: [split(text)], program: null });
      expect(line.invocations.map(({ argv }) => argv)).toEqual([split(text)]);
    }
  });
});

describe('the program', () => {
  it.each([
    ['tini -- nginx -g x', 'nginx -g x'],
    ['/entrypoint.sh redis-server', '/entrypoint.sh redis-server'],
    ['bash /app/run.sh app', 'bash /app/run.sh app'],
    ["env -S 'A=1 python3 -u' app.py", 'python3 -u app.py'],
    [`env --split-string='"my app" x'`, 'my app x'],
    ["env -vS 'app x'", 'app x'],
    ["su - u -c 'exec app x'", 'app x'],
    ["su u -s /bin/bash -c 'a && b'", 'b'],
    [`su -c 'exec "$0" "$@"' u -- app x`, 'app x'],
    [`su u -s /bin/sh -c 'exec "$@"' -- sh app x`, 'app x'],
    ["runuser -l u -c 'exec app'", 'app'],
    ["runuser -u u -c 'exec app'", 'app'],
    ['start-stop-daemon --start -p /run/x --exec /bin/app -- -v', '/bin/app -v'],
    ['start-stop-daemon -S -x /bin/app --startas /bin/other', '/bin/other'],
    ['nohup app', 'app'],
    ['setsid -fw app', 'app'],
  ])('of %s', (text, program) => {
    expect(readCommandLine(split(text)).program?.join(' ')).toBe(program);
  });

  it.each([
    'setsid -f app',
    'daemonize -p /run/x /bin/app',
    'daemon -n x app',
    'start-stop-daemon -S -b -x /bin/app',
    'sudo -b app',
    '$(APP) x',
    '$APP x',
    '`app`',
    "env ''",
    "su - u -c 'app'",
  ])('cannot be told of %s', (text) => {
    expect(readCommandLine(split(text)).program).toBeNull();
  });

  it('cannot be told of an empty word or of no words', () => {
    expect(readCommandLine(['', 'x']).program).toBeNull();
    expect(readCommandLine([])).toEqual({ argv: [], chain: [], program: null, shell: null, invocations: [] });
  });

  it('may hold characters that only a shell would expand', () => {
    expect(readCommandLine(['/opt/a*[b]', 'x']).program).toEqual(['/opt/a*[b]', 'x']);
  });
});

describe('the seconds that a timeout allows', () => {
  it.each([
    ['timeout 5 app', 5],
    ['timeout 5s app', 5],
    ['timeout 0.5m app', 30],
    ['timeout 1.h app', 3600],
    ['timeout .5d app', 43_200],
    ['timeout +5 app', 5],
    ['timeout -k 9 5 app', 5],
    ['timeout -t 7 app', 7],
    ['busybox timeout -t 7 app', 7],
    ['timeout 9 timeout 4 app', 4],
    ['timeout 4 timeout 9 app', 9],
    ["timeout 3 sh -c 'app'", 3],
    ["timeout 9 sh -c 'timeout 3 app'", 3],
    ['app', null],
    ['timeout 0 app', null],
    ['timeout inf app', null],
    ['timeout $T app', null],
    ['timeout 5x app', null],
    ['timeout 5 timeout $T app', null],
    ['timeout --new 5 app', null],
  ])('%s: %o', (text, seconds) => {
    expect(readCommandLine(split(text)).invocations.map((invocation) => invocation.timeoutSeconds)).toEqual([
      seconds,
    ]);
  });
});

describe('what a wrapper leaves in the background', () => {
  it.each([
    ['nohup app', true],
    ['setsid -f app', true],
    ['setsid --fork app', true],
    ['setsid app', false],
    ['daemonize /bin/app', true],
    ['daemon --unknown=1 app', true],
    ['start-stop-daemon -S -b -x /bin/app', true],
    ['start-stop-daemon --start --background --exec /bin/app', true],
    ['start-stop-daemon -S -x /bin/app', false],
    ['start-stop-daemon --stop -x /bin/app', false],
    ['sudo -b app', true],
    ['tini -- nohup env A=1 app', true],
    ['env nohup', false],
    ['timeout 5 app', false],
  ])('%s: %o', (text, background) => {
    expect(readCommandLine(split(text)).invocations.map((invocation) => invocation.background)).toEqual([
      background,
    ]);
  });
});
