import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskedWords, shownCommandLine } from '../../../src/scanner/cmdline.ts';

describe('shownCommandLine', () => {
  it.each([
    [['sleep', 'infinity'], 'sleep infinity'],
    [[], ''],
    [['sh', '-c', 'sleep 1; true'], "sh -c 'sleep 1; true'"],
    [['echo', ''], "echo ''"],
    [['echo', "it's"], "echo 'it'\\''s'"],
    [['ls', '*.ts', '$HOME'], "ls *.ts '$HOME'"],
    [['nginx: master process nginx', '', '', ''], "'nginx: master process nginx'"],
    [['Grüße', '墓守'], 'Grüße 墓守'],
  ])('writes %j as %s', (words, shown) => {
    expect(shownCommandLine(words)).toBe(shown);
  });

  it('is cut at 1,024 characters, never through the middle of one', () => {
    expect(shownCommandLine(['x'.repeat(1024)])).toBe('x'.repeat(1024));
    expect(shownCommandLine(['x'.repeat(1025)])).toBe(`${'x'.repeat(1023)}…`);
    expect(shownCommandLine(['x'.repeat(1022), '🧟'])).toBe(`${'x'.repeat(1022)} …`);
    expect(shownCommandLine([`${'x'.repeat(1022)}🧟🧟`])).toBe(`${'x'.repeat(1022)}…`);
  });

  it('shows no part of a secret where it is cut', () => {
    const shown = shownCommandLine(['app', 'x'.repeat(1000), '--password', 'hunter2'.repeat(10)]);
    expect(shown).not.toContain('hunter');
  });
});

describe('maskedWords', () => {
  it.each([
    ['app --password=x --port=1', 'app --password=*** --port=1'],
    ['app --password x y', 'app --password *** y'],
    ['app -password x', 'app -password ***'],
    ['app --db-passwd=x --DB_PWD=x', 'app --db-passwd=*** --DB_PWD=***'],
    ['app --client-secret x --api-key=x --apikey x', 'app --client-secret *** --api-key=*** --apikey ***'],
    ['app --auth-token x --private-key=x', 'app --auth-token *** --private-key=***'],
    ['env PASSWORD=x AWS_SECRET_ACCESS_KEY=x run', 'env PASSWORD=*** AWS_SECRET_ACCESS_KEY=*** run'],
    [
      'java -Djavax.net.ssl.keyStorePassword=x -jar a.jar',
      'java -Djavax.net.ssl.keyStorePassword=*** -jar a.jar',
    ],
    ['helm --set a=b,auth.rootPassword=x,y', 'helm --set a=b,auth.rootPassword=***'],
    ['erl -setcookie x -name a@b', 'erl -setcookie *** -name a@b'],
    ['redis-server --requirepass x', 'redis-server --requirepass ***'],
    ['redis-cli -a x ping', 'redis-cli -a *** ping'],
    ['/usr/bin/mysqladmin -uroot -px ping', '/usr/bin/mysqladmin -uroot -p*** ping'],
    ['mysql -p shop', 'mysql -p shop'],
    ['mongosh -u root -p x', 'mongosh -u root -p ***'],
    ['app --db-pw x --signing-key=x', 'app --db-pw *** --signing-key=***'],
    ['get https://h/a?sv=1&sig=x&se=2', 'get https://h/a?sv=1&sig=***&se=2'],
    ['app eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', 'app ***'],
    ['app id=AKIAABCDEFGHIJKLMNOP', 'app id=***'],
    ['curl -u me:x http://h', 'curl -u *** http://h'],
    ['app postgres://me:x@db:5432/shop?sslmode=off', 'app postgres://me:***@db:5432/shop?sslmode=off'],
    ['app redis://:x@h amqps://a:x@h,b:x@i', 'app redis://:***@h amqps://a:***@i'],
    ['app http://h/a?b=c&access_token=x&d=e', 'app http://h/a?b=c&access_token=***&d=e'],
    ['app me:x@tcp(db)/shop', 'app me:***@tcp(db)/shop'],
    ['curl -H Authorization: Bearer x y', 'curl -H Authorization: Bearer *** y'],
    ['curl -H Authorization:Basic x y', 'curl -H Authorization:Basic *** y'],
    ['curl -H X-Api-Key:x', 'curl -H X-Api-Key:***'],
    ['app {"user":"a","password":"x"}', 'app {"user":"a","password":***'],
  ])('hides the secret of %s', (line, shown) => {
    expect(maskedWords(line.split(' ')).join(' ')).toBe(shown);
  });

  it.each([
    [
      ['--password', 'correct horse'],
      ['--password', '***'],
    ],
    [['Authorization: Bearer x'], ['Authorization: Bearer ***']],
    [['Authorization: GitHub x y'], ['Authorization: ***']],
    [['{"password": "a b"}'], ['{"password": ***']],
    [['mysqladmin -uroot -px ping'], ['mysqladmin -uroot -p*** ping']],
    [["run --token 'a b' c"], ['run --token *** c']],
    [[`bash -c "curl -H 'X-Token: a b' h"`], [`bash -c "curl -H 'X-Token: ***' h"`]],
    [['export TOKEN="a b"\nrun'], ['export TOKEN=***\nrun']],
    [
      ['--password', ''],
      ['--password', '***'],
    ],
  ])('hides the secret inside of the words %j', (words, shown) => {
    expect(maskedWords(words)).toEqual(shown);
  });

  it.each([
    'sleep infinity',
    'mongod --auth --bind_ip 0.0.0.0',
    'app --password-file /run/secrets/p --tls-private-key-file=/k --token-path /t',
    'app http://auth:8080/x https://token-service/ auth-db:5432',
    'git clone git@example.com:a/b',
    'docker run registry/app:1@sha256:0123',
    'node -p 8080 -u me',
    'containerd-shim-runc-v2 -namespace k8s.io -id 0123 -address /run/containerd/containerd.sock',
    'PWD=/srv OLDPWD=/ app',
    'timeout 5 rabbitmqctl -q status',
  ])('leaves %s as it is', (line) => {
    expect(maskedWords(line.split(' '))).toEqual(line.split(' '));
  });

  it('hides any secret after the name of one', () => {
    const secret = fc.stringMatching(/^[A-Z0-9]{12,40}$/);
    const forms: ((secret: string) => string[])[] = [
      (x) => [`--password=${x}`],
      (x) => ['--password', x],
      (x) => ['--password', `${x} ${x}`],
      (x) => [`DB_PASSWORD=${x}`],
      (x) => ['sh', '-c', `export A_TOKEN='${x} ${x}'; run`],
      (x) => ['mysql', `-p${x}`],
      (x) => [`https://user:${x}@host/path`],
      (x) => ['-H', `Authorization: Bearer ${x}`],
      (x) => [`{"api-key": "${x}"}`],
      (x) => [`https://host/?a=b&secret=${x}&c=d`],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...forms), secret, fc.array(fc.string()), (form, text, others) => {
        expect(maskedWords([...form(text), ...others]).join(' ')).not.toContain(text);
      }),
    );
  });

  it('never throws, and keeps the number of words', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
        expect(maskedWords(words)).toHaveLength(words.length);
        expect(shownCommandLine(words).length).toBeLessThanOrEqual(1024);
      }),
    );
  });

  it('does not go down into quotes without end', () => {
    // However many of the outer quotes are taken off, what is left is one quoted word.
    const quotes = '"'.repeat(2 ** 16);
    const word = `${quotes}' x '${quotes}`;
    expect(maskedWords([word])).toEqual([word]);
  });

  // In time that grows with the square of the length, a mebibyte would outlast the limit of a test by hours.
  it.each([
    'a',
    '=',
    'a=',
    ':',
    '://',
    ':@',
    '@',
    '"',
    "'",
    "'a ",
    '"\'',
    ' ',
    '\n',
    'token=',
    '?token=a&',
    'token:',
    '"token":',
    'password: ',
    'bearer ',
    '-',
    '--token ',
    'http://a:b@',
    '\ud800',
  ])('takes a mebibyte of %j', (garbage) => {
    const word = garbage.repeat(2 ** 20 / garbage.length);
    expect(shownCommandLine([word]).length).toBeLessThanOrEqual(1024);
    expect(shownCommandLine(word.split('').slice(0, 2 ** 16))).toBeDefined();
  });
});
