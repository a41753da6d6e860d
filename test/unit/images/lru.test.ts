import { describe, expect, it } from 'vitest';
import { createLru } from '../../../src/images/lru.ts';

describe('createLru', () => {
  it('keeps a value until its time is over', () => {
    let time = 0;
    const lru = createLru<string>(100, () => time);
    lru.set('a', 'A', 2, 1);
    time = 1_999;
    expect(lru.get('a')).toBe('A');
    time = 2_000;
    expect(lru.get('a')).toBeUndefined();
    expect(lru.size).toBe(0);
  });

  it('keeps a value for good', () => {
    let time = 0;
    const lru = createLru<string>(100, () => time);
    lru.set('a', 'A', Number.POSITIVE_INFINITY, 1);
    time = 1e15;
    expect(lru.get('a')).toBe('A');
  });

  it('forgets what was not used for longest', () => {
    const lru = createLru<number>(3);
    for (const [index, key] of ['a', 'b', 'c'].entries()) lru.set(key, index, 10, 1);
    lru.get('a');
    lru.set('d', 4, 10, 1);
    expect(['a', 'b', 'c', 'd'].filter((key) => lru.get(key) !== undefined)).toEqual(['a', 'c', 'd']);
  });

  it('makes room by weight', () => {
    const lru = createLru<number>(10);
    lru.set('a', 1, 10, 4);
    lru.set('b', 2, 10, 4);
    lru.set('c', 3, 10, 8);
    expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual([undefined, undefined, 3]);
  });

  it('does not keep what is heavier than all the room, nor empty itself for it', () => {
    const lru = createLru<number>(10);
    lru.set('a', 1, 10, 4);
    lru.set('b', 2, 10, 11);
    expect([lru.get('a'), lru.get('b')]).toEqual([1, undefined]);
  });

  it('counts a value that is replaced once', () => {
    const lru = createLru<number>(10);
    for (let round = 0; round < 100; round += 1) lru.set('a', round, 10, 6);
    lru.set('b', 1, 10, 4);
    expect([lru.get('a'), lru.get('b')]).toEqual([99, 1]);
  });

  it('does not keep a value for no time', () => {
    const lru = createLru<number>(10);
    lru.set('a', 1, 0, 1);
    expect(lru.size).toBe(0);
  });

  it('forgets on demand', () => {
    const lru = createLru<number>(10);
    lru.set('a', 1, 10, 1);
    lru.delete('a');
    lru.delete('b');
    expect(lru.get('a')).toBeUndefined();
  });
});
