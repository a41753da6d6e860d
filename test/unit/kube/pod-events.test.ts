import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PodEvent } from '../../../src/kube/event-object.ts';
import { createEventSender, type EventSender, type SendResult } from '../../../src/kube/pod-events.ts';
import { type Behaviour, failing, resetting, silent } from '../../support/fake-api-server.ts';
import { type Asked, json, refusing, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

let server: ScriptedServer;
let senders: EventSender[] = [];
beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => server.reset());
afterEach(async () => {
  for (const sender of senders) await sender.stop();
  senders = [];
});
afterAll(() => server.close());

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

const event = (key: string, parts: Partial<PodEvent> = {}): PodEvent => ({
  pod: { namespace: 'shop', name: 'cart-0', uid: 'u1' },
  container: 'app',
  key,
  reason: 'ZombieProcesses',
  message: `zombies of ${key}`,
  type: 'Warning',
  ...parts,
});

/** Keeps Events as the API server does. */
function eventStore() {
  const events = new Map<string, Record<string, unknown>>();
  const behave = ({ method, path, body }: Asked): Behaviour => {
    const sent: Record<string, unknown> = JSON.parse(body);
    const metadata: unknown = sent.metadata;
    const name =
      method === 'POST' && typeof metadata === 'object' && metadata !== null
        ? String(Reflect.get(metadata, 'name'))
        : (path.split('/').at(-1) ?? '');
    const before = events.get(name);
    if (method === 'POST' && before) return failing(409);
    if (method === 'PATCH' && !before) return failing(404);
    const after = { ...before, ...sent };
    events.set(name, after);
    return json(after);
  };
  return { events, behave };
}

/** A sender on a clock of its own. */
function startSender() {
  const time = { now: 0 };
  const results: [SendResult, string | null][] = [];
  let counted: (() => void) | null = null;
  const sender = createEventSender(server.api, {
    component: 'gravekeeper-scanner',
    node: 'n1',
    count(result, why) {
      results.push([result, why]);
      counted?.();
    },
    clock: { now: () => time.now, random: () => 0, sleep: async () => {} },
    today: () => new Date(Date.UTC(2026, 10, 20) + time.now),
  });
  senders.push(sender);
  const result = () =>
    new Promise<void>((resolve) => {
      counted = resolve;
    });
  return {
    sender,
    time,
    results,
    /** Sends, and waits for what becomes of it. */
    async send(its: PodEvent): Promise<SendResult | undefined> {
      const told = result();
      sender.send(its);
      await told;
      return results.at(-1)?.[0];
    },
    result,
  };
}

const sentTo = () =>
  server.asked.map(({ method, path }) => `${method} ${path.replace(/[0-9a-f]{16}$/, 'HASH')}`);
const events = '/api/v1/namespaces/shop/events';

describe('an Event', () => {
  it('is created, repeated after an hour by a patch, and not within', async () => {
    const store = eventStore();
    server.answer(store.behave);
    const { send, time } = startSender();
    expect(await send(event('a'))).toBe('sent');
    time.now = hour - 1;
    expect(await send(event('a', { message: 'more' }))).toBe('repeated');
    time.now = hour + second;
    expect(await send(event('a', { message: 'even more' }))).toBe('sent');
    expect(await send(event('a'))).toBe('repeated');
    expect(sentTo()).toEqual([`POST ${events}`, `PATCH ${events}/cart-0.HASH`]);
    const [, patch] = server.asked;
    expect(patch?.headers['content-type']).toBe('application/merge-patch+json');
    expect(JSON.parse(patch?.body ?? '')).toEqual({
      count: 2,
      lastTimestamp: '2026-11-20T01:00:01Z',
      message: 'even more',
    });
    expect([...store.events.values()]).toEqual([
      expect.objectContaining({ count: 2, firstTimestamp: '2026-11-20T00:00:00Z', message: 'even more' }),
    ]);
  });

  it('is one for each pod and key', async () => {
    server.answer(eventStore().behave);
    const { send } = startSender();
    const other = { namespace: 'bank', name: 'till', uid: 'u2' };
    expect([await send(event('a')), await send(event('b')), await send(event('a', { pod: other }))]).toEqual([
      'sent',
      'sent',
      'sent',
    ]);
    expect(server.asked.at(-1)?.path).toBe('/api/v1/namespaces/bank/events');
  });

  it('is created again, and counted on, when the API server has forgotten it', async () => {
    const store = eventStore();
    server.answer(store.behave);
    const { send, time } = startSender();
    await send(event('a'));
    store.events.clear();
    time.now = 2 * hour;
    expect(await send(event('a'))).toBe('sent');
    expect(sentTo().slice(1)).toEqual([`PATCH ${events}/cart-0.HASH`, `POST ${events}`]);
    expect([...store.events.values()]).toEqual([
      expect.objectContaining({
        count: 2,
        firstTimestamp: '2026-11-20T00:00:00Z',
        lastTimestamp: '2026-11-20T02:00:00Z',
      }),
    ]);
  });

  it('of a scanner that ran before is brought up to date, and counted on', async () => {
    const store = eventStore();
    server.answer(store.behave);
    await startSender().send(event('a'));
    const { send, time } = startSender();
    time.now = minute;
    expect(await send(event('a'))).toBe('sent');
    expect([...store.events.values()]).toEqual([
      expect.objectContaining({ count: 1, lastTimestamp: '2026-11-20T00:01:00Z' }),
    ]);
    time.now = 2 * hour;
    await send(event('a'));
    expect([...store.events.values()]).toEqual([expect.objectContaining({ count: 2 })]);
    expect(store.events.size).toBe(1);
  });
});

describe('restraint', () => {
  it('lets ten through at once, then one in six seconds; the others are tried when they come again', async () => {
    server.answer(eventStore().behave);
    const { send, time } = startSender();
    const results = [];
    for (let i = 0; i < 12; i += 1) results.push(await send(event(`key ${i}`)));
    expect(results).toEqual([...Array(10).fill('sent'), 'rate-limited', 'rate-limited']);
    time.now += 6 * second;
    expect(await send(event('key 10'))).toBe('sent');
    expect(await send(event('key 11'))).toBe('rate-limited');
    time.now += 6 * second;
    expect(await send(event('key 11'))).toBe('sent');
    expect(server.asked).toHaveLength(12);
  });

  it('sends one at a time, drops what is sent meanwhile, and holds back what would have to wait', async () => {
    server.answer(() => silent);
    const { sender, time, results } = startSender();
    const arrived = server.next();
    for (let i = 0; i < 10; i += 1) sender.send(event(`key ${i}`));
    sender.send(event('key 3'));
    await arrived;
    time.now = hour;
    for (let i = 10; i < 25; i += 1) sender.send(event(`key ${i}`));
    expect(server.asked).toHaveLength(1);
    // Nine wait; ten more may go, eleven would fit.
    expect(results.map(([result]) => result)).toEqual(['repeated', ...Array(5).fill('rate-limited')]);
    time.now = 2 * hour;
    for (let i = 20; i < 23; i += 1) sender.send(event(`key ${i}`));
    expect(results.slice(6).map(([result]) => result)).toEqual(['rate-limited', 'rate-limited']);
  });

  it.each<[string, Behaviour, RegExp]>([
    ['403', failing(403), /^HTTP 403: told to fail with 403$/],
    ['a namespace that is gone', failing(404), /^HTTP 404/],
    ['422', failing(422), /^HTTP 422/],
    ['500', failing(500), /^HTTP 500/],
    ['503', refusing(503), /^HTTP 503$/],
    ['a reset', resetting, /^no answer from .*socket hang up$/],
  ])('counts %s as refused, says why, and waits longer each time', async (_, behaviour, why) => {
    const store = eventStore();
    server.answer((asked) =>
      asked.body.includes('"key":"x"') || asked.path.includes('/bad/') ? behaviour : store.behave(asked),
    );
    const { send, time, results } = startSender();
    const bad = event('x', { pod: { namespace: 'bad', name: 'p', uid: 'u9' } });
    expect(await send(bad)).toBe('refused');
    expect(results[0]?.[1]).toMatch(why);
    expect(await send(bad)).toBe('rate-limited');
    expect(await send(event('good'))).toBe('sent');
    const waits: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      let waited = 0;
      while ((await send(bad)) !== 'refused') {
        waited += minute;
        time.now += minute;
      }
      waits.push(waited / minute);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    server.answer(store.behave);
    time.now += hour;
    expect(await send(bad)).toBe('sent');
  });

  it('leaves the API server alone as long as it asks for', async () => {
    server.answer(() => refusing(429, { 'retry-after': '120' }));
    const { send, time } = startSender();
    expect(await send(event('a'))).toBe('refused');
    server.answer(eventStore().behave);
    time.now = 119 * second;
    expect(await send(event('b'))).toBe('rate-limited');
    time.now = 120 * second;
    expect(await send(event('b'))).toBe('sent');
    expect(await send(event('a'))).toBe('sent');
  });

  it('forgets what was not seen for two hours', async () => {
    server.answer(({ method }) => (method === 'POST' ? json({ count: 1 }) : failing(404)));
    const { send, time } = startSender();
    await send(event('a'));
    await send(event('b'));
    time.now = 1.5 * hour;
    await send(event('b'));
    time.now = 2 * hour;
    await send(event('c'));
    const before = server.asked.length;
    await send(event('a'));
    // It is created, not patched: nothing is known of it any more.
    expect(server.asked.slice(before).map(({ method }) => method)).toEqual(['POST']);
  });

  it('remembers a thousand at most, and forgets the one not seen for longest', async () => {
    server.answer(() => json({ count: 1 }));
    const { send, sender, time } = startSender();
    await send(event('first'));
    await send(event('second'));
    for (let i = 0; i < 998; i += 1) sender.send(event(`key ${i}`));
    expect(await send(event('first'))).toBe('repeated');
    sender.send(event('one more'));
    time.now = minute;
    expect(await send(event('first'))).toBe('repeated');
    expect(await send(event('second'))).toBe('sent');
  });
});

it('ends the request under way when it is stopped, and counts nothing more', async () => {
  server.answer(() => silent);
  const { sender, results } = startSender();
  const arrived = server.next();
  sender.send(event('a'));
  sender.send(event('b'));
  await arrived;
  await sender.stop();
  sender.send(event('c'));
  expect(results).toEqual([]);
  expect(server.asked).toHaveLength(1);
});
