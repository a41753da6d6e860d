import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problemText, readDocuments } from '../../../src/manifest/read.ts';

const values = (text: string) => readDocuments(text, 'f.yaml').documents.map(({ value }) => value);
const problems = (text: string) => readDocuments(text, 'f.yaml').problems.map(problemText);

describe('readDocuments', () => {
  it('reads documents with the line that each begins on', () => {
    const text = '# a pod\n\nkind: Pod\n---\n# nothing here\n---\n\nkind: Service\nspec: {}\n';
    expect(readDocuments(text, 'f.yaml')).toEqual({
      documents: [
        { value: { kind: 'Pod' }, line: 3 },
        { value: { kind: 'Service', spec: {} }, line: 8 },
      ],
      problems: [],
    });
  });

  it('reads JSON, also indented with tabs, and objects one after another as jq writes them', () => {
    expect(values('{\n\t"kind": "Pod",\n\t"spec": {\n\t\t"a": [1]\n\t}\n}\n')).toEqual([
      { kind: 'Pod', spec: { a: [1] } },
    ]);
    expect(readDocuments('{"a": 1}\n{\n  "b": {}\n}\n{"c": 3}', 'f.json').documents).toEqual([
      { value: { a: 1 }, line: 1 },
      { value: { b: {} }, line: 2 },
      { value: { c: 3 }, line: 5 },
    ]);
  });

  it('has nothing to say of nothing', () => {
    for (const text of ['', '\n', '# only a comment\n', '---\n---\n', '---\nnull\n']) {
      expect(readDocuments(text, 'f.yaml')).toEqual({ documents: [], problems: [] });
    }
  });

  it.each([
    ['an open bracket', 'b: [1, 2'],
    ['an open quote', 'b: "x'],
    ['a wrong indentation', 'b:\n   c: 1\n  d: 2'],
    ['an alias without an anchor', 'b: *nowhere'],
    ['tens of thousands of brackets', '['.repeat(30_000)],
    ['a key that stands twice', 'b: 1\nb: 2'],
    [
      'an alias bomb',
      ['a: &a [x]', ...'bcdef'.split('').map((k, i) => bomb(k, 'abcde'[i] ?? ''))].join('\n'),
    ],
    ['a sentence', 'just text'],
    ['a list', '- 1\n- 2'],
  ])('loses only the document with %s', (_, bad) => {
    const { documents, problems } = readDocuments(`kind: First\n---\n${bad}\n---\nkind: Last\n`, 'f.yaml');
    expect(documents.map(({ value }) => value)).toEqual([{ kind: 'First' }, { kind: 'Last' }]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.line).toBeGreaterThanOrEqual(3);
  });

  it('says what is wrong and where', () => {
    expect(problems('kind: A\n---\nb: 1\nb: 2\n')).toEqual([
      'f.yaml:4: not valid YAML: Map keys must be unique',
    ]);
    expect(problems('- a\n')).toEqual([
      'f.yaml:1: this is a list; expected an object with apiVersion and kind',
    ]);
    expect(problems('# a\n%!@ ]][[ : : {\n')).toEqual([
      'f.yaml:2: a line that begins with % is a directive, and no document follows; expected an object with apiVersion and kind',
    ]);
    expect(problems('['.repeat(30_000))).toEqual(['f.yaml:1: this document is nested too deeply']);
  });

  it('takes lists apart, with the line of each item', () => {
    const text = [
      'apiVersion: v1',
      'kind: List',
      'items:',
      '- kind: Pod',
      '  metadata: {name: a}',
      '- 3',
      '-',
      '  kind: Job',
    ].join('\n');
    expect(readDocuments(text, 'f.yaml')).toEqual({
      documents: [
        { value: { kind: 'Pod', metadata: { name: 'a' } }, line: 4 },
        { value: { kind: 'Job' }, line: 8 },
      ],
      problems: [{ file: 'f.yaml', line: 6, message: 'items[1] is a number; expected an object' }],
    });
  });

  it('gives the items of a typed list the kind that their list implies', () => {
    expect(
      values('{"apiVersion": "apps/v1", "kind": "DeploymentList", "items": [{"metadata": {}}]}'),
    ).toEqual([{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: {} }]);
  });

  it('resolves anchors and merge keys', () => {
    expect(values('base: &base {a: 1}\nmore: {<<: *base, b: 2}\n')).toEqual([
      { base: { a: 1 }, more: { a: 1, b: 2 } },
    ]);
  });

  it('keeps prototype keys as plain members', () => {
    const [value] = values('__proto__: {polluted: 1}\nconstructor: x\n');
    expect(Object.keys(value ?? {})).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('yields nothing but JSON, whatever tags a document bears', () => {
    expect(values('a: !!binary aGk=\nb: !mine x\nc: 2001-01-01\nd: !!set {x}\n')).toEqual([
      { a: 'aGk=', b: 'x', c: '2001-01-01', d: { x: null } },
    ]);
  });

  it('never throws', () => {
    const piece = fc.constantFrom(
      '---\n',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      ': ',
      '\n',
      '  ',
      'a',
      '&x ',
      '*x',
      '|',
      '%',
      '#',
      '?',
      '!',
      '\t',
      '...\n',
      ',',
      '<<',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        readDocuments(pieces.join(''), 'f.yaml');
      }),
    );
  });
});

function bomb(key: string, of: string): string {
  return `${key}: &${key} [${Array.from({ length: 10 }, () => `*${of}`).join(', ')}]`;
}
