import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsOf, escapeText, table, terminalOf, wrap } from '../../src/terminal.ts';

const plain = terminalOf({}, { COLUMNS: '40' });

describe('terminalOf', () => {
  it.each([
    { isTTY: true, env: {}, colour: true },
    { isTTY: false, env: {}, colour: false },
    { isTTY: true, env: { NO_COLOR: '1' }, colour: false },
    { isTTY: true, env: { NO_COLOR: '' }, colour: true },
    { isTTY: true, env: { TERM: 'dumb' }, colour: false },
    { isTTY: false, env: { FORCE_COLOR: '1' }, colour: true },
    { isTTY: true, env: { FORCE_COLOR: '0' }, colour: false },
    { isTTY: false, env: { FORCE_COLOR: '3', NO_COLOR: '1' }, colour: true },
  ])('decides on colour: $isTTY with $env', ({ isTTY, env, colour }) => {
    const terminal = terminalOf({ isTTY }, env);
    expect(terminal.colour).toBe(colour);
    expect(terminal.paint('red', 'x')).toBe(colour ? '\x1b[31mx\x1b[39m' : 'x');
  });

  it.each([
    { columns: 132, env: { COLUMNS: '90' }, width: 132 },
    { columns: undefined, env: { COLUMNS: '90' }, width: 90 },
    { columns: undefined, env: {}, width: 100 },
    { columns: 0, env: { COLUMNS: 'wide' }, width: 100 },
    { columns: 3, env: {}, width: 40 },
  ])('takes the width $width of $columns and $env', ({ columns, env, width }) => {
    expect(terminalOf(columns === undefined ? {} : { columns }, env).width).toBe(width);
  });
});

describe('escapeText', () => {
  it.each([
    ['\x1b[31mred\x1b[0m', '\\x1b[31mred\\x1b[0m'],
    ['two\nlines\r\n\tand a tab', 'two\\x0alines\\x0d\\x0a\\x09and a tab'],
    ['\x9b31m', '\\x9b31m'],
    ['nul\0 del\x7f', 'nul\\x00 del\\x7f'],
    ['user\u202etxt.exe\u2066', 'user\\u{202e}txt.exe\\u{2066}'],
    ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
    ['line\u2028separator', 'line\\u{2028}separator'],
    ['tag \u{e0041}', 'tag \\u{e0041}'],
    ['lone \ud800 surrogate', 'lone \\u{d800} surrogate'],
    ['Grüße, 墓守 🧟', 'Grüße, 墓守 🧟'],
  ])('shows %j', (text, shown) => {
    expect(escapeText(text)).toBe(shown);
  });

  it('leaves nothing that a terminal would act on', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
    );
  });
});

describe('table', () => {
  it('aligns columns and wraps the last one between words', () => {
    const rows = [
      ['web', 'tini', 'The command line is known and nothing speaks against it.'],
      ['database', '-', 'Opted out.'],
    ];
    expect(table(rows, plain)).toBe(
      [
        'web       tini  The command line is',
        '                known and nothing speaks',
        '                against it.',
        'database  -     Opted out.',
        '',
      ].join('\n'),
    );
  });

  it('paints cells without losing the columns', () => {
    const coloured = terminalOf({ isTTY: true, columns: 60 }, {});
    const rows = [
      [{ text: 'a', style: 'green' as const }, 'x'],
      ['long', 'y'],
    ];
    expect(table(rows, coloured)).toBe('\x1b[32ma\x1b[39m     x\nlong  y\n');
  });

  it('paints each line of a wrapped cell by itself', () => {
    const coloured = terminalOf({ isTTY: true, columns: 40 }, {});
    const text = `${'word '.repeat(9)}word`;
    expect(table([['a', { text, style: 'red' }]], coloured)).toBe(
      `a  \x1b[31m${'word '.repeat(6)}word\x1b[39m\n   \x1b[31mword word word\x1b[39m\n`,
    );
  });

  it('counts wide characters as two columns', () => {
    expect(
      table(
        [
          ['墓守', 'x'],
          ['abcd', 'y'],
        ],
        plain,
      ),
    ).toBe('墓守  x\nabcd  y\n');
  });

  it('copes with no rows, short rows and a terminal narrower than its columns', () => {
    expect(table([], plain)).toBe('');
    expect(table([['a', 'b', 'c'], ['d']], plain)).toBe('a  b  c\nd\n');
    expect(table([['x'.repeat(60), 'two words and twenty columns']], plain)).toBe(
      `${'x'.repeat(60)}  two words and twenty\n${' '.repeat(62)}columns\n`,
    );
  });
});

describe('wrap', () => {
  it('breaks a word that is too long, and never exceeds the width', () => {
    expect(wrap('a registry.example.com/x b', 10)).toEqual(['a', 'registry.e', 'xample.com', '/x b']);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 30 }), (text, width) => {
        const lines = wrap(text, width);
        expect(lines.every((line) => columnsOf(line) <= width)).toBe(true);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      }),
    );
  });
});
