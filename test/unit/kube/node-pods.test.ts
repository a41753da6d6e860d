import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { followNodePods, type NodePods } from '../../../src/kube/follow-node-pods.ts';
import { listNodePods } from '../../../src/kube/node-pods.ts';
import type { Clock } from '../../../src/kube/pace.ts';
import { answering, type Behaviour, failing, resetting, silent } from '../../support/fake-api-server.ts';
import { json, refusing, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

let server: ScriptedServer;
beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const podsOf = (...names: readonly string[]) =>
  json({ metadata: { resourceVersion: '100' }, items: names.map((name) => podOf(name)) });
const podOf = (name: string, resourceVersion = '1') => ({
  metadata: { name, uid: `uid-${name.slice(0, 1)}`, resourceVersion },
});
const nameOf = (pod: object): string | null => {
  const metadata: unknown = Reflect.get(pod, 'metadata');
  const name: unknown =
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'name') : null;
  return typeof name === 'string' ? name : null;
};

describe('listNodePods', () => {
  it('asks for the pods of one node, from the memory of the API server', async () => {
    const items = [{ metadata: { name: 'a' } }, { metadata: {} }, { metadata: { name: 'b' } }];
    server.answer(() => json({ metadata: { resourceVersion: '100' }, items }));
    expect(await listNodePods(server.api, 'n1', nameOf)).toEqual({ pods: ['a', 'b'], version: '100' });
    const [asked] = server.asked;
    expect(asked?.path).toBe('/api/v1/pods');
    expect(Object.fromEntries(asked?.query ?? [])).toEqual({
      fieldSelector: 'spec.nodeName=n1',
      resourceVersion: '0',
    });
  });

  it('takes no name for more than a name', async () => {
    server.answer(() => podsOf());
    await listNodePods(server.api, 'n1,metadata.namespace=kube-system', nameOf);
    expect(server.asked[0]?.query.get('fieldSelector')).toBe(
      'spec.nodeName=n1\\,metadata.namespace\\=kube-system',
    );
  });
});

/** A clock that stands still, also while somebody sleeps, until the test lets the time pass. */
function steppedClock(random: number) {
  let now = 0;
  let begun: ((ms: number) => void) | null = null;
  let wake: () => void = () => {};
  const sleeps: number[] = [];
  const clock: Clock = {
    now: () => now,
    random: () => random,
    sleep(ms, signal) {
      sleeps.push(ms);
      begun?.(ms);
      return new Promise((resolve) => {
        wake = () => {
          now += ms;
          resolve();
        };
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    },
  };
  return {
    clock,
    sleeps,
    /** Resolves with the length of the next sleep, when it begins. */
    nextSleep: () =>
      new Promise<number>((resolve) => {
        begun = resolve;
      }),
    /** Ends the sleep: its time has passed. */
    wake: () => wake(),
    pass(ms: number) {
      now += ms;
    },
  };
}

/** The watch that is open, as the server sees it. */
class OpenWatch {
  #response: ServerResponse | null = null;

  readonly behaviour: Behaviour = (_request, response) => {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
  };

  send(type: string, object: object): void {
    this.write(`${JSON.stringify({ type, object })}\n`);
  }

  write(text: string): void {
    this.#response?.write(text);
  }

  end(): void {
    this.#response?.end();
  }

  cut(): void {
    this.#response?.destroy();
  }
}

const following: NodePods[] = [];
afterEach(async () => {
  for (const pods of following.splice(0)) await pods.stop();
});

/** Follows pods; `heard` resolves with what is told next. */
function follow(random = 0) {
  const time = steppedClock(random);
  const told: string[] = [];
  const waiting = new Set<(what: string) => void>();
  const tell = (what: string) => {
    told.push(what);
    for (const resolve of waiting) resolve(what);
    waiting.clear();
  };
  const pods = followNodePods(server.api, 'n1', {
    read: nameOf,
    onPods: (names) => tell(`pods ${[...names].join(' ')}`),
    onAnswer: () => tell('answered'),
    onFailure: tell,
    clock: time.clock,
  });
  following.push(pods);
  const heard = () => new Promise<string>((resolve) => void waiting.add(resolve));
  const when = async (isSo: () => boolean) => {
    while (!isSo()) await heard();
  };
  return { pods, time, told, heard, when };
}

/** Answers lists and watches, each as told. */
function answer(list: Behaviour, watch: Behaviour): void {
  server.answer(({ query }) => (query.has('watch') ? watch : list));
}

/** Follows pods until a watch is open. */
async function followWatching(watch: OpenWatch) {
  answer(podsOf('a'), watch.behaviour);
  const followed = follow();
  await followed.when(() => followed.told.length === 3);
  expect(followed.told).toEqual(['pods a', 'answered', 'answered']);
  followed.told.length = 0;
  return followed;
}

const versionsAsked = () =>
  server.asked.map(({ query }) => `${query.has('watch') ? 'watch' : 'list'} ${query.get('resourceVersion')}`);

const minutes = 60_000;

describe('followNodePods', () => {
  it('lists once, and watches from there', async () => {
    await followWatching(new OpenWatch());
    expect(versionsAsked()).toEqual(['list 0', 'watch 100']);
    const { path, query } = server.asked[1] ?? {};
    expect([path, Object.fromEntries(query ?? [])]).toEqual([
      '/api/v1/pods',
      {
        fieldSelector: 'spec.nodeName=n1',
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: '100',
        timeoutSeconds: '270',
      },
    ]);
  });

  it('knows of a pod that comes, changes or goes as soon as it is told', async () => {
    const watch = new OpenWatch();
    const { heard } = await followWatching(watch);
    watch.send('ADDED', podOf('b'));
    expect(await heard()).toBe('pods a b');
    watch.send('MODIFIED', podOf('b2'));
    expect(await heard()).toBe('pods a b2');
    watch.send('DELETED', podOf('a'));
    expect(await heard()).toBe('pods b2');
  });

  it('takes a pod that can no longer be read out of those that it knows', async () => {
    const watch = new OpenWatch();
    const { heard } = await followWatching(watch);
    watch.send('MODIFIED', { metadata: { uid: 'uid-a', name: 7, resourceVersion: '2' } });
    expect(await heard()).toBe('pods ');
  });

  it('takes a watch up where the last event or bookmark was, when the server ends it', async () => {
    const watch = new OpenWatch();
    const { heard, time, told } = await followWatching(watch);
    watch.send('ADDED', podOf('b', '101'));
    await heard();
    watch.send('BOOKMARK', { metadata: { resourceVersion: '150' } });
    time.pass(4.5 * minutes);
    const again = server.next();
    watch.end();
    await again;
    expect(versionsAsked()).toEqual(['list 0', 'watch 100', 'watch 150']);
    await heard();
    expect([told, time.sleeps]).toEqual([['pods a b', 'answered'], []]);
  });

  it('does not ask at once again where a watch ends at once', async () => {
    const watch = new OpenWatch();
    const { time, told } = await followWatching(watch);
    const sleep = time.nextSleep();
    watch.end();
    expect(await sleep).toBe(1000);
    expect(told).toEqual([]);
    answer(failing(500), (_request, response) => void response.writeHead(200).end());
    const longer = time.nextSleep();
    time.wake();
    expect(await longer).toBe(2000);
  });

  it('takes it up also after the connection broke, in the middle of an event', async () => {
    const watch = new OpenWatch();
    const { heard, time, told } = await followWatching(watch);
    watch.send('ADDED', podOf('b', '101'));
    await heard();
    watch.write('{"type":"ADDED","object":{"metada');
    const sleep = time.nextSleep();
    watch.cut();
    expect(await sleep).toBe(1000);
    expect(told.at(-1)).toMatch(/^the pods of node n1 cannot be listed: no answer from https:.*aborted$/);
    const answered = heard();
    time.wake();
    expect(await answered).toBe('answered');
    expect(versionsAsked().at(-1)).toBe('watch 101');
  });

  it.each<[string, (watch: OpenWatch) => void]>([
    ['an event says so', (watch) => watch.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' })],
    [
      'the next watch is refused',
      (watch) => {
        answer(podsOf('c'), failing(410));
        watch.end();
      },
    ],
  ])('lists again, and says nothing, where its version is too old: %s', async (_, expire) => {
    const watch = new OpenWatch();
    const { heard, time, told } = await followWatching(watch);
    time.pass(4.5 * minutes);
    const sleep = time.nextSleep();
    expire(watch);
    expect(await sleep).toBe(1000);
    expect(told).toEqual([]);
    answer(podsOf('c'), new OpenWatch().behaviour);
    const changed = heard();
    time.wake();
    expect(await changed).toBe('pods c');
    expect(versionsAsked().at(-1)).toBe('list 0');
  });

  it.each<[string, (watch: OpenWatch) => void, RegExp]>([
    [
      'an error',
      (watch) => watch.send('ERROR', { code: 500, message: 'etcd is gone' }),
      /HTTP 500 .*etcd is gone$/,
    ],
    ['an event ERROR of nothing', (watch) => watch.send('ERROR', {}), /HTTP 500/],
    ['HTML', (watch) => watch.write('<html>\n'), /a watch sends what is no event: <html>$/],
    ['a list', (watch) => watch.write('[]\n'), /a watch sends what is no event: \[\]$/],
    ['a line without end', (watch) => watch.write('x'.repeat(9 << 20)), /has more than 8388608 bytes$/],
  ])('survives %s in a watch: it says so, waits and goes on', async (_, send, message) => {
    const watch = new OpenWatch();
    const { heard, time, told } = await followWatching(watch);
    const sleep = time.nextSleep();
    send(watch);
    expect(await sleep).toBe(1000);
    expect(told.at(-1)).toMatch(message);
    const next = heard();
    time.wake();
    expect(await next).toMatch(/^(pods a|answered)$/);
  });

  it('passes over an event without an object', async () => {
    const watch = new OpenWatch();
    const { when, told } = await followWatching(watch);
    watch.write('{}\n{"type":"ADDED"}\n{"type":"ADDED","object":[]}\n');
    watch.send('ADDED', podOf('b'));
    await when(() => told.at(-1) === 'pods a b');
  });

  it.each<[string, Behaviour, RegExp]>([
    ['401', failing(401), /HTTP 401 for \/api\/v1\/pods\?fieldSelector.*: told to fail with 401$/],
    ['403', failing(403), /HTTP 403/],
    ['410', failing(410), /HTTP 410/],
    ['429', refusing(429), /HTTP 429/],
    ['500', failing(500), /HTTP 500/],
    ['a reset', resetting, /no answer from https:.*socket hang up$/],
    ['HTML', answering('<html>'), /not answered in JSON: <html>$/],
    ['half a list', answering('{"items":[{"metadata":{"name":"x"}},'), /not answered in JSON/],
    ['an object', json({ kind: 'Status' }), /not answered with a list$/],
    ['a list without a version', json({ items: [] }), /has no version to watch from$/],
  ])('survives %s in place of the list: it says so, waits and goes on', async (_, behaviour, message) => {
    const watch = new OpenWatch();
    answer(behaviour, watch.behaviour);
    const { time, told, heard } = follow();
    expect(await time.nextSleep()).toBe(1000);
    expect(told.at(-1)).toMatch(/^the pods of node n1 cannot be listed: /);
    expect(told.at(-1)).toMatch(message);
    answer(podsOf('b'), watch.behaviour);
    const next = heard();
    time.wake();
    expect(await next).toBe('pods b');
  });

  it('says so where it may list, but not watch, and keeps what it listed', async () => {
    answer(podsOf('a'), failing(403));
    const { time, told } = follow();
    await time.nextSleep();
    expect(told).toEqual(['pods a', 'answered', expect.stringMatching(/HTTP 403 .*watch=true/)]);
    const sleep = time.nextSleep();
    time.wake();
    await sleep;
    expect(versionsAsked()).toEqual(['list 0', 'watch 100', 'list 0', 'watch 100']);
  });

  it('waits longer after each failure, up to two minutes, and begins anew after a success', async () => {
    server.answer(() => failing(500));
    const { time, told, when } = follow();
    const waits = [await time.nextSleep()];
    const again = async () => {
      const sleep = time.nextSleep();
      time.wake();
      return await sleep;
    };
    for (let i = 0; i < 8; i += 1) waits.push(await again());
    expect(waits.map((ms) => ms / 1000)).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120]);
    const watch = new OpenWatch();
    answer(podsOf(), watch.behaviour);
    time.wake();
    await when(() => told.filter((what) => what === 'answered').length === 2);
    time.pass(minutes);
    const sleep = time.nextSleep();
    watch.cut();
    expect(await sleep).toBe(1000);
  });

  it.each([
    ['90', 90_000],
    ['0', 1000],
    ['86400', 10 * minutes],
  ])('waits as long as the API server asks for: %s s', async (seconds, ms) => {
    server.answer(() => refusing(429, { 'retry-after': seconds }));
    expect(await follow().time.nextSleep()).toBe(ms);
  });

  it.each(['list', 'watch'])('ends the %s under way when it is stopped, and says no more', async (kind) => {
    answer(kind === 'list' ? silent : podsOf(), silent);
    const { pods, told } = follow();
    while (!versionsAsked().at(-1)?.startsWith(kind)) await server.next();
    const before = [...told];
    await pods.stop();
    await pods.stop();
    expect(told).toEqual(before);
  });

  it('stops while it waits', async () => {
    server.answer(() => failing(500));
    const { pods, time } = follow();
    await time.nextSleep();
    await pods.stop();
    expect(server.asked).toHaveLength(1);
  });
});
