import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { guardOf } from '../../../src/pod/guard.ts';

const schema = z.object({
  required: z.string(),
  nullish: z.number().nullish(),
  flag: z.boolean().optional(),
  anything: z.unknown().optional(),
  list: z.array(z.object({ name: z.string() })).nullish(),
  words: z.record(z.string(), z.string()).nullish(),
});
const isOfSchema = guardOf(schema);

const someJson = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(null, '', 0, true, Number.POSITIVE_INFINITY, Number.NaN, [], {}),
);
/** Objects that come near the schema: right keys, values of the right kind as often as not. */
const nearby = fc.record(
  {
    required: fc.oneof(fc.string(), someJson),
    nullish: fc.oneof(fc.integer(), fc.constant(null), fc.constant(undefined), someJson),
    flag: fc.oneof(fc.boolean(), someJson),
    anything: someJson,
    list: fc.oneof(fc.array(fc.record({ name: fc.oneof(fc.string(), someJson) })), someJson),
    words: fc.oneof(fc.dictionary(fc.string(), fc.oneof(fc.string(), someJson)), someJson),
    unknown: someJson,
  },
  { requiredKeys: [] },
);

describe('guardOf', () => {
  it('says what parsing says', () => {
    fc.assert(
      fc.property(fc.oneof(nearby, someJson), (value) => {
        fc.pre(!JSON.stringify(value).includes('"__proto__"'));
        expect(isOfSchema(value)).toBe(schema.safeParse(value).success);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    { required: 'x' },
    { required: 'x', nullish: null, flag: undefined, list: null, words: {}, more: 1 },
    { required: 'x', nullish: 1.5, list: [{ name: 'a', more: 1 }], words: { a: 'b' } },
  ])('takes %j', (value) => {
    expect(isOfSchema(value)).toBe(true);
  });

  it.each([
    null,
    [],
    'x',
    {},
    { required: null },
    { required: 'x', flag: null },
    { required: 'x', nullish: Number.POSITIVE_INFINITY },
    { required: 'x', list: {} },
    { required: 'x', list: [{}] },
    { required: 'x', words: [] },
    { required: 'x', words: { a: 1 } },
  ])('refuses %j', (value) => {
    expect(isOfSchema(value)).toBe(false);
  });

  it('checks the value of a key that parsing drops', () => {
    const value = JSON.parse('{"required": "x", "words": {"__proto__": 1}}');
    expect([schema.safeParse(value).success, isOfSchema(value)]).toEqual([true, false]);
  });

  it('knows no schema of another kind', () => {
    expect(() => guardOf(z.object({ day: z.date() }))).toThrow(TypeError);
  });
});
