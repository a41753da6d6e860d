import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { editManifest, type PlacedSetting, type Setting } from '../../../src/manifest/edit.ts';
import { isProblem, readManifest, type SourceDocument } from '../../../src/manifest/source.ts';

function documentsOf(text: string): readonly SourceDocument[] {
  return [...readManifest(text, 'f.yaml')].flatMap((read) => (isProblem(read) ? [] : [read]));
}

function edit(text: string, ...settings: readonly (Setting & { readonly of?: number })[]) {
  const documents = documentsOf(text);
  const placed = settings.flatMap(({ of = 0, ...setting }): PlacedSetting[] => {
    const document = documents[of];
    return document ? [{ ...setting, place: document.place }] : [];
  });
  const { text: edited, refused } = editManifest(text, placed);
  return { text: edited, refused: [...refused.keys()], why: [...refused.values()] };
}

const timeout: Setting = { pointer: '/probe', key: 'timeoutSeconds', value: 5 };

describe('editManifest', () => {
  it.each([
    [
      'replaces a value and keeps its comment',
      'probe:\n  exec: {}\n  timeoutSeconds: 1 # too short\n  b: 2\n',
      'probe:\n  exec: {}\n  timeoutSeconds: 5 # too short\n  b: 2\n',
    ],
    ['replaces a quoted key’s value', '{"probe": {"timeoutSeconds":1}}', '{"probe": {"timeoutSeconds":5}}'],
    [
      'gives an empty member a value',
      'probe:\n  timeoutSeconds:\n  b: 1\n',
      'probe:\n  timeoutSeconds: 5\n  b: 1\n',
    ],
    ['adds behind the last member', 'probe:\n  a: 1\nx: y\n', 'probe:\n  a: 1\n  timeoutSeconds: 5\nx: y\n'],
    [
      'adds behind a comment of the last line, before one of the next',
      'probe:\n  a: 1 # one\n\n# about x\nx: y\n',
      'probe:\n  a: 1 # one\n  timeoutSeconds: 5\n\n# about x\nx: y\n',
    ],
    [
      'adds behind a list',
      'probe:\n  exec:\n    command:\n    - a\n    - b\nx: y\n',
      'probe:\n  exec:\n    command:\n    - a\n    - b\n  timeoutSeconds: 5\nx: y\n',
    ],
    [
      'adds behind a block scalar',
      'probe:\n  exec:\n    command:\n    - sh\n    - |\n      one\n      two\nx: y\n',
      'probe:\n  exec:\n    command:\n    - sh\n    - |\n      one\n      two\n  timeoutSeconds: 5\nx: y\n',
    ],
    [
      'adds at the end of a file without a line break',
      'probe:\n  a: 1',
      'probe:\n  a: 1\n  timeoutSeconds: 5',
    ],
    [
      'keeps line ends',
      'probe:\r\n  a: 1\r\nx: y\r\n',
      'probe:\r\n  a: 1\r\n  timeoutSeconds: 5\r\nx: y\r\n',
    ],
    ['adds to a flow map', 'probe: {a: 1}\n', 'probe: {a: 1, timeoutSeconds: 5}\n'],
    ['adds to a flow map with a comma at its end', 'probe: {a: 1,}\n', 'probe: {a: 1, timeoutSeconds: 5,}\n'],
    ['adds to dense JSON', '{"probe":{"a":1}}', '{"probe":{"a":1,"timeoutSeconds":5}}'],
    [
      'adds to indented JSON',
      '{\n\t"probe": {\n\t\t"a": [1]\n\t}\n}\n',
      '{\n\t"probe": {\n\t\t"a": [1],\n\t\t"timeoutSeconds": 5\n\t}\n}\n',
    ],
    [
      'overrides what is merged in',
      'base: &b {timeoutSeconds: 1}\nprobe:\n  <<: *b\n  a: 1\n',
      'base: &b {timeoutSeconds: 1}\nprobe:\n  <<: *b\n  a: 1\n  timeoutSeconds: 5\n',
    ],
  ])('%s', (_, before, after) => {
    expect(edit(before, timeout)).toMatchObject({ text: after, refused: [] });
  });

  it('adds in front of a member and the comment that is about it', () => {
    const share: Setting = { pointer: '/spec', key: 'share', value: true, before: 'containers' };
    expect(edit('spec:\n  a: 1\n\n  # the one\n  containers: []\n', share).text).toBe(
      'spec:\n  a: 1\n\n  share: true\n  # the one\n  containers: []\n',
    );
    const inList: Setting = { ...share, pointer: '/items/0' };
    expect(edit('items:\n  - containers: []\n    b: 1\n', inList).text).toBe(
      'items:\n  - share: true\n    containers: []\n    b: 1\n',
    );
  });

  it('leaves other documents alone, whatever they hold', () => {
    const text = "%YAML 1.2\n---\na:   'x'   # odd\n---\nbroken: [\n---\nprobe:\n  a: 1\n---\n\n...\n";
    const { text: after } = edit(text, { ...timeout, of: 1 });
    expect(after).toBe(text.replace('a: 1\n', 'a: 1\n  timeoutSeconds: 5\n'));
  });

  it('finds the items of lists', () => {
    const text = 'kind: List\nitems:\n- probe: {a: 1}\n- probe: {a: 1}\n';
    expect(edit(text, { ...timeout, of: 1 }).text).toBe(
      'kind: List\nitems:\n- probe: {a: 1}\n- probe: {a: 1, timeoutSeconds: 5}\n',
    );
  });

  it('refuses what an anchor would carry elsewhere, and writes it where all agree', () => {
    const text = 'one: &p {a: 1}\nprobe: *p\n';
    expect(edit(text, timeout)).toMatchObject({ text, refused: [timeout] });
    expect(edit(text, timeout, { ...timeout, pointer: '/one' })).toMatchObject({
      text: 'one: &p {a: 1, timeoutSeconds: 5}\nprobe: *p\n',
      refused: [],
    });
  });

  it('says why it leaves what is too large as it is', () => {
    const object = (name: string, rest: object) => ({ apiVersion: 'v1', kind: 'Thing', name, ...rest });
    const items = [object('one', { probe: {} }), object('two', { blob: 'x'.repeat(8 * 1024 * 1024) })];
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const { text: after, why } = edit(text, timeout);
    expect(after === text).toBe(true);
    expect(why).toEqual(['its document is larger than 8 MiB; split it, or write it by hand']);
  });

  it('writes what it can of several', () => {
    const text = 'one: &p {a: 1}\nprobe: *p\nother: {}\nmore: {b: 1}\n';
    const more = { ...timeout, pointer: '/more' };
    expect(edit(text, timeout, more)).toMatchObject({
      text: 'one: &p {a: 1}\nprobe: *p\nother: {}\nmore: {b: 1, timeoutSeconds: 5}\n',
      refused: [timeout],
    });
  });

  it('puts two new members of one map behind one another', () => {
    expect(edit('probe:\n  a: 1\n', timeout, { ...timeout, key: 'periodSeconds', value: 60 }).text).toBe(
      'probe:\n  a: 1\n  timeoutSeconds: 5\n  periodSeconds: 60\n',
    );
  });

  it('holds exactly the settings besides what it held, in any style', () => {
    const tree = fc.letrec((tie) => ({
      leaf: fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
      node: fc.oneof(
        { maxDepth: 3 },
        tie('leaf'),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.string({ minLength: 1 }), tie('node'), { maxKeys: 3 }),
      ),
    })).node;
    const style = fc.record({
      indent: fc.integer({ min: 1, max: 4 }),
      collectionStyle: fc.constantFrom('any', 'flow', 'block'),
      lineWidth: fc.constantFrom(0, 20),
    });
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]+$/), tree, { minKeys: 1, maxKeys: 4 }),
        tree,
        style,
        (probe, rest, options) => {
          const text = stringify(
            { probe, rest },
            { ...options, collectionStyle: options.collectionStyle as 'any' },
          );
          const { text: after, refused } = edit(text, timeout);
          if (refused.length > 0) expect(after).toBe(text);
          else
            expect(parse(after)).toEqual({
              probe: { ...parse(text).probe, timeoutSeconds: 5 },
              rest: parse(text).rest,
            });
        },
      ),
      { numRuns: 300 },
    );
  });
});
