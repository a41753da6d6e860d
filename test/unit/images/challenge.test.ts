import { describe, expect, it } from 'vitest';
import { readChallenge } from '../../../src/images/challenge.ts';

function read(header: string | undefined) {
  const challenge = readChallenge(header);
  return challenge && { scheme: challenge.scheme, ...Object.fromEntries(challenge.parameters) };
}

describe('readChallenge', () => {
  it.each([
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/redis:pull"',
      {
        scheme: 'bearer',
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:library/redis:pull',
      },
    ],
    [
      'bearer REALM="https://a/t" , service=plain',
      { scheme: 'bearer', realm: 'https://a/t', service: 'plain' },
    ],
    ['Basic realm="Registry Realm"', { scheme: 'basic', realm: 'Registry Realm' }],
    ['Basic', { scheme: 'basic' }],
    ['Basic realm="a", Bearer realm="https://b"', { scheme: 'bearer', realm: 'https://b' }],
    [
      'Bearer realm="https://b",error="insufficient_scope", Basic realm="a"',
      { scheme: 'bearer', realm: 'https://b', error: 'insufficient_scope' },
    ],
    ['Negotiate, Basic realm=x', { scheme: 'basic', realm: 'x' }],
    [
      'Bearer realm="a \\"quoted\\" word, with a comma",service="s"',
      { scheme: 'bearer', realm: 'a "quoted" word, with a comma', service: 's' },
    ],
    ['Bearer realm="https://a/t?x=1&y=2"', { scheme: 'bearer', realm: 'https://a/t?x=1&y=2' }],
  ])('reads %s', (header, expected) => {
    expect(read(header)).toEqual(expected);
  });

  it.each([undefined, '', 'Digest realm="a"', '"', ',,,', '= =', `Bearer realm="${'a'.repeat(10_000)}"`])(
    'finds none in %j',
    (header) => {
      expect(read(header)).toBeNull();
    },
  );
});
