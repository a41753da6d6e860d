import { expect, it } from 'vitest';
import { answered } from '../../../src/audit/answered.ts';
import type { Answers } from '../../../src/judge.ts';
import { contextOf } from './audit-of.ts';

const context = contextOf('', { 'gravekeeper.dev/inject': 'auto' });
const known: Answers = new Map([['app', { cmd: ['/app'] }]]);

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

it('hands objects over in their order, whatever is answered first, each with its own answers', async () => {
  const slow = Promise.withResolvers<Answers>();
  const quick = Promise.withResolvers<void>();
  const problem = { file: '2.yaml', line: 1, message: 'it is no YAML' };
  const handedOver = all(
    answered([{ value: { name: 'slow' } }, problem, { value: { name: 'quick' } }], context, (value) => {
      if (value.name === 'slow') return slow.promise;
      quick.resolve();
      return Promise.resolve(new Map());
    }),
  );
  await quick.promise;
  slow.resolve(known);
  expect(await handedOver).toEqual([
    { entry: { value: { name: 'slow' } }, answers: known },
    { entry: problem, answers: new Map() },
    { entry: { value: { name: 'quick' } }, answers: new Map() },
  ]);
});

it('asks about 64 objects beyond the one that is handed over next, and takes no more of them', async () => {
  let taken = 0;
  function* objects() {
    for (; taken < 200; taken += 1) yield { value: { taken } };
  }
  const first = Promise.withResolvers<Answers>();
  const handingOver = answered(objects(), context, () => first.promise).next();
  await new Promise(setImmediate);
  expect(taken).toBe(64);
  first.resolve(known);
  expect((await handingOver).value?.entry).toEqual({ value: { taken: 0 } });
});

it('takes one at a time where nobody is asked', async () => {
  let taken = 0;
  function* objects() {
    for (; taken < 200; taken += 1) yield { value: { taken } };
  }
  const { value } = await answered(objects(), context, undefined).next();
  expect(value?.answers).toEqual(new Map());
  expect(taken).toBe(0);
});
