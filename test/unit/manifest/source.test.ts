import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isProblem, problemText, readManifest, type SourceDocument } from '../../../src/manifest/source.ts';
import { pointer } from '../../../src/pod/pointer.ts';

function documentsOf(text: string): readonly SourceDocument[] {
  return [...readManifest(text, 'f')].flatMap((read) => (isProblem(read) ? [] : [read]));
}

function problemsOf(text: string): readonly string[] {
  return [...readManifest(text, 'f')].filter(isProblem).map(problemText);
}

/** What stands in a text from a position on. */
function textAt(text: string, { line, column }: { line: number; column: number }): string {
  return text.split('\n')[line - 1]?.slice(column - 1) ?? '';
}

describe('positionOf', () => {
  const yaml = [
    '# first',
    'kind: Pod',
    '---',
    'kind: Pod',
    'spec:',
    '  base: &base',
    '    command: [a]',
    '  containers:',
    '  - name: app',
    '    probe: *base',
    '  -   name: other',
    '      probe: {<<: *base, "x/y": 1}',
    '',
  ].join('\n');

  it.each([
    ['', 'kind: Pod'],
    ['/spec/containers/1', 'name: other'],
    ['/spec/containers/1/probe/x~1y', '"x/y": 1}'],
    ['/spec/containers/0/probe', 'probe: *base'],
    ['/spec/containers/0/probe/command/0', 'a]'],
    ['/spec/containers/1/probe/command', 'command: [a]'],
    ['/spec/nothing/here', 'spec:'],
  ])('finds %j in YAML', (at, expected) => {
    const document = documentsOf(yaml)[1];
    expect(textAt(yaml, document?.positionOf(at) ?? { line: 0, column: 0 })).toBe(expected);
  });

  it('finds items of lists, in YAML and in JSON, below their own root', () => {
    const list = 'kind: List\nitems:\n- kind: A\n- kind: B\n  spec: {x: 1}\n';
    expect(documentsOf(list)[1]?.positionOf('/spec/x')).toEqual({ line: 5, column: 10 });
    const json =
      '{"kind": "List",\n "items": [\n  {"kind": "A"},\n  {"kind": "B", "spec": {"x": [7]}}\n ]}\n';
    const [first, second] = documentsOf(json);
    expect(first?.start).toEqual({ line: 3, column: 3 });
    expect(second?.positionOf('/spec/x/0')).toEqual({ line: 4, column: 32 });
    expect(second?.positionOf('/no')).toEqual({ line: 4, column: 3 });
  });

  it('finds every value of any JSON, indented or not', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(0, 1, '\t'),
        (object, indent) => {
          const text = JSON.stringify(object, null, indent);
          const [document] = documentsOf(text);
          for (const key of Object.keys(object)) {
            const found = textAt(text, document?.positionOf(pointer('', key)) ?? { line: 0, column: 0 });
            expect(found.startsWith(`${JSON.stringify(key)}:`)).toBe(true);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('readManifest', () => {
  it('reads Windows text: a byte order mark and CRLF', () => {
    const [document] = documentsOf('\ufeffkind: Pod\r\nspec:\r\n  a: 1\r\n');
    expect(document?.value).toEqual({ kind: 'Pod', spec: { a: 1 } });
    expect(document?.positionOf('/spec/a')).toEqual({ line: 3, column: 3 });
    expect(documentsOf('\ufeff{"kind": "Pod"}')[0]?.start).toEqual({ line: 1, column: 1 });
  });

  it('says where tabs indent YAML, and where keys stand twice, in YAML and in JSON', () => {
    expect(problemsOf('kind: Pod\nspec:\n\ta: 1\n')).toEqual([
      'f:3: not valid YAML: Tabs are not allowed as indentation',
    ]);
    expect(problemsOf('a: 1\nb: {c: 1,\n  c: 2}\n')).toEqual([
      'f:3: not valid YAML: Map keys must be unique',
    ]);
    expect(problemsOf('{"a": {"b": 1,\n "b": 2}, "c": ["b", "b"]}')).toEqual([
      'f:2: not valid YAML: Map keys must be unique',
    ]);
    expect(problemsOf('{"a": 1, "\\u0061": 2}')).toHaveLength(1);
    expect(problemsOf('{"a": {"b": 1}, "b": [{"b": 1}, {"b": "a"}]}')).toEqual([]);
  });

  it('reads a hundred thousand keys in one map without looking at each pair of them', () => {
    const text = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1\n`).join('');
    expect(Object.keys(documentsOf(text)[0]?.value ?? {})).toHaveLength(20_000);
  });

  it('refuses YAML that would not fit into memory as nodes, but reads as much JSON, and the next document', () => {
    const long = 'x'.repeat(9 * 1024 * 1024);
    expect(problemsOf(`a: ${long}\n---\nkind: Pod\n`)).toEqual([
      'f:1: this document has 10 MiB; expected at most 8 MiB of YAML, or valid JSON',
    ]);
    expect(documentsOf(`a: ${long}\n---\nkind: Pod\n`)).toHaveLength(1);
    expect(documentsOf(`{"a": "${long}"}`)).toHaveLength(1);
  });

  it('survives closed brackets, nested without end', () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    expect(problemsOf(`a: ${deep}\n---\nb: 1\n`)).toEqual(['f:1: this document is nested too deeply']);
    expect(documentsOf(`{"a": ${deep}}`)).toHaveLength(1);
  });
});
