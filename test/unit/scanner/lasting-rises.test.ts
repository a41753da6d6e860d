import { describe, expect, it } from 'vitest';
import { LastingRises } from '../../../src/scanner/lasting-rises.ts';

/** The rises of counts that are ten minutes apart. */
function risesOf(counts: readonly number[]): LastingRises {
  const rises = new LastingRises();
  for (const [index, count] of counts.entries()) rises.add(index * 600, count);
  return rises;
}

/** How it grows in an hour, known from all rises first, a moment after the last of so many counts. */
function perHour(counts: readonly number[]): number[] {
  return risesOf(counts)
    .growths((counts.length - 1) * 600)
    .map(({ slope }) => Math.round(slope * 3600));
}

const line = (length: number, start: number, step: number) =>
  Array.from({ length }, (_, index) => start + index * step);

describe('rises that last', () => {
  it('tell of growth from the sixth on, the one that all began with not counted', () => {
    expect(perHour(line(6, 5, 1))).toEqual([]);
    expect(perHour(line(7, 5, 1))).toEqual([6]);
    expect(risesOf(line(6, 5, 1)).largest).toBe(0);
    expect(risesOf(line(7, 5, 2)).largest).toBe(2);
  });

  it('are the newest 32, and their halves tell of a pace that changed', () => {
    expect(perHour(line(1000, 0, 2))).toEqual([12, 12, 12]);
    const [all, half, quarter] = perHour([...line(40, 0, 1), ...line(8, 50, 10)]);
    expect(all).toBeLessThan(12);
    expect(half).toBeLessThan(60);
    expect(quarter).toBe(60);
  });

  it('are one within ten minutes', () => {
    const rises = new LastingRises();
    for (let second = 0; second <= 3600; second += 15) rises.add(second, second);
    const [growth] = rises.growths(3600);
    expect(growth).toMatchObject({ slope: 1, risen: 3000, spanSeconds: 3000 });
  });

  it('are taken back by a fall below them', () => {
    const counts = line(10, 0, 1);
    expect(perHour([...counts, 7])).toEqual([6]);
    expect(perHour([...counts, 3])).toEqual([]);
    expect(perHour([...counts, 0])).toEqual([]);
  });

  it('are none below what the count fell from twice', () => {
    expect(risesOf([0, 5, 0]).ceiling).toBe(Number.NEGATIVE_INFINITY);
    expect(risesOf([0, 5, 0, 5, 0]).ceiling).toBe(5);
    expect(perHour([0, 5, 0, 7, ...line(7, 0, 1)])).toEqual([]);
    expect(perHour([0, 5, 0, 7, 0, ...line(6, 8, 1)])).toEqual([6]);
  });

  it('go on after the first deep fall, with what was below it moved down', () => {
    expect(perHour([...line(10, 8000, 1), ...line(8, 3000, 1)])).toEqual([6]);
    expect(risesOf([8001, 8000, 8001, 8000, 3000]).ceiling).toBe(3001);
  });

  it('are possible again below what it fell from two days ago', () => {
    const saw = [0, 9, 0, 9, 0];
    expect(risesOf([...saw, ...line(140, 0, 0)]).ceiling).toBe(9);
    expect(risesOf([...saw, ...line(300, 0, 0)]).ceiling).toBe(Number.NEGATIVE_INFINITY);
  });

  it('tell of none any more after ten mean intervals without one', () => {
    const rises = new LastingRises();
    for (let hour = 0; hour <= 32; hour += 1) rises.add(hour * 3600, hour);
    const [growth] = rises.growths(32 * 3600);
    expect(growth?.slope).toBeCloseTo(1 / 3600, 8);
    const patience = 600 + 10 * (growth?.arrivalSeconds ?? Number.NaN);
    expect(growth?.arrivalSeconds).toBeGreaterThan(3000);
    expect(growth?.arrivalSeconds).toBeLessThan(3600);
    expect(rises.growths(32 * 3600 + patience - 1).length).toBeGreaterThan(0);
    expect(rises.growths(32 * 3600 + patience * 1.1)).toEqual([]);
  });
});
