import { describe, expect, it } from 'vitest';
import { matchesGlob } from '../../../src/images/glob.ts';

describe('matchesGlob', () => {
  it.each([
    ['', ''],
    ['abc', 'abc'],
    ['*', ''],
    ['*', 'abc'],
    ['*c', 'abc'],
    ['a*', 'a'],
    ['a*b*c', 'a1b2b3c'],
    ['a**c', 'abc'],
    ['?bc', 'abc'],
    ['?', '🦆'],
    ['[a-c]x', 'bx'],
    ['[^a-c]x', 'dx'],
    ['[abc]', 'b'],
    ['[\\]]', ']'],
    ['[\\-x]', '-'],
    ['[^\\]]', 'a'],
    ['\\*', '*'],
    ['a\\?', 'a?'],
    [']', ']'],
    ['-', '-'],
  ])('%j matches %j', (pattern, name) => {
    expect(matchesGlob(pattern, name)).toBe(true);
  });

  it.each([
    ['', 'a'],
    ['a', ''],
    ['a', 'A'],
    ['*', 'a/b'],
    ['a*', 'b'],
    ['?', ''],
    ['?', '/'],
    ['?', 'ab'],
    ['[a-c]', 'd'],
    ['[^a-c]', 'b'],
    ['\\*', 'a'],
    ['[', 'a'],
    ['[]', 'a'],
    ['[]a]', ']'],
    ['[a', 'a'],
    ['[a-', 'a'],
    ['[a-]', '-'],
    ['[-a]', '-'],
    ['[^', 'a'],
    ['a\\', 'a'],
  ])('%j does not match %j', (pattern, name) => {
    expect(matchesGlob(pattern, name)).toBe(false);
  });
});
