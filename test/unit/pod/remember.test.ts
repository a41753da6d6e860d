import { describe, expect, test } from 'vitest';
import { remember } from '../../../src/pod/remember.ts';

describe('remember', () => {
  test('asks once for equal words, and tells words apart by where they end', () => {
    let asked = 0;
    const read = remember((words) => {
      asked += 1;
      return { first: words[0] };
    });
    expect(read(['a', 'b'])).toBe(read(['a', 'b']));
    expect(read(['a b'])).not.toBe(read(['a', 'b']));
    expect(asked).toBe(2);
  });

  test('keeps neither long words nor long answers, and only so many', () => {
    let asked = 0;
    const count = () => {
      asked += 1;
      return asked;
    };
    const ofWords = remember(count);
    const long = ['x'.repeat(5_000)];
    expect(ofWords(long)).not.toBe(ofWords(long));
    const ofAnswers = remember(count, () => 5_000);
    expect(ofAnswers(['a'])).not.toBe(ofAnswers(['a']));
    const first = ofWords(['0']);
    for (let number = 1; number < 1_000; number += 1) ofWords([String(number)]);
    expect(ofWords(['0'])).toBe(first);
    for (let number = 1_000; number < 6_000; number += 1) ofWords([String(number)]);
    expect(ofWords(['0'])).not.toBe(first);
  });

  test('keeps fewer of those that are large', () => {
    let asked = 0;
    const ofWords = remember(
      () => {
        asked += 1;
        return asked;
      },
      () => 3_500,
    );
    const first = ofWords(['0']);
    for (let number = 1; number < 1_000; number += 1) ofWords([String(number)]);
    expect(ofWords(['0'])).not.toBe(first);
  });
});
