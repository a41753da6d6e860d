import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ApiError } from '../../../src/kube/api-server.ts';
import { listEach, listFirst } from '../../../src/kube/list-each.ts';
import type { JsonObject } from '../../../src/pod/json.ts';
import { answering, failing } from '../../support/fake-api-server.ts';
import { json, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

let server: ScriptedServer;
beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const list = async (query: Record<string, string> = {}) => {
  const items: JsonObject[] = [];
  await listEach(server.api, '/api/v1/nodes', query, (item) => void items.push(item));
  return items;
};

it('lists all pages, with the query but the version', async () => {
  const pages: Record<string, object> = {
    '': { metadata: { continue: 'a&b' }, items: [{ n: 1 }, { n: 2 }] },
    'a&b': { metadata: { continue: 'c' }, items: [{ n: 3 }, null, 'x'] },
    c: { metadata: { continue: '' }, items: null },
  };
  server.answer(({ query }) => json(pages[query.get('continue') ?? '']));
  expect(await list({ limit: '2', resourceVersion: '0' })).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(server.asked.map(({ query }) => query.toString())).toEqual([
    'limit=2&resourceVersion=0',
    'limit=2&continue=a%26b',
    'limit=2&continue=c',
  ]);
});

it.each<[string, ReturnType<typeof answering>, RegExp]>([
  ['an error', failing(403), /^HTTP 403 for \/api\/v1\/nodes\?limit=1: told to fail with 403$/],
  ['an object', json({ kind: 'Node' }), /^\/api\/v1\/nodes is not answered with a list$/],
  ['a number', json(7), /is not answered with a list$/],
  ['items that are none', json({ items: 'x' }), /is not answered with a list$/],
  ['HTML', answering('<html>\u001b'), /limit=1 is not answered in JSON: <html>\\x1b$/],
  ['half a list', answering('{"items":[{"a":1},{'), /is not answered in JSON: \{"items":\[$/],
  ['an item that is no JSON', answering('{"items":[{a}]}'), /is not answered in JSON: \(an object/],
  ['nothing', answering(''), /is not answered in JSON: $/],
])('fails in words where it gets %s', async (_, behaviour, message) => {
  server.answer(() => behaviour);
  const listing = list({ limit: '1' });
  await expect(listing).rejects.toThrow(ApiError);
  await expect(listing).rejects.toThrow(message);
});

it('comes to an end with a server that does not', async () => {
  server.answer(() => json({ metadata: { continue: 'more' }, items: [] }));
  await expect(list()).rejects.toThrow('/api/v1/nodes is answered with more than 1000 pages');
});

it('passes on what the taker of items throws', async () => {
  server.answer(() => json({ items: [{}] }));
  const failure = new Error('the taker failed');
  const listing = listEach(server.api, '/x', {}, () => {
    throw failure;
  });
  await expect(listing).rejects.toBe(failure);
});

it('waits after each page', async () => {
  server.answer(({ query }) =>
    json({ metadata: { continue: query.has('continue') ? '' : 'more' }, items: [{}] }),
  );
  const gate = Promise.withResolvers<void>();
  const waited = Promise.withResolvers<void>();
  let pages = 0;
  const listing = listEach(server.api, '/x', {}, () => {}, {
    async afterPage() {
      pages += 1;
      waited.resolve();
      await gate.promise;
    },
  });
  await waited.promise;
  expect(server.asked).toHaveLength(1);
  gate.resolve();
  await listing;
  expect(server.asked).toHaveLength(2);
  expect(pages).toBe(2);
});

/** Answers pages of as many objects as are asked for, of this many. */
function holding(count: number) {
  server.answer(({ query }) => {
    const from = Number(query.get('continue') ?? 0);
    const end = Math.min(count, from + Number(query.get('limit')));
    const items = Array.from({ length: end - from }, (_, index) => ({ n: from + index }));
    return json({ metadata: end < count ? { continue: String(end) } : {}, items });
  });
}

it.each([
  [1200, 1100, 1100, true, ['500', '500', '100']],
  [1100, 1100, 1100, false, ['500', '500', '100']],
  [700, 3000, 700, false, ['500', '500']],
  [0, 10, 0, false, ['10']],
])('lists of %i the first %i', async (count, most, listed, more, limits) => {
  holding(count);
  const items: JsonObject[] = [];
  const take = (item: JsonObject) => void items.push(item);
  expect(await listFirst(server.api, '/x', { fieldSelector: 'a!=b' }, most, take)).toEqual({ more });
  expect(items.map(({ n }) => n)).toEqual(Array.from({ length: listed }, (_, index) => index));
  expect(server.asked.map(({ query }) => query.get('limit'))).toEqual(limits);
  expect(server.asked.every(({ query }) => query.get('fieldSelector') === 'a!=b')).toBe(true);
});
