// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are a shell's
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type EnvEntry,
  escapeDollars,
  expandVariables,
  expandWords,
  literalEnv,
} from '../../../src/pod/expand.ts';

const env = new Map([
  ['A', 'one'],
  ['B', 'two words'],
  ['EMPTY', ''],
  ['REF', '$(A)'],
  ['with space', 'x'],
]);

describe('expandVariables', () => {
  // Among them the cases of kubernetes third_party/forked/golang/expansion/expand_test.go.
  it.each([
    ['', ''],
    ['plain', 'plain'],
    ['$(A)', 'one'],
    ['-$(A)-$(B)-', '-one-two words-'],
    ['$(A)$(A)', 'oneone'],
    ['x$(EMPTY)y', 'xy'],
    ['$(REF)', '$(A)'],
    ['$(with space)', 'x'],
    ['$(NOPE)', '$(NOPE)'],
    ['$(NOPE)$(A)', '$(NOPE)one'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$one'],
    ['$$$$(A)', '$$(A)'],
    ['$$', '$'],
    ['$$$', '$$'],
    ['$', '$'],
    ['a$', 'a$'],
    ['$A', '$A'],
    ['${A}', '${A}'],
    ['$()', '$()'],
    ['$(', '$('],
    ['$(A', '$(A'],
    ['$(A$$', '$(A$'],
    ['$$(A', '$(A'],
    ['$(A$(B)', '$(A$(B)'],
    ['$($(A))', '$($(A))'],
    ['$(A))', 'one)'],
    ['$x$(A)', '$xone'],
    ['$\n(A)', '$\n(A)'],
    ['`$(A)`', '`one`'],
  ])('%j becomes %j', (text, expanded) => {
    expect(expandVariables(text, (name) => env.get(name))).toBe(expanded);
  });

  it('does not take $& and the like in a value for a pattern', () => {
    expect(expandVariables('x$(V)y', () => "$&$1$$$`$'")).toBe("x$&$1$$$`$'y");
  });

  it.each(['$(', '$', '$$', '$()', '$(A)', '('])('takes time in proportion to a megabyte of %j', (unit) => {
    const text = unit.repeat(1_000_000 / unit.length);
    expect(expandVariables(text, () => undefined)).toHaveLength(
      unit === '$' || unit === '$$' ? 500_000 : text.length,
    );
  });
});

describe('escapeDollars', () => {
  it.each([
    ['', ''],
    ['$', '$$'],
    ['$(A)', '$$(A)'],
    ['$$ a ${B}', '$$$$ a $${B}'],
  ])('%j becomes %j', (text, escaped) => {
    expect(escapeDollars(text)).toBe(escaped);
  });

  it('is undone by the expansion, whatever the text and the variables', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom('$', '$$', '(', ')', '$(', '$(A)', 'A', ' ')).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, fc.dictionary(fc.string(), fc.string()), (text, variables) => {
        const known = new Map([...env, ...Object.entries(variables)]);
        expect(expandVariables(escapeDollars(text), (name) => known.get(name))).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('literalEnv', () => {
  const cases: readonly (readonly [what: string, env: readonly EnvEntry[] | null, known: object])[] = [
    ['nothing', null, {}],
    ['an empty list', [], {}],
    [
      'literals',
      [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
      { A: '1', B: '2' },
    ],
    ['no value at all, which is empty', [{ name: 'A' }, { name: 'B', value: null }], { A: '', B: '' }],
    [
      'earlier variables',
      [
        { name: 'A', value: '1' },
        { name: 'B', value: '$(A)2' },
      ],
      { A: '1', B: '12' },
    ],
    [
      'a later variable, which is not known yet',
      [
        { name: 'B', value: '$(A)' },
        { name: 'A', value: '1' },
      ],
      { A: '1' },
    ],
    [
      'a later duplicate, which wins',
      [
        { name: 'A', value: '1' },
        { name: 'A', value: '$(A)2' },
      ],
      { A: '12' },
    ],
    ['an escaped reference', [{ name: 'A', value: '$$(B)' }], { A: '$(B)' }],
    ['a lone $', [{ name: 'A', value: 'a$b$' }], { A: 'a$b$' }],
    ['valueFrom', [{ name: 'A', valueFrom: { fieldRef: {} } }], {}],
    ['valueFrom: null', [{ name: 'A', value: '1', valueFrom: null }], { A: '1' }],
    [
      'valueFrom after a literal',
      [
        { name: 'A', value: '1' },
        { name: 'A', valueFrom: {} },
      ],
      {},
    ],
    [
      'a literal after valueFrom',
      [
        { name: 'A', valueFrom: {} },
        { name: 'A', value: '1' },
      ],
      { A: '1' },
    ],
    [
      'an unknown reference after a literal',
      [
        { name: 'A', value: '1' },
        { name: 'A', value: '$(X)' },
      ],
      {},
    ],
    [
      'a reference to valueFrom',
      [
        { name: 'A', valueFrom: {} },
        { name: 'B', value: 'x$(A)' },
      ],
      {},
    ],
    [
      'names of prototype keys',
      [
        { name: '__proto__', value: '1' },
        { name: 'B', value: '$(constructor)' },
      ],
      { ['__proto__']: '1' },
    ],
  ];
  it.each(cases)('of %s', (_what, entries, known) => {
    expect([...literalEnv(entries)]).toEqual(Object.entries(known));
  });
});

describe('what would grow without end', () => {
  const doubling = Array.from({ length: 60 }, (_, level) => ({
    name: `v${level}`,
    value: level === 0 ? 'a'.repeat(10) : `$(v${level - 1})$(v${level - 1})`,
  }));

  it('is not evaluated: a variable that is too long is unknown', () => {
    const env = literalEnv(doubling);
    expect(env.get('v5')).toBe('a'.repeat(320));
    expect(env.has('v40')).toBe(false);
    expect([...env.values()].join('').length).toBeLessThanOrEqual(262_144);
  });

  it('is not expanded: the words are not known then', () => {
    const long = 'x'.repeat(50_000);
    expect(expandWords(['app', '$(V)'], () => long)).toEqual(['app', long]);
    expect(expandWords(Array(10).fill('$(V)'), () => long)).toBeNull();
    expect(expandWords(['$(V)'.repeat(25_000)], () => long)).toBeNull();
  });
});
