import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, harmless, harmlessName } from '../../../src/admission/text.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 400 });

describe('harmless', () => {
  it('leaves printable ASCII as it is', () => {
    expect(harmless('a `b` "c" <d> ~')).toBe('a `b` "c" <d> ~');
  });

  it.each([
    ['\x1b[31mred\x1b[0m', '?[31mred?[0m'],
    ['one\r\ntwo\tthree', 'one two three'],
    ['\u009b2J', '?2J'],
    ['Zoë 🧟', 'Zo? ?'],
    ['\u202egpj.exe', '?gpj.exe'],
    ['\ud800', '?'],
    ['', ''],
  ])('turns %j into %j', (text, expected) => {
    expect(harmless(text)).toBe(expected);
  });

  it('spells the typographic characters of our own texts in ASCII', () => {
    expect(harmless('timeoutSeconds ≥ 5 …')).toBe('timeoutSeconds >= 5 ...');
  });

  it('yields printable ASCII on one line, whatever it is given', () => {
    fc.assert(fc.property(anyText, (text) => /^[\x20-\x7e]*$/.test(harmless(text))));
  });

  it('looks at no more than the first 4,096 characters', () => {
    expect(harmless('x'.repeat(1_000_000))).toHaveLength(4096);
  });
});

describe('cut', () => {
  it('leaves what fits', () => {
    expect(cut('four', 4)).toBe('four');
  });

  it('cuts between words and drops the punctuation before the cut', () => {
    expect(cut('deprecated upstream, and an Erlang VM per run', 28)).toBe('deprecated upstream, and...');
    expect(cut('deprecated upstream, and an Erlang VM per run', 24)).toBe('deprecated upstream...');
  });

  it('cuts within a word that is too long', () => {
    expect(cut('a'.repeat(50), 10)).toBe('aaaaaaa...');
  });

  it('never passes the limit', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.integer({ min: 3, max: 150 }), (text, limit) => {
        return cut(text, limit).length <= limit;
      }),
    );
  });
});

describe('harmlessName', () => {
  it.each([
    ['app', 'app'],
    ['a: b\n', 'a??b?'],
    ['<script>', '?script?'],
    ['', '(unnamed)'],
  ])('turns %j into %j', (name, expected) => {
    expect(harmlessName(name)).toBe(expected);
  });

  it('cuts a name that no cluster allows', () => {
    expect(harmlessName('n'.repeat(1_000_000), 40)).toBe(`${'n'.repeat(37)}...`);
  });
});
