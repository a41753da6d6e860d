import { expect, it } from 'vitest';
import { mapAhead } from '../../../src/audit/map-ahead.ts';

/** Work that ends when it is told, and what was taken and begun so far. */
function works() {
  const taken: number[] = [];
  const ends = new Map<number, () => void>();
  function* items(count: number) {
    for (let item = 0; item < count; item += 1) {
      taken.push(item);
      yield item;
    }
  }
  const work = (item: number) =>
    new Promise<string>((resolve) => ends.set(item, () => resolve(`did ${item}`)));
  return { taken, items, work, end: (item: number) => ends.get(item)?.() };
}

async function all<T>(outcomes: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const outcome of outcomes) found.push(outcome);
  return found;
}

it('hands over in order, whatever is done first', async () => {
  const { items, work, end } = works();
  const outcomes = mapAhead(items(3), 5, work);
  const first = outcomes.next();
  await new Promise(setImmediate);
  for (const item of [2, 1, 0]) end(item);
  expect((await first).value).toBe('did 0');
  expect(await all(outcomes)).toEqual(['did 1', 'did 2']);
});

it('takes no more items than it may hold', async () => {
  const { taken, items, work, end } = works();
  const outcomes = mapAhead(items(10), 2, work);
  const first = outcomes.next();
  await new Promise(setImmediate);
  expect(taken).toEqual([0, 1, 2]);
  end(0);
  await first;
  const second = outcomes.next();
  await new Promise(setImmediate);
  expect(taken).toEqual([0, 1, 2, 3]);
  end(1);
  expect((await second).value).toBe('did 1');
});

it('does one at a time where nothing is to be done ahead', async () => {
  const { taken, items } = works();
  const outcomes = mapAhead(items(3), 0, async (item) => item);
  await outcomes.next();
  expect(taken).toEqual([0]);
  expect(await all(outcomes)).toEqual([1, 2]);
});

it('throws what the work throws, at its place', async () => {
  const outcomes = mapAhead([0, 1, 2], 5, async (item) => {
    if (item > 0) throw new Error(`cannot do ${item}`);
    return item;
  });
  expect((await outcomes.next()).value).toBe(0);
  await expect(outcomes.next()).rejects.toThrow('cannot do 1');
});
