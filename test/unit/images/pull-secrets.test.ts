import { describe, expect, it } from 'vitest';
import { credentialsFor, type PullSecret } from '../../../src/images/pull-secrets.ts';

type Entries = Readonly<Record<string, object | null>>;

const base64 = (text: string) => Buffer.from(text).toString('base64');

function dockerConfigJson(text: string): PullSecret {
  return { type: 'kubernetes.io/dockerconfigjson', data: new Map([['.dockerconfigjson', text]]) };
}

function dockercfg(entries: Entries): PullSecret {
  return { type: 'kubernetes.io/dockercfg', data: new Map([['.dockercfg', JSON.stringify(entries)]]) };
}

function auths(entries: Entries): PullSecret {
  return dockerConfigJson(JSON.stringify({ auths: entries }));
}

/** An entry whose user is its own location, so that one sees which of them were taken. */
function named(...locations: string[]): PullSecret {
  return auths(
    Object.fromEntries(locations.map((location) => [location, { username: location, password: 'p' }])),
  );
}

function usersFor(secrets: readonly PullSecret[], name: string): string[] {
  return credentialsFor(secrets, name).map(({ username }) => username);
}

describe('credentialsFor', () => {
  it.each([
    ['registry.example', 'registry.example/a'],
    ['https://registry.example', 'registry.example/a'],
    ['http://registry.example', 'registry.example/a'],
    ['registry.example/', 'registry.example/a'],
    ['https://registry.example/v1/', 'registry.example/a'],
    ['https://registry.example/v2/', 'registry.example/a'],
    ['registry.example/v2/team', 'registry.example/team/a'],
    ['registry.example/team', 'registry.example/team/a'],
    ['registry.example/te', 'registry.example/team/a'],
    ['registry.example:5000', 'registry.example:5000/a'],
    ['*.example', 'registry.example/a'],
    ['*.dkr.ecr.*.amazonaws.com', '1.dkr.ecr.eu-west-1.amazonaws.com/a'],
    ['reg*.example', 'registry.example/a'],
    ['user@registry.example', 'registry.example/a'],
    ['docker.io', 'docker.io/library/redis'],
    ['*.io', 'docker.io/library/redis'],
    ['index.docker.io', 'docker.io/library/redis'],
    ['https://index.docker.io/v1/', 'docker.io/library/redis'],
    ['https://index.docker.io/v2/', 'docker.io/library/redis'],
    ['10.0.0.1:5000', '10.0.0.1:5000/a'],
    ['[::1]:5000', '[::1]:5000/a'],
  ])('takes %s for %s', (location, name) => {
    expect(usersFor([named(location)], name)).toEqual([location]);
  });

  it.each([
    ['registry.example', 'registry.example:5000/a'],
    ['registry.example:443', 'registry.example/a'],
    ['registry.example:5000', 'registry.example/a'],
    ['*.example', 'a.registry.example/a'],
    ['*.example', 'example/a'],
    ['*', 'registry.example/a'],
    ['registry.example/team', 'registry.example/other/a'],
    ['registry.example/v1', 'registry.example/a'],
    ['Registry.example', 'registry.example/a'],
    ['registry.example/*/a', 'registry.example/team/a'],
    ['*.example:*', 'registry.example:5000/a'],
    ['registry.*', 'docker.io/library/redis'],
    ['https://index.docker.io/v1', 'docker.io/library/redis'],
    ['index.docker.io', 'registry.example/a'],
    ['registry.example:port', 'registry.example/a'],
    ['reg[istry.example', 'registry.example/a'],
    ['regist?y.example', 'registry.example/a'],
    ['', 'registry.example/a'],
    ['https://https://registry.example', 'registry.example/a'],
  ])('does not take %s for %s', (location, name) => {
    expect(usersFor([named(location)], name)).toEqual([]);
  });

  it('tries the more specific keys first, in reverse order of their text', () => {
    const secret = named(
      '*.example',
      'registry.example',
      'registry.example/team',
      'registry.example/team/app',
    );
    expect(usersFor([secret], 'registry.example/team/app')).toEqual([
      'registry.example/team/app',
      'registry.example/team',
      'registry.example',
      '*.example',
    ]);
  });

  it('tries the credentials of one key in the order of the secrets', () => {
    const first = auths({ 'registry.example': { username: 'first', password: '' } });
    const second = dockercfg({ 'https://registry.example/v2/': { username: 'second', password: '' } });
    expect(usersFor([first, second], 'registry.example/a')).toEqual(['first', 'second']);
    expect(usersFor([second, first], 'registry.example/a')).toEqual(['second', 'first']);
  });

  it('takes what stands under docker.io before what stands under index.docker.io', () => {
    expect(usersFor([named('index.docker.io', 'docker.io')], 'docker.io/library/redis')).toEqual([
      'docker.io',
    ]);
  });

  it('lets auth beat user name and password, and keeps colons of the password', () => {
    const secret = auths({ r: { username: 'u', password: 'p', auth: base64('robot$x:a:b') } });
    expect(credentialsFor([secret], 'r/a')).toEqual([{ username: 'robot$x', password: 'a:b' }]);
  });

  it('lets an empty auth not beat anything', () => {
    const secret = auths({ r: { username: 'u', password: 'p', auth: '' } });
    expect(credentialsFor([secret], 'r/a')).toEqual([{ username: 'u', password: 'p' }]);
  });

  it('reads auth without its padding', () => {
    const secret = auths({ r: { auth: base64('user:pass').replace(/=+$/, '') } });
    expect(credentialsFor([secret], 'r/a')).toEqual([{ username: 'user', password: 'pass' }]);
  });

  it('reads the flat format', () => {
    expect(
      usersFor([dockercfg({ 'registry.example': { auth: base64('u:p') } })], 'registry.example/a'),
    ).toEqual(['u']);
  });

  it('reads names of members in any case, as Go does', () => {
    const secret = dockerConfigJson(JSON.stringify({ Auths: { r: { UserName: 'u', PASSWORD: 'p' } } }));
    expect(credentialsFor([secret], 'r/a')).toEqual([{ username: 'u', password: 'p' }]);
  });

  it.each([
    ['no JSON', dockerConfigJson('{"auths":')],
    ['a list', dockerConfigJson('[]')],
    ['no auths', dockerConfigJson('{}')],
    ['an auth that is no base64', auths({ 'registry.example': { auth: '!' } })],
    ['an auth without a colon', auths({ 'registry.example': { auth: base64('user') } })],
    ['a user that is a number', auths({ 'registry.example': { username: 1 } })],
    [
      'the flat format under the name of the other',
      dockerConfigJson('{"registry.example": {"username": "u"}}'),
    ],
    [
      'another type of secret',
      { type: 'Opaque', data: new Map([['.dockerconfigjson', '{"auths":{"registry.example":{}}}']]) },
    ],
    ['nothing at all', { type: 'kubernetes.io/dockerconfigjson', data: new Map() }],
  ] satisfies [string, PullSecret][])(
    'passes over a secret with %s, and reads the next one',
    (_title, secret) => {
      expect(usersFor([secret, named('registry.example')], 'registry.example/a')).toEqual([
        'registry.example',
      ]);
    },
  );

  it('takes no time for a pattern that was made to take for ever', () => {
    const location = `${'*a'.repeat(500)}b.example`;
    expect(usersFor([named(location)], `${'a'.repeat(5_000)}.example/a`)).toEqual([]);
  });
});
