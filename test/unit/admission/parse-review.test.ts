import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseReview } from '../../../src/admission/parse-review.ts';

const parsed = (text: string) => parseReview(Buffer.from(text));

/** What parsing leaves of a value: every list of `managedFields` is empty. */
function withoutManagedFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutManagedFields);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === 'managedFields' && Array.isArray(member) ? [] : withoutManagedFields(member),
    ]),
  );
}

/** Strings that look like the syntax around them, and like the key in question. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    'managedFields',
    '"managedFields":[',
    ',"managedFields":[{"a":"]"}]',
    '\\',
    '"',
    '[',
    ']}',
    '{',
  ),
);
/**
 * Not of one character: after an object with the key `\\`, JSON.parse of V8 13.6 (Node 24) takes another key that is a
 * single escaped character, such as `"`, for it too. Node 20 does not.
 */
const key = text.filter(({ length }) => length !== 1);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof({ maxDepth: 6 }, text, fc.integer(), fc.constant(null), tie('list'), tie('object')),
  list: fc.array(tie('json'), { maxLength: 4 }),
  object: fc.dictionary(key, tie('json'), { maxKeys: 4, noNullPrototype: true }),
}));

describe('parseReview', () => {
  test('empties the lists of managedFields and changes nothing else', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(parsed(JSON.stringify(value))).toEqual(
          withoutManagedFields(JSON.parse(JSON.stringify(value))),
        );
      }),
      { numRuns: 5_000 },
    );
  });

  test('empties each of several lists, in both objects of an update', () => {
    const metadata = { name: 'web', managedFields: [{ fieldsV1: { 'v:["]"]': { '.': {} } } }, {}], uid: 'ü' };
    const review = { request: { object: { metadata }, oldObject: { metadata } } };
    const left = { ...metadata, managedFields: [] };
    expect(parsed(JSON.stringify(review))).toEqual({
      request: { object: { metadata: left }, oldObject: { metadata: left } },
    });
  });

  test('leaves a list that is written with white space, and one that is no list', () => {
    expect(parsed('{"managedFields": [1]}')).toEqual({ managedFields: [1] });
    expect(parsed('{"managedFields":{"a":[1]}}')).toEqual({ managedFields: { a: [1] } });
  });

  test('takes a byte order mark', () => {
    expect(parsed('\uFEFF{"managedFields":[1]}')).toEqual({ managedFields: [] });
  });

  test.each([
    ['', 'nothing'],
    ['{"managedFields":[', 'a list without end'],
    ['{"managedFields":[{"a":"]}', 'a string without end'],
    ['{"managedFields":[\\', 'a backslash at the end'],
    ['{"managedFields":[]', 'an object without end'],
    ['x,"managedFields":[]', 'something else in front'],
  ])('refuses %j: %s', (broken) => {
    expect(() => parsed(broken)).toThrow(SyntaxError);
  });
});
