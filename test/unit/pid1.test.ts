import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initsThatReap, mustBePid1, type Pid1, pid1Of } from '../../src/pid1.ts';
import { readCommandLine } from '../../src/pod/command-line.ts';

const table: Readonly<Record<Pid1, readonly string[]>> = {
  reaps: [
    'tini -- sleep 1',
    '/sbin/tini -s -- java -jar app.jar',
    '/usr/bin/tini-static -- app',
    'dumb-init python3 app.py',
    'catatonit -- app',
    '/sbin/docker-init -- app',
    's6-svscan /run/service',
    'runsvdir -P /etc/service',
    '/sbin/my_init',
    'my_init -- sleep 1',
    '/usr/bin/python3 -u /sbin/my_init --quiet',
    'pebble run',
    'busybox init',
    'supervisord -n',
    'python3 /usr/bin/supervisord -n -c /etc/supervisord.conf',
    'python3.11 -u -W ignore /usr/local/bin/supervisord',
    'python3 -m supervisor.supervisord -n',
    'env PYTHONUNBUFFERED=1 python /usr/bin/supervisord',
    'nginx',
    '/usr/sbin/nginx -g x',
    'php-fpm',
    'php-fpm8.2 -F',
    '/usr/sbin/sshd -D',
    'sshd -eD',
    'sshd -p 22 -D',
    'cron -f',
    'cron -L 8 -f',
    'crond -f -l 8',
    '/usr/lib/erlang/erts/bin/beam.smp -W w',
    'rabbitmq-server',
    '/pause',
    'tini -- bash -c a;b',
    'tini -- /entrypoint.sh redis-server',
    'tini -- timeout 5 app',
    'env A=1 tini -- app',
    'gosu u tini -- app',
    'nice -n 5 nginx',
    'bash -c nginx',
  ],
  leaks: [
    'sleep infinity',
    '/bin/sleep 1',
    'tail -f /dev/null',
    'cat',
    'python app.py',
    'python3 -m http.server',
    'python3 -c supervisord',
    'python3',
    '/usr/local/bin/python3.11 app.py',
    'node server.js',
    'java -jar app.jar',
    'redis-server',
    'perl x.pl',
    'gosu redis redis-server',
    'env A=1 nohup java -jar app.jar',
    'ash -c sleep',
  ],
  'must-be-pid-1': [
    '/init',
    '/sbin/init',
    '/usr/sbin/init --system',
    '/lib/systemd/systemd',
    '/usr/lib/systemd/systemd --system',
    '/sbin/runit',
    '/sbin/runit-init',
    '/sbin/openrc-init',
    'env container=docker /sbin/init',
    '/entrypoint.sh /sbin/init',
    '/entrypoint.sh env A=1 /init',
  ],
  unknown: [
    'app',
    'gunicorn app:app',
    'init',
    './init',
    '/opt/init/app',
    'systemd-notify',
    'nginx-debug',
    'sshd',
    'cron',
    'cron --fast',
    'bash',
    'sh /app/run.sh',
    'bash /usr/sbin/nginx',
    '/docker-entrypoint.sh nginx',
    '/entrypoint.sh rabbitmq-server',
    '/entrypoint.sh tini -- app',
    '/run.sh',
    'sh -c nginx',
    'dash -c sleep',
    'timeout 5 nginx',
    'timeout 5 sleep 1',
    'timeout 5 tini -- app',
    'sudo tini -- app',
    'su u -c nginx',
    'sudo -u u java',
    'setsid sleep 1',
    'setsid -f nginx',
    '$(SERVER) -x',
    'tinier -- app',
    'tini-x app',
  ],
};

const rows = Object.entries(table).flatMap(([pid1, lines]) => lines.map((line) => [line, pid1] as const));

describe('pid1Of', () => {
  it.each(rows)('%s: %s', (line, pid1) => {
    expect(pid1Of(line.split(' '))).toBe(pid1);
  });

  it.each<[string, string, Pid1]>([
    ['sh', 'exec nginx -g "daemon off;"', 'reaps'],
    ['sh', 'exec tini -- sleep 1', 'reaps'],
    ['sh', 'exec busybox init', 'reaps'],
    ['sh', 'exec python3 /usr/bin/supervisord', 'reaps'],
    ['sh', 'exec -a nginx python3 app.py', 'leaks'],
    ['sh', 'exec -a python3 nginx', 'reaps'],
    ['sh', 'exec sleep 1', 'leaks'],
    ['bash', 'cd / && node app.js', 'leaks'],
    ['bash', 'cd / && nginx', 'reaps'],
    ['sh', 'exec /sbin/init', 'must-be-pid-1'],
    ['sh', 'if a; then exec /sbin/init; else exec app; fi', 'must-be-pid-1'],
    ['sh', 'node app.js', 'unknown'],
    ['sh', 'nginx', 'unknown'],
    ['sh', 'tini -- app', 'unknown'],
    ['bash', 'node app.js; nginx', 'unknown'],
    ['bash', 'nginx & wait', 'unknown'],
    ['sh', 'exec $SERVER', 'unknown'],
    ['sh', 'exec nginx; if', 'unknown'],
    ['sh', 'exec timeout 5 nginx', 'unknown'],
  ])('%s -c %j: %s', (shell, script, pid1) => {
    expect(pid1Of([shell, '-c', script])).toBe(pid1);
  });

  it('expands the parameters of a script', () => {
    expect(pid1Of(['sh', '-c', 'exec "$@"', '--', 'nginx'])).toBe('reaps');
    expect(pid1Of(['sh', '-c', 'exec "$0" "$@"', 'sleep', '1'])).toBe('leaks');
  });

  it('is unknown where the words are not known, or there are none', () => {
    expect([pid1Of(null), pid1Of([]), pid1Of(['']), pid1Of(['/'])]).toEqual(Array(4).fill('unknown'));
  });

  it('reaps behind every init that counts as one', () => {
    for (const init of initsThatReap) expect(pid1Of([init, '--', 'app'])).toBe('reaps');
    expect([...initsThatReap]).toContain('tini');
    expect([...initsThatReap]).not.toContain('nginx');
  });

  it('has an answer to any words', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
        expect(Object.keys(table)).toContain(pid1Of(words));
        expect(typeof mustBePid1(readCommandLine(words))).toBe('boolean');
      }),
    );
  });
});

describe('mustBePid1', () => {
  it.each([...table['must-be-pid-1'], 'busybox init', '/bin/busybox init', 'tini -- /init'])('%s', (line) => {
    expect(mustBePid1(readCommandLine(line.split(' ')))).toBe(true);
  });

  it.each([
    ...table.leaks,
    ...table.unknown,
    'nginx',
    'tini -- app',
    'dumb-init app',
    '/usr/bin/dumb-init app',
    'app /sbin/init',
    'sh /init',
  ])('not %s', (line) => {
    expect(mustBePid1(readCommandLine(line.split(' ')))).toBe(false);
  });

  it('looks into scripts', () => {
    expect(mustBePid1(readCommandLine(['sh', '-c', 'mount x; exec /sbin/init']))).toBe(true);
    expect(
      mustBePid1(readCommandLine(['sh', '-c', 'if a; then exec /lib/systemd/systemd; fi; exec app'])),
    ).toBe(true);
    expect(mustBePid1(readCommandLine(['sh', '-c', 'echo /sbin/init']))).toBe(false);
  });
});
