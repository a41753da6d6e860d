import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../../src/kube/api-server.ts';
import { readAccountPullSecrets, readPullSecret } from '../../../src/kube/secrets.ts';
import { json, refusing, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

let server: ScriptedServer;
beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const type = 'kubernetes.io/dockerconfigjson';
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('readPullSecret', () => {
  it('reads type and values', async () => {
    server.answer(() => json({ type, data: { '.dockerconfigjson': base64('{"auths":{}}') } }));
    expect(await readPullSecret(server.api, 'shop', 'pull')).toEqual({
      type,
      data: new Map([['.dockerconfigjson', '{"auths":{}}']]),
    });
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /api/v1/namespaces/shop/secrets/pull',
    ]);
  });

  it('finds none where there is none', async () => {
    server.answer(() => refusing(404));
    expect(await readPullSecret(server.api, 'shop', 'pull')).toBeNull();
  });

  it('says that it may not', async () => {
    server.answer(() => refusing(403, {}, 'secrets is forbidden'));
    await expect(readPullSecret(server.api, 'shop', 'pull')).rejects.toThrow(ApiError);
  });

  it.each([
    [{}, { type: '', data: new Map() }],
    [
      { type: 7, data: [] },
      { type: '', data: new Map() },
    ],
    [
      { type, data: { a: 1, b: base64('B') } },
      { type, data: new Map([['b', 'B']]) },
    ],
    [[], null],
  ])('reads %j as far as it can', async (body, expected) => {
    server.answer(() => json(body));
    expect(await readPullSecret(server.api, 'shop', 'pull')).toEqual(expected);
  });
});

describe('readAccountPullSecrets', () => {
  it('reads the field as it stands', async () => {
    server.answer(() => json({ imagePullSecrets: [{ name: 'pull' }], secrets: [{ name: 'other' }] }));
    expect(await readAccountPullSecrets(server.api, 'shop', 'builder')).toEqual([{ name: 'pull' }]);
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /api/v1/namespaces/shop/serviceaccounts/builder',
    ]);
  });

  it.each([[{}], [[]], ['text']])('finds nothing in %j', async (body) => {
    server.answer(() => json(body));
    expect(await readAccountPullSecrets(server.api, 'shop', 'builder')).toBeUndefined();
  });

  it('finds nothing where there is no such account, and says that it may not', async () => {
    server.answer(() => refusing(404));
    expect(await readAccountPullSecrets(server.api, 'shop', 'builder')).toBeUndefined();
    server.answer(() => refusing(403));
    await expect(readAccountPullSecrets(server.api, 'shop', 'builder')).rejects.toThrow(ApiError);
  });
});
