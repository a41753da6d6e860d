import { describe, expect, it } from 'vitest';
import { isDigest, parseReference, referenceText } from '../../../src/images/reference.ts';

const sha256 = `sha256:${'0123456789abcdef'.repeat(4)}`;
const sha512 = `sha512:${'0123456789abcdef'.repeat(8)}`;

describe('parseReference', () => {
  it.each([
    ['redis', 'docker.io/library/redis:latest'],
    ['redis:7', 'docker.io/library/redis:7'],
    ['a', 'docker.io/library/a:latest'],
    ['localhost', 'docker.io/library/localhost:latest'],
    ['example.com', 'docker.io/library/example.com:latest'],
    ['example.com:5000', 'docker.io/library/example.com:5000'],
    ['bitnami/redis', 'docker.io/bitnami/redis:latest'],
    ['library/redis', 'docker.io/library/redis:latest'],
    ['a/b/c', 'docker.io/a/b/c:latest'],
    ['docker.io/redis', 'docker.io/library/redis:latest'],
    ['docker.io/library/redis', 'docker.io/library/redis:latest'],
    ['index.docker.io/redis:7', 'docker.io/library/redis:7'],
    ['registry-1.docker.io/redis', 'registry-1.docker.io/redis:latest'],
    ['localhost/redis', 'localhost/redis:latest'],
    ['localhost:5000/redis:1', 'localhost:5000/redis:1'],
    ['ghcr.io/a/b/c', 'ghcr.io/a/b/c:latest'],
    ['127.0.0.1:5000/a', '127.0.0.1:5000/a:latest'],
    ['[2001:db8::1]/a', '[2001:db8::1]/a:latest'],
    ['[2001:db8::1]:5000/a/b:t', '[2001:db8::1]:5000/a/b:t'],
    ['Registry/a', 'Registry/a:latest'],
    ['REGISTRY.example/a', 'REGISTRY.example/a:latest'],
    ['xn--n3h.com/a', 'xn--n3h.com/a:latest'],
    ['a_b/c__d/e-f/g--h/i.j', 'docker.io/a_b/c__d/e-f/g--h/i.j:latest'],
    ['r.example/a:_', 'r.example/a:_'],
    ['r.example/a:V1.0-RC_1', 'r.example/a:V1.0-RC_1'],
    [`r.example/a:${'t'.repeat(128)}`, `r.example/a:${'t'.repeat(128)}`],
    [`r.example/a@${sha256}`, `r.example/a@${sha256}`],
    [`r.example/a@${sha512}`, `r.example/a@${sha512}`],
    [`redis:7@${sha256}`, `docker.io/library/redis:7@${sha256}`],
    [`r.example/${'a'.repeat(255)}`, `r.example/${'a'.repeat(255)}:latest`],
    ['x.y:00/a', 'x.y:00/a:latest'],
  ])('reads %s', (text, whole) => {
    const reference = parseReference(text);
    expect(reference && referenceText(reference)).toBe(whole);
  });

  it.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    ':7',
    '@',
    'Redis',
    'a/B',
    'r.example/A',
    'r.example/a:',
    'r.example/a:-t',
    'r.example/a:.t',
    'r.example/a:b:c',
    `r.example/a:${'t'.repeat(129)}`,
    'r.example/a:b/c',
    'r.example/a b',
    ' redis',
    'redis ',
    'redis\n',
    'a___b',
    'a..b',
    'a._b',
    '-a',
    'a-',
    '.a/b',
    '-r.example/a',
    'r-.example/a',
    'r..example/a',
    'r.example./a',
    'r.example:/a',
    'r.example:port/a',
    'user@r.example/a',
    'https://r.example/a',
    '::1/a',
    '[::1/a',
    '[fe80::1%eth0]/a',
    '[::ffff:127.0.0.1]/a',
    'größe',
    'r.example/a@sha256:',
    `r.example/a@${sha256}0`,
    `r.example/a@${sha256.slice(0, -1)}`,
    `r.example/a@${sha256.toUpperCase()}`,
    `r.example/a@md5:${'0'.repeat(32)}`,
    `r.example/a@sha256:${'A'.repeat(64)}`,
    `@${sha256}`,
    'a'.repeat(64),
    `r.example/${'a'.repeat(256)}`,
    `r.example/${'a/'.repeat(5_000)}a`,
    '$(IMAGE)',
    '.',
    '..',
    'r.example/../a',
  ])('refuses %j', (text) => {
    expect(parseReference(text)).toBeNull();
  });

  it('lets a digest stand without a tag', () => {
    expect(parseReference(`redis@${sha256}`)).toEqual({
      registry: 'docker.io',
      repository: 'library/redis',
      tag: null,
      digest: sha256,
    });
  });
});

describe('isDigest', () => {
  it.each([sha256, sha512, `sha384:${'0'.repeat(96)}`])('knows %s', (text) => {
    expect(isDigest(text)).toBe(true);
  });

  it.each(['', 'sha256', 'sha256:', `${sha256}:`, `sha1:${'0'.repeat(40)}`])('refuses %j', (text) => {
    expect(isDigest(text)).toBe(false);
  });
});
