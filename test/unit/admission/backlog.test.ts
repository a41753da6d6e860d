import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createBacklog } from '../../../src/admission/backlog.ts';

const fail = (error: unknown) => {
  throw error;
};

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('createBacklog', () => {
  test('does what was added later, in order, and once', () => {
    const done: number[] = [];
    const backlog = createBacklog(fail);
    for (const number of [1, 2, 3]) backlog.add(() => done.push(number));
    expect(done).toEqual([]);
    vi.runAllTimers();
    expect(done).toEqual([1, 2, 3]);
    vi.runAllTimers();
    backlog.flush();
    expect(done).toEqual([1, 2, 3]);
  });

  test('does all at once when told to, and what comes afterwards again later', () => {
    const done: string[] = [];
    const backlog = createBacklog(fail);
    backlog.add(() => done.push('before'));
    backlog.flush();
    expect(done).toEqual(['before']);
    backlog.add(() => done.push('after'));
    expect(done).toEqual(['before']);
    vi.runAllTimers();
    expect(done).toEqual(['before', 'after']);
  });

  test('tells of a task that throws, and does the others', () => {
    const seen: unknown[] = [];
    const backlog = createBacklog((error) => seen.push(error));
    backlog.add(() => fail('broken'));
    backlog.add(() => seen.push('next'));
    backlog.flush();
    expect(seen).toEqual(['broken', 'next']);
  });

  test('does not let more than 64 wait', () => {
    let done = 0;
    const backlog = createBacklog(fail);
    for (let number = 0; number < 100; number += 1) backlog.add(() => (done += 1));
    expect(done).toBe(64);
  });
});
