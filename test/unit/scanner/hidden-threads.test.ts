import { describe, expect, it } from 'vitest';
import { HiddenThreads } from '../../../src/scanner/hidden-threads.ts';

function counts(threads: number | null, forks: number | null = 0) {
  return { threads, forks };
}

describe('hidden threads', () => {
  it('are those that the kernel counts, and nobody saw', () => {
    expect(new HiddenThreads().least(10, counts(50), counts(50))).toBe(40);
  });

  it('are none where all are seen, or the kernel does not count', () => {
    expect(new HiddenThreads().least(10, counts(10), counts(10))).toBe(0);
    expect(new HiddenThreads().least(10, counts(null, null), counts(null, null))).toBe(0);
  });

  it('are none that came or went during the look', () => {
    expect(new HiddenThreads().least(10, counts(10), counts(14))).toBe(0);
    expect(new HiddenThreads().least(10, counts(14), counts(10))).toBe(0);
    expect(new HiddenThreads().least(10, counts(12, 100), counts(12, 103))).toBe(0);
    expect(new HiddenThreads().least(10, counts(52, 100), counts(52, 102))).toBe(40);
  });

  it('are there in two looks', () => {
    const hidden = new HiddenThreads();
    expect(hidden.least(10, counts(13), counts(13))).toBe(3);
    expect(hidden.least(10, counts(50), counts(50))).toBe(3);
    expect(hidden.least(10, counts(50), counts(50))).toBe(40);
    expect(hidden.least(10, counts(10), counts(10))).toBe(0);
  });
});
