import { expect, it } from 'vitest';
import { type Clock, createPace, systemClock } from '../../../src/kube/pace.ts';

function clockWith(random: number) {
  const waits: number[] = [];
  const time = { now: 0 };
  const clock: Clock = {
    now: () => time.now,
    random: () => random,
    async sleep(ms) {
      waits.push(ms);
      time.now += ms;
    },
  };
  return { clock, waits, time };
}

const never = new AbortController().signal;

it('goes at once, then waits twice as long each time, up to 30 s', async () => {
  const { clock, waits } = clockWith(0);
  const pace = createPace(clock, never);
  await pace();
  expect(waits).toEqual([]);
  for (let attempt = 0; attempt < 7; attempt += 1) await pace();
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

it('takes up to a half off, so that replicas fall out of step', async () => {
  const { clock, waits } = clockWith(0.9);
  const pace = createPace(clock, never);
  for (let attempt = 0; attempt < 3; attempt += 1) await pace();
  expect(waits).toEqual([550, 1100]);
});

it('begins anew after what has lasted 20 s', async () => {
  const { clock, waits, time } = clockWith(0);
  const pace = createPace(clock, never);
  for (let attempt = 0; attempt < 4; attempt += 1) await pace();
  time.now += 19_999;
  await pace();
  time.now += 20_000;
  await pace();
  await pace();
  expect(waits).toEqual([1000, 2000, 4000, 8000, 1000]);
});

it('stops waiting when all is over', async () => {
  const over = new AbortController();
  const slept = systemClock.sleep(3_600_000, over.signal);
  over.abort();
  await slept;
  await systemClock.sleep(3_600_000, over.signal);
});
