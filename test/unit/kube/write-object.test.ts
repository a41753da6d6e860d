import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { applyObject, deleteObject } from '../../../src/kube/write-object.ts';
import { failing } from '../../support/fake-api-server.ts';
import { json, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

let server: ScriptedServer;
beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

it.each([true, false])('applies on the server, as gravekeeper, with force: %s', async (force) => {
  server.answer(() => json({ applied: true }));
  const answer = await applyObject(server.api, '/apis/x/v1/things/a', { kind: 'Thing' }, force);
  expect(answer).toMatchObject({ status: 200, body: { applied: true } });
  const [asked] = server.asked;
  expect(asked).toMatchObject({ method: 'PATCH', path: '/apis/x/v1/things/a' });
  expect(asked?.query.toString()).toBe(`fieldManager=gravekeeper&force=${force}`);
  expect(asked?.headers['content-type']).toBe('application/apply-patch+yaml');
  expect(JSON.parse(asked?.body ?? '')).toEqual({ kind: 'Thing' });
});

it('deletes the version that was seen and no other', async () => {
  server.answer(() => failing(409));
  const answer = await deleteObject(server.api, '/x', { uid: 'u', resourceVersion: '7' });
  expect(answer.status).toBe(409);
  const [asked] = server.asked;
  expect(asked?.method).toBe('DELETE');
  expect(JSON.parse(asked?.body ?? '')).toMatchObject({
    kind: 'DeleteOptions',
    preconditions: { uid: 'u', resourceVersion: '7' },
  });
});
