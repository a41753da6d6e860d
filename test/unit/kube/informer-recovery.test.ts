import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Namespaces } from '../../../src/kube/namespaces.ts';
import {
  answering,
  type Behaviour,
  type FakeApiServer,
  failing,
  goneEvent,
  resetting,
  sending,
  silent,
  startFakeApiServer,
} from '../../support/fake-api-server.ts';
import { configOf, follow, knows, labels } from './harness.ts';

let api: FakeApiServer;
const following: Namespaces[] = [];

beforeEach(async () => {
  api = await startFakeApiServer();
  api.set('shop', { inject: 'auto' });
});
afterEach(async () => {
  for (const namespaces of following.splice(0)) await namespaces.stop();
  await api.close();
});

function start(config = configOf(api.kubeconfig)) {
  const followed = follow(config);
  following.push(followed.namespaces);
  return followed;
}

const event = (type: string, object: unknown) => JSON.stringify({ type, object });

describe('recovery', () => {
  it.each<[string, readonly Behaviour[], RegExp]>([
    ['a 500', [failing(500)], /^HTTP 500 for \/api\/v1\/namespaces: told to fail with 500$/],
    ['a 401 and a 403', [failing(401), failing(403)], /^HTTP 401 /],
    ['a 410', [failing(410)], /^HTTP 410 /],
    ['a 429', [failing(429)], /^HTTP 429 /],
    ['a reset', [resetting, resetting], /^no answer from https:.* socket hang up$/],
    ['HTML', [answering('<html>a proxy</html>')], /is not answered in JSON: <html>/],
    ['half a list', [answering('{"items": [{"metadata"')], /is not answered in JSON/],
    ['an object that is no list', [answering('{"kind": "Status"}')], /is not answered with a list/],
  ])('of a list, from %s', async (_, behaviours, detail) => {
    api.script('list', behaviours);
    const { namespaces, listed, restarts, waits } = start();
    await listed();
    await knows(namespaces, 'shop', { inject: 'auto' });
    expect(restarts).toHaveLength(behaviours.length);
    expect(restarts[0]).toEqual({ cause: 'error', detail: expect.stringMatching(detail) });
    expect(waits).toEqual([1000, 2000].slice(0, behaviours.length));
    expect(api.count('list')).toBe(behaviours.length + 1);
  });

  it.each<[string, Behaviour, number]>([
    ['a 500', failing(500), 2],
    ['a 403', failing(403), 2],
    ['a 410', failing(410), 2],
    ['an event that says 410', sending(goneEvent), 2],
    ['a reset', resetting, 2],
    ['an event without metadata', sending(event('MODIFIED', {})), 2],
    ['an event without an object', sending(event('ADDED', null)), 2],
    ['an error without an object', sending(event('ERROR', null)), 2],
    ['an end at once', sending(), 1],
    ['lines that are no JSON', sending('<html>', '{"type": "MOD'), 1],
    ['an event without a version', sending(event('ADDED', { metadata: { name: 'x' } })), 2],
    ['an event of an unknown type', sending(event('SHRUGGED', { metadata: {} })), 2],
    ['an error that the server has', sending(event('ERROR', { code: 500, message: 'etcd' })), 1],
  ])('of a watch, from %s', async (_, behaviour, lists) => {
    api.script('watch', [behaviour]);
    const { namespaces, waits } = start();
    await api.next('watch');
    await api.next('watch');
    await vi.waitFor(() => {
      api.set('shop', { inject: 'tini' });
      expect(namespaces.labelsOf('shop')).toEqual(labels({ inject: 'tini' }));
    }, 10_000);
    expect([api.count('list'), api.count('watch')]).toEqual([lists, 2]);
    expect(waits).toEqual([1000]);
  });

  it('of a watch, from credentials that cannot be read', async () => {
    const config = configOf(api.kubeconfig);
    let reads = 0;
    config.addAuthenticator({
      isAuthProvider: (user) => user.authProvider?.name === 'flaky',
      async applyAuthentication(_user, options) {
        reads += 1;
        if (reads === 2) throw new Error('ENOENT: the token is being renewed');
        options.headers = { ...options.headers, Authorization: 'Bearer the-token' };
      },
    });
    config.users = [{ name: 'fake', authProvider: { name: 'flaky' } }];
    const { restarts, restarting } = start(config);
    const watching = api.next('watch');
    await restarting();
    expect(restarts).toEqual([{ cause: 'error', detail: 'ENOENT: the token is being renewed' }]);
    await watching;
  });

  it('says what was wrong with an event', async () => {
    api.script('watch', [sending(event('MODIFIED', { metadata: { name: 'shop' } }))]);
    const { restarts, restarting } = start();
    await restarting();
    expect(restarts).toEqual([
      { cause: 'error', detail: 'the API server sent an event MODIFIED without an object or its version' },
    ]);
  });

  it('from a connection that is cut in the middle', async () => {
    const { namespaces, listed, restarting } = start();
    const watching = api.next('watch');
    await listed();
    await watching;
    const restarted = restarting();
    const again = api.next('watch');
    api.cut();
    await restarted;
    expect(namespaces.labelsOf('shop')).toEqual(labels({ inject: 'auto' }));
    await again;
    api.set('shop', { inject: 'none' });
    await knows(namespaces, 'shop', { inject: 'none' });
  });

  it.each<['list' | 'watch', string]>([
    ['list', 'no list is ever answered'],
    ['watch', 'no watch is ever answered'],
  ])('when %s hangs: it starts anew after five minutes', async (kind) => {
    api.script(kind, [silent]);
    const { namespaces, elapse, restarting } = start();
    await api.next(kind);
    api.setUnheard('shop', { inject: 'tini' });
    const restarted = restarting();
    elapse();
    await restarted;
    await knows(namespaces, 'shop', { inject: 'tini' });
  });

  it('when a watch has gone silent: it lists anew after five minutes, and drops what is gone', async () => {
    api.set('bank', {});
    const { namespaces, elapse, restarts, listed, waits } = start();
    const watching = api.next('watch');
    await listed();
    await watching;
    api.setUnheard('shop', { inject: 'share-pid' });
    api.deleteUnheard('bank');
    api.always('watch', silent);
    const relisted = listed();
    elapse();
    await relisted;
    await knows(namespaces, 'shop', { inject: 'share-pid' });
    expect(namespaces.labelsOf('bank')).toBeNull();
    expect(restarts).toEqual([{ cause: 'relist', detail: null }]);
    expect(waits).toEqual([]);
  });
});

describe('restraint', () => {
  it.each<[string, 'list' | 'watch', Behaviour]>([
    ['every list fails', 'list', failing(500)],
    ['every list is forbidden', 'list', failing(403)],
    ['every list is reset', 'list', resetting],
    ['every watch says 410', 'watch', failing(410)],
    ['every watch has an event that says 410', 'watch', sending(goneEvent)],
    [
      'every watch brings news and then says 410',
      'watch',
      sending(event('ADDED', { metadata: { name: 'x', resourceVersion: '9' } }), goneEvent),
    ],
    [
      'every watch brings news and ends',
      'watch',
      sending(event('ADDED', { metadata: { name: 'x', resourceVersion: '9' } })),
    ],
    ['every watch is reset', 'watch', resetting],
    ['every watch sends nonsense', 'watch', sending(event('ADDED', 'nonsense'))],
  ])('waits longer and longer where %s', async (_, kind, behaviour) => {
    api.always(kind, behaviour);
    const { namespaces, waits } = start();
    while (waits.length < 8) await api.next(kind);
    await namespaces.stop();
    expect(waits.slice(0, 8)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    for (const asked of ['list', 'watch'] as const)
      expect(api.count(asked)).toBeLessThanOrEqual(waits.length + 1);
  });

  it('asks nothing more once it was stopped', async () => {
    const { namespaces, elapse, listed } = start();
    const watching = api.next('watch');
    await listed();
    await watching;
    await namespaces.stop();
    elapse();
    const before = api.requests.length;
    api.cut();
    await expect(namespaces.refresh('shop')).rejects.toThrow();
    expect(api.requests).toHaveLength(before);
    expect(namespaces.labelsOf('shop')).toEqual(labels({ inject: 'auto' }));
  });
});
