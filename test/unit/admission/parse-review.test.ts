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

/** Reviews as the API server writes them, with strings and lists in every place. */
const metadata = fc.record({ name: text, managedFields: fc.array(json, { maxLength: 3 }) });
const pod = fc.record({ metadata, spec: json });
const review = fc.record({ request: fc.record({ object: pod, oldObject: pod }) });

describe('parseReview', () => {
  test('changes nothing but lists of managedFields', () => {
    fc.assert(
      fc.property(fc.oneof(json, review), (value) => {
        const text = JSON.stringify(value);
        expect(withoutManagedFields(parsed(text))).toEqual(withoutManagedFields(JSON.parse(text)));
      }),
      { numRuns: 10_000 },
    );
  });

  test('empties the lists, in both objects of an update', () => {
    const metadata = {
      name: 'web',
      managedFields: [{ fieldsV1: { 'k:{"name":"[a\\"}': { '.': {} } } }, {}],
    };
    const object = { metadata, spec: { nodeName: 'ü' } };
    const left = { metadata: { ...metadata, managedFields: [] }, spec: { nodeName: 'ü' } };
    expect(parsed(JSON.stringify({ request: { object, oldObject: object } }))).toEqual({
      request: { object: left, oldObject: left },
    });
  });

  test('empties a list that another key follows, as in objects without a type of Go', () => {
    expect(parsed('{"managedFields":[{"a":{}}],"name":"web"}')).toEqual({ managedFields: [], name: 'web' });
  });

  test.each([
    ['{"managedFields": [1],"a":1}', 'white space'],
    ['{"managedFields":{"a":[1]},"a":1}', 'an object'],
    ['{"x\\"managedFields":[1],"a":1}', 'a key that ends so'],
    ['{"managedFields":[1]}', 'nothing behind it that would tell where it ends'],
    ['{"managedFields":["]"],"a":1}', 'a bracket in a string'],
    ['{"managedFields":["],\\"a"],"a":1}', 'the end in a string'],
    ['{"managedFields":[{"a":{"b":[]},"c":1}],"a":1}', 'an inner list, with a key behind it'],
    ['{"managedFields":[[{"b":[{}],"c":1}],[]],"finalizers":["a"],"b":1}', 'lists in lists'],
  ])('parses all of %s: %s', (text) => {
    expect(parsed(text)).toEqual(JSON.parse(text));
  });

  test('does not look for the end again for each list without one', () => {
    const lists = '{"managedFields":['.repeat(450_000);
    expect(() => parsed(lists)).toThrow(SyntaxError);
    expect(() => parsed(`${lists}]`)).toThrow(SyntaxError);
  });

  test('takes a byte order mark', () => {
    expect(parsed('\uFEFF{"managedFields":[1],"a":1}')).toEqual({ managedFields: [], a: 1 });
  });

  test.each([
    ['', 'nothing'],
    ['{"managedFields":[', 'a list without end'],
    ['{"managedFields":[{"a":"]}', 'a string without end'],
    ['{"managedFields":[\\', 'a backslash at the end'],
    ['{"managedFields":[],"a":1', 'an object without end'],
    ['x,"managedFields":[],"a":1}', 'something else in front'],
  ])('refuses %j: %s', (broken) => {
    expect(() => parsed(broken)).toThrow(SyntaxError);
  });
});
