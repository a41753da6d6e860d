import { describe, expect, it } from 'vitest';
import { createLimiter } from '../../../src/images/limiter.ts';
import { causeOf } from './harness.ts';

/** Work that ends when it is told, and a record of what has begun. */
function works() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve) => void ends.push(() => resolve(name)));
  };
  return { begun, work, end: (index: number) => ends[index]?.() };
}

const limits = { perKey: 2, inAll: 3, waitingPerKey: 2, waitingInAll: 3 };

describe('createLimiter', () => {
  it('does so much at once for each key, and the rest in its turn', async () => {
    const limiter = createLimiter(limits);
    const { begun, work, end } = works();
    const all = ['a1', 'a2', 'a3', 'a4'].map((name) => limiter.run('a', work(name)));
    expect(begun).toEqual(['a1', 'a2']);
    end(1);
    await all[1];
    expect(begun).toEqual(['a1', 'a2', 'a3']);
    end(0);
    await all[0];
    expect(begun).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  it('does so much at once for all, the keys in turn', async () => {
    const limiter = createLimiter(limits);
    const { begun, work, end } = works();
    const first = ['a', 'a', 'b'].map((key) => limiter.run(key, work(key)));
    for (const key of ['a', 'a', 'c']) limiter.run(key, work(`${key}, later`));
    expect(begun).toEqual(['a', 'a', 'b']);
    for (const index of [0, 1, 2]) end(index);
    await Promise.all(first);
    expect(begun.slice(3).toSorted()).toEqual(['a, later', 'a, later', 'c, later']);
  });

  it('sends away what would have to wait behind too many', async () => {
    const limiter = createLimiter(limits);
    const { work } = works();
    for (const name of ['1', '2', '3', '4']) limiter.run('a', work(name));
    expect(await causeOf(limiter.run('a', work('5')))).toBe('busy');
    limiter.run('b', work('6'));
    limiter.run('b', work('7'));
    expect(await causeOf(limiter.run('c', work('8')))).toBe('busy');
  });

  it('goes on after work that fails', async () => {
    const limiter = createLimiter({ ...limits, perKey: 1 });
    const failed = limiter.run('a', () => Promise.reject(new Error('no')));
    const next = limiter.run('a', async () => 'yes');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});
