import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventsBody, listBody, wholeBody } from '../../../src/kube/read-body.ts';
import type { JsonObject } from '../../../src/pod/json.ts';

function readList(text: string, chunkLength = text.length || 1) {
  const items: JsonObject[] = [];
  const reader = listBody((item) => void items.push(item));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkLength) reader.write(bytes.subarray(at, at + chunkLength));
  return { items, ...reader.end() };
}

describe('listBody', () => {
  it('hands over the objects of any list, however it is cut, and leaves the rest', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    const member = fc.oneof(
      fc.constantFrom('metadata', 'kind', 'items', '"items":[', '{', '\\', 'é'),
      fc.string(),
    );
    const list = fc.record({
      before: fc.dictionary(member, json),
      items: fc.array(fc.oneof(fc.dictionary(member, json), json)),
      after: fc.dictionary(member, json),
    });
    fc.assert(
      fc.property(
        list,
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom(0, 2),
        (parts, chunkLength, indent) => {
          const { items: _, ...before } = parts.before;
          const { items: __, ...after } = parts.after;
          const value = JSON.parse(JSON.stringify({ ...before, items: parts.items, ...after }));
          const objects = value.items.filter(
            (item: unknown) => typeof item === 'object' && item !== null && !Array.isArray(item),
          );
          expect(readList(JSON.stringify(value, null, indent), chunkLength)).toEqual({
            items: objects,
            body: { ...value, items: [] },
            text: '',
          });
        },
      ),
    );
  });

  it('leaves what is no list as it is', () => {
    const values = ['{"kind": "Status", "message": "no"}', '[{"items": [{}]}]', 'null', '7', '"items"', '{}'];
    for (const text of values) {
      expect(readList(text)).toEqual({ items: [], body: JSON.parse(text), text: '' });
      expect(readList(text, 1)).toEqual({ items: [], body: JSON.parse(text), text: '' });
    }
    const deeper =
      '{"spec": {"items": [{"a": 1}]}, "a\\"items": [{}], "x": [{"items": [{}]}], "items": null}';
    expect(readList(deeper)).toEqual({ items: [], body: JSON.parse(deeper), text: '' });
  });

  it('reads characters of several bytes that are cut in two', () => {
    expect(readList('{"items":[{"é":"日本\u{1f9df}"}]}', 1).items).toEqual([{ é: '日本\u{1f9df}' }]);
  });

  it.each<[string, string]>([
    ['', ''],
    ['<html>[{"items":[{', '<html>[{"items":[{'],
    ['{"kind":"List","items":[{"a":1},{"b"', '{"kind":"List","items":['],
    ['{"items":[{"a":1}]', '{"items":[]'],
    ['{"items":[{"a":1}]}}', '{"items":[]}}'],
    ['{"items":[{a}],"x":1}', '(an object in the list is no JSON)'],
    ['{"items":[{"a":[1}}]}', '(an object in the list is no JSON)'],
  ])('says that %j is no JSON', (text, beginning) => {
    for (const chunkLength of [1, 1000]) {
      expect(readList(text, chunkLength)).toMatchObject({ body: null, text: beginning });
    }
  });

  it('survives any bytes', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ',',
      ':',
      '"items":',
      '{"items":[',
      'x',
      'é',
    );
    fc.assert(
      fc.property(fc.array(token), fc.integer({ min: 1, max: 9 }), (tokens, chunkLength) => {
        for (const item of readList(tokens.join(''), chunkLength).items) expect(item).toBeTypeOf('object');
      }),
      { numRuns: 2000 },
    );
  });
});

function wholeOf(text: string) {
  const reader = wholeBody();
  reader.write(Buffer.from(text));
  return reader.end();
}

describe('wholeBody', () => {
  it('reads JSON, and shows the beginning of what is none', () => {
    expect(wholeOf('{"a": 1}')).toEqual({ body: { a: 1 }, text: '' });
    expect(wholeOf('x'.repeat(5000))).toEqual({ body: null, text: 'x'.repeat(1024) });
    expect(wholeOf('')).toEqual({ body: null, text: '' });
  });
});

describe('eventsBody', () => {
  it('hands over each event, however the lines are cut, but not what is cut off', () => {
    const event = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(fc.array(event), fc.integer({ min: 1, max: 50 }), event, (events, chunkLength, last) => {
        const lines = events.map((each) => `${JSON.stringify(each)}\n`).join('');
        const bytes = Buffer.from(lines + JSON.stringify(last));
        const taken: JsonObject[] = [];
        const reader = eventsBody((each) => void taken.push(each));
        for (let at = 0; at < bytes.length; at += chunkLength)
          reader.write(bytes.subarray(at, at + chunkLength));
        expect(reader.end()).toEqual({ body: null, text: '' });
        expect(taken).toEqual(JSON.parse(JSON.stringify(events)));
      }),
    );
  });
});
