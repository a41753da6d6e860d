import { expect, it } from 'vitest';
import { imageUserOf } from '../../../src/remedies/image-answer.ts';

it.each([
  [undefined, 'unknown'],
  ['', 'root'],
  ['root', 'root'],
  ['root:app', 'root'],
  ['0', 'root'],
  ['0:0', 'root'],
  ['000', 'root'],
  [':1000', 'root'],
  ['1000', 'not-root'],
  ['01000', 'not-root'],
  ['65532:0', 'not-root'],
  ['2147483647', 'not-root'],
  // 0 in 32 bits.
  ['4294967296', 'unknown'],
  ['app', 'unknown'],
  ['toor:1000', 'unknown'],
  ['-1', 'unknown'],
  ['+0', 'unknown'],
  ['0x3e8', 'unknown'],
  ['1000 ', 'unknown'],
])('%j is %s', (user, expected) => {
  expect(imageUserOf(user)).toBe(expected);
});
