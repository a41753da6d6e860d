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
  json({ items: names.map((name) => ({ metadata: { name } })) });
const nameOf = (pod: object): string | null => {
  const metadata: unknown = Reflect.get(pod, 'metadata');
  const name: unknown =
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'name') : null;
  return typeof name === 'string' ? name : null;
};

describe('listNodePods', () => {
  it('asks for the pods of one node, from the memory of the API server', async () => {
    server.answer(() =>
      json({ items: [{ metadata: { name: 'a' } }, { metadata: {} }, { metadata: { name: 'b' } }] }),
    );
    expect(await listNodePods(server.api, 'n1', nameOf)).toEqual(['a', 'b']);
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

/** A clock that stands still while somebody sleeps, until the test lets the time pass. */
function steppedClock(random = 0.5) {
  let now = 0;
  let slept: ((ms: number) => void) | null = null;
  const sleeps: number[] = [];
  let wake: () => void = () => {};
  const clock: Clock = {
    now: () => now,
    random: () => random,
    sleep(ms, signal) {
      sleeps.push(ms);
      slept?.(ms);
      if (signal.aborted) return Promise.resolve();
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
        slept = resolve;
      }),
    /** Ends the sleep: its time has passed. */
    wake: () => wake(),
    pass(ms: number) {
      now += ms;
    },
  };
}

const following: NodePods[] = [];
afterEach(async () => {
  for (const pods of following.splice(0)) await pods.stop();
});

function follow(random?: number) {
  const time = steppedClock(random);
  const lists: (readonly string[])[] = [];
  const failures: string[] = [];
  const firstSleep = time.nextSleep();
  const pods = followNodePods(server.api, 'n1', {
    read: nameOf,
    onListed: (names) => void lists.push(names),
    onFailure: (message) => void failures.push(message),
    clock: time.clock,
  });
  following.push(pods);
  return { pods, time, lists, failures, firstSleep };
}

/** Lets the sleep end, and waits for the next one, which follows a list. */
async function awaken({ wake, nextSleep }: Pick<ReturnType<typeof steppedClock>, 'wake' | 'nextSleep'>) {
  const next = nextSleep();
  wake();
  return await next;
}

const promisesSettled = () => new Promise(setImmediate);
const minutes = 60_000;

describe('followNodePods', () => {
  it('lists at once, and about every five minutes', async () => {
    server.answer(() => podsOf('a'));
    const { time, lists, firstSleep } = follow();
    expect(await firstSleep).toBe(5 * minutes);
    server.answer(() => podsOf('b', 'c'));
    expect(await awaken(time)).toBe(5 * minutes);
    expect(lists).toEqual([['a'], ['b', 'c']]);
  });

  it.each([
    [0, 4.5 * minutes],
    [0.999, 5.499 * minutes],
  ])('not in step with others: by chance %d it waits %d ms', async (random, ms) => {
    server.answer(() => podsOf());
    expect(await follow(random).firstSleep).toBeCloseTo(ms);
  });

  it('lists again for a pod that is not known, but not within ten seconds', async () => {
    server.answer(() => podsOf('a'));
    const { pods, time, lists, firstSleep } = follow();
    await firstSleep;
    time.pass(4000);
    const soon = time.nextSleep();
    pods.refresh('u1');
    pods.refresh('u2');
    expect(await soon).toBe(6000);
    expect(server.asked).toHaveLength(1);
    expect(await awaken(time)).toBe(5 * minutes);
    time.pass(2 * minutes);
    const atOnce = time.nextSleep();
    pods.refresh('u3');
    expect(await atOnce).toBe(0);
    await awaken(time);
    expect(lists).toHaveLength(3);
  });

  it('lists again after the list under way, which may not have the pod yet', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    server.answer(() => (request, response) => void released.then(() => podsOf('a')(request, response)));
    const arrived = server.next();
    const { pods, time, firstSleep } = follow();
    await arrived;
    pods.refresh('u1');
    release();
    expect(await firstSleep).toBe(10_000);
    expect(await awaken(time)).toBe(5 * minutes);
    expect(server.asked).toHaveLength(2);
  });

  it('lists twice for a pod, then not until the next regular list', async () => {
    server.answer(() => podsOf());
    const { pods, time, firstSleep } = follow();
    await firstSleep;
    const ask = async () => {
      const sleep = time.nextSleep();
      pods.refresh('u1');
      await sleep;
      return await awaken(time);
    };
    await ask();
    await ask();
    pods.refresh('u1');
    await promisesSettled();
    expect(time.sleeps.at(-1)).toBe(5 * minutes);
    expect(server.asked).toHaveLength(3);
    await awaken(time);
    expect(server.asked).toHaveLength(4);
    await ask();
    expect(server.asked).toHaveLength(5);
  });

  it('remembers a thousand pods that nobody knows, and lists for no more', async () => {
    server.answer(() => podsOf());
    const { pods, time, firstSleep } = follow();
    await firstSleep;
    for (let i = 0; i < 1000; i += 1) {
      const sleep = time.nextSleep();
      pods.refresh(`u${i}`);
      await sleep;
      await awaken(time);
    }
    const asked = server.asked.length;
    pods.refresh('one too many');
    await promisesSettled();
    expect(time.sleeps.at(-1)).toBe(5 * minutes);
    expect(asked).toBe(1001);
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
  ])('survives %s: it says so, waits and goes on', async (_, behaviour, message) => {
    server.answer(() => podsOf('a'));
    const { time, lists, failures, firstSleep } = follow(0);
    await firstSleep;
    server.answer(() => behaviour);
    expect(await awaken(time)).toBe(1000);
    expect(failures).toEqual([expect.stringMatching(/^the pods of node n1 cannot be listed: /)]);
    expect(failures[0]).toMatch(message);
    expect(lists).toEqual([['a']]);
    server.answer(() => podsOf('b'));
    expect(await awaken(time)).toBe(4.5 * minutes);
    expect(lists).toEqual([['a'], ['b']]);
  });

  it('waits longer after each failure, up to two minutes, and begins anew after a success', async () => {
    server.answer(() => failing(500));
    const { pods, time, firstSleep } = follow(0);
    const waits = [await firstSleep];
    for (let i = 0; i < 8; i += 1) {
      pods.refresh(`u${i}`);
      waits.push(await awaken(time));
    }
    expect(waits.map((ms) => ms / 1000)).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120]);
    server.answer(() => podsOf());
    await awaken(time);
    server.answer(() => failing(500));
    expect(await awaken(time)).toBe(1000);
  });

  it.each([
    ['90', 90_000],
    ['0', 1000],
    ['86400', 10 * minutes],
  ])('waits as long as the API server asks for: %s s', async (seconds, ms) => {
    server.answer(() => refusing(429, { 'retry-after': seconds }));
    expect(await follow(0).firstSleep).toBe(ms);
  });

  it('ends the request under way when it is stopped, and says no more', async () => {
    server.answer(() => silent);
    const arrived = server.next();
    const { pods, lists, failures } = follow();
    await arrived;
    await pods.stop();
    pods.refresh('u1');
    expect([lists, failures]).toEqual([[], []]);
    expect(server.asked).toHaveLength(1);
  });

  it('stops while it waits', async () => {
    server.answer(() => podsOf());
    const { pods, firstSleep } = follow();
    await firstSleep;
    await pods.stop();
    await pods.stop();
    expect(server.asked).toHaveLength(1);
  });
});
