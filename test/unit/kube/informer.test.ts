import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Namespaces } from '../../../src/kube/namespaces.ts';
import {
  answering,
  type FakeApiServer,
  failing,
  resetting,
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

describe('followNamespaces', () => {
  it('lists, is synced, and follows what changes', async () => {
    const { namespaces, listed } = start();
    expect(namespaces.synced()).toBe(false);
    expect(namespaces.labelsOf('shop')).toBeNull();
    const watching = api.next('watch');
    expect(await listed()).toEqual([1]);
    expect(namespaces.synced()).toBe(true);
    expect(namespaces.labelsOf('shop')).toEqual(labels({ inject: 'auto' }));
    await watching;
    api.set('shop', { inject: 'tini' });
    api.set('bank', {});
    await knows(namespaces, 'shop', { inject: 'tini' });
    await knows(namespaces, 'bank', {});
    api.delete('shop');
    await knows(namespaces, 'shop', null);
    expect([api.count('list'), api.count('watch')]).toEqual([1, 1]);
    expect(api.requests[1]?.query.get('allowWatchBookmarks')).toBe('true');
  });

  it('goes on from the last bookmark when the server ends the watch', async () => {
    const { namespaces, listed } = start();
    const watching = api.next('watch');
    await listed();
    await watching;
    api.send(
      JSON.stringify({
        type: 'BOOKMARK',
        object: { kind: 'Namespace', metadata: { resourceVersion: '77' } },
      }),
    );
    const again = api.next('watch');
    api.endWatches();
    await again;
    expect(api.requests.at(-1)?.query.get('resourceVersion')).toBe('77');
    api.set('shop', { inject: 'none' });
    await knows(namespaces, 'shop', { inject: 'none' });
    expect(api.count('list')).toBe(1);
  });
});

describe('refresh', () => {
  const ready = async () => {
    const followed = start();
    const watching = api.next('watch');
    await followed.listed();
    await watching;
    return followed.namespaces;
  };

  it('reads one namespace, once for all who ask meanwhile', async () => {
    const namespaces = await ready();
    api.setUnheard('shop', { inject: 'tini' });
    const answers = await Promise.all([1, 2, 3].map(() => namespaces.refresh('shop')));
    for (const answer of answers) expect(answer).toEqual(labels({ inject: 'tini' }));
    expect(namespaces.labelsOf('shop')).toEqual(labels({ inject: 'tini' }));
    expect(api.count('get')).toBe(1);
    await namespaces.refresh('shop');
    expect(api.count('get')).toBe(2);
  });

  it('learns of a namespace that is new, and of one that is gone', async () => {
    const namespaces = await ready();
    api.setUnheard('new', { a: 'b' });
    expect(await namespaces.refresh('new')).toEqual(labels({ a: 'b' }));
    expect(await namespaces.refresh('../pods')).toBeNull();
    api.script('get', [failing(404)]);
    expect(await namespaces.refresh('shop')).toBeNull();
    expect(namespaces.labelsOf('shop')).toBeNull();
  });

  it('fails in words, and leaves what is known', async () => {
    const namespaces = await ready();
    api.script('get', [failing(403), resetting, answering('[]')]);
    await expect(namespaces.refresh('shop')).rejects.toThrow('the namespace shop cannot be read: HTTP 403');
    await expect(namespaces.refresh('shop')).rejects.toThrow(
      'the namespace shop cannot be read: no answer from https://127.0.0.1:',
    );
    await expect(namespaces.refresh('shop')).rejects.toThrow('is not answered with an object');
    expect(namespaces.labelsOf('shop')).toEqual(labels({ inject: 'auto' }));
  });

  it('does not put an older answer over what the watch has said meanwhile', async () => {
    const namespaces = await ready();
    const old = JSON.stringify({
      metadata: { name: 'shop', resourceVersion: '1', labels: { inject: 'old' } },
    });
    const held = Promise.withResolvers<void>();
    api.script('get', [
      (request, response) => void held.promise.then(() => answering(old)(request, response)),
    ]);
    const asked = api.next('get');
    const refresh = namespaces.refresh('shop');
    await asked;
    api.set('shop', { inject: 'new' });
    await knows(namespaces, 'shop', { inject: 'new' });
    held.resolve();
    expect(await refresh).toEqual(labels({ inject: 'old' }));
    expect(namespaces.labelsOf('shop')).toEqual(labels({ inject: 'new' }));
  });
});
