import { expect, it } from 'vitest';
import { createTokenBucket } from '../../../src/kube/token-bucket.ts';

function bucketOn(time: { now: number }) {
  return createTokenBucket(3, 1000, { now: () => time.now, random: () => 0, sleep: async () => {} });
}

it('lets a burst through, then one at a time, and fills up again', () => {
  const time = { now: 5000 };
  const bucket = bucketOn(time);
  const takeAll = () => {
    let taken = 0;
    while (bucket.take()) taken += 1;
    return taken;
  };
  expect(takeAll()).toBe(3);
  time.now += 999;
  expect(takeAll()).toBe(0);
  time.now += 1;
  expect(takeAll()).toBe(1);
  time.now += 1_000_000;
  expect(takeAll()).toBe(3);
});

it('lets nothing through while it is paused', () => {
  const time = { now: 0 };
  const bucket = bucketOn(time);
  bucket.pause(500);
  bucket.pause(100);
  time.now = 499;
  expect(bucket.take()).toBe(false);
  time.now = 500;
  expect(bucket.take()).toBe(true);
});
