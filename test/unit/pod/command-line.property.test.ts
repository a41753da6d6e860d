// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the shell's
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CommandLine, readCommandLine } from '../../../src/pod/command-line.ts';

const pieces = [
  ...[
    'sh',
    '-c',
    '--',
    '-',
    'bash',
    'exec',
    'env',
    'A=1',
    'timeout',
    '5',
    'su',
    'u',
    'nohup',
    'busybox',
    'tini',
  ],
  ...[
    'if',
    'then',
    'fi',
    'for',
    'in',
    'do',
    'done',
    'case',
    'esac',
    '{',
    '}',
    '(',
    ')',
    '[[',
    ']]',
    '((',
    '))',
  ],
  ...[
    '&',
    '&&',
    '||',
    '|',
    ';',
    ';;',
    '\n',
    '$(',
    '`',
    '"',
    "'",
    '\\',
    '$@',
    '"$@"',
    '$1',
    '$(',
    '<(',
    '<<E',
    'E',
  ],
  ...[
    '>',
    '2>&1',
    '#',
    '!',
    '*',
    '=',
    'trap',
    'TERM',
    'eval',
    'shift',
    'set',
    'f()',
    'function',
    'coproc',
    'time',
    'a',
  ],
];
const scriptLike = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })), { maxLength: 40 })
  .map((words) => words.join(' '));
const word = fc.oneof(fc.constantFrom(...pieces), scriptLike, fc.string({ unit: 'binary' }));
const argv = fc.oneof(
  fc.array(word, { maxLength: 12 }),
  fc.tuple(fc.constantFrom('sh', 'bash', 'ash'), fc.constant('-c'), scriptLike, word, word),
);

function expectWellFormed(line: CommandLine, words: readonly string[]): void {
  expect(line.argv).toEqual(words);
  expect(line.chain.length > 0).toBe(words.length > 0);
  for (const link of line.chain) expect(link.length).toBeGreaterThan(0);
  if (line.program) expect(line.program.length).toBeGreaterThan(0);
  if (line.program) expect(line.program[0]).toMatch(/^[^$`]+$/);
  if (line.shell?.malformed) expect(line.shell.mayStay).toBe(true);
  for (const { argv, timeoutSeconds } of line.invocations) {
    expect(argv.length).toBeGreaterThan(0);
    if (timeoutSeconds !== null) expect(timeoutSeconds).toBeGreaterThan(0);
  }
}

/** A script of commands without any meaning but a quoted argument. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

describe('reading any words', () => {
  it('gives a well-formed answer and never throws', () => {
    fc.assert(
      fc.property(argv, (words) => expectWellFormed(readCommandLine(words), words)),
      { numRuns: 3000 },
    );
  });

  it('finds a quoted text to be one word, which puts nothing into the background and starts nothing', () => {
    const text = fc.oneof(scriptLike, fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(text, (text) => {
        const { invocations, shell } = readCommandLine(['sh', '-c', `a ${quoted(text)}`]);
        expect(invocations).toMatchObject([{ argv: ['a', text], background: false }]);
        expect(shell?.malformed).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('finds what is quoted for one shell inside another as if it stood alone', () => {
    fc.assert(
      fc.property(scriptLike, (script) => {
        const alone = readCommandLine(['bash', '-c', '--', script]);
        const inner = readCommandLine(['bash', '-c', `exec bash -c -- ${quoted(script)}`]);
        expect(inner.program).toEqual(alone.program);
        expect(inner.shell).toEqual(alone.shell);
        expect(inner.invocations.map(({ argv }) => argv)).toEqual(alone.invocations.map(({ argv }) => argv));
      }),
    );
  });

  it('hands over any parameters as they are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (operands) => {
        const words = ['sh', '-c', 'exec app "$@"', 'sh', ...operands];
        expect(readCommandLine(words).program).toEqual(['app', ...operands]);
      }),
    );
  });

  it('changes nothing but the chain where tini stands in front', () => {
    fc.assert(
      fc.property(
        argv.filter((words) => words.length > 0 && !words[0]?.startsWith('-')),
        (words) => {
          const bare = readCommandLine(words);
          const wrapped = readCommandLine(['tini', '--', ...words]);
          expect(wrapped.chain).toEqual([['tini', '--'], ...bare.chain]);
          expect(wrapped.program).toEqual(bare.program);
          expect(wrapped.shell).toEqual(bare.shell);
        },
      ),
    );
  });
});

describe('reading the same words again', () => {
  it('gives the same answer without reading', () => {
    const words = ['sh', '-c', 'exec "$@"', 'sh', 'app'];
    expect(readCommandLine([...words])).toBe(readCommandLine([...words]));
  });

  it('does not take other words for the same', () => {
    const lists = [
      ['a b'],
      ['a', 'b'],
      ['a,b'],
      ['a","b'],
      ['a\ud800'],
      ['a\ud801'],
      ['a\ufffd'],
      ['a', ''],
      ['a'],
    ];
    for (const words of [...lists, ...lists]) expect(readCommandLine(words).program).toEqual(words);
  });

  it.each([
    ['a long command line', ['app', 'x'.repeat(5000)]],
    ['a short one that becomes long', ['sh', '-c', 'a "$*";'.repeat(100), 'sh', 'x'.repeat(1000)]],
  ])('keeps nothing of %s', (_what, words) => {
    const first = readCommandLine(words);
    expect(readCommandLine(words)).not.toBe(first);
    expect(readCommandLine(words)).toEqual(first);
  });
});

describe('words beyond all bounds', () => {
  const openers = [
    '$(',
    '"$(',
    '`',
    '(',
    '{ ',
    '((',
    '[[ ',
    '${',
    '$((',
    'a[$(',
    '<(',
    '{a,',
    '@(',
    '[a',
    '"',
    "'",
    '\\`',
  ];
  const repeated = [
    ...[
      'a;',
      'a|',
      'a&&',
      'a ',
      'a & ',
      '$(a)',
      '$@;',
      '"$*" ',
      'eval ',
      'trap x TERM;',
      'f(){ a; };f;',
      'a <<E ',
    ],
    ...[
      'a <<E\nE\n',
      'if ',
      'if a; then ',
      'case a in a) ',
      'while ',
      '! ',
      'time ',
      'sh -c ',
      '`\\`\\\\`',
      '$((1+',
      '\n',
    ],
  ];
  it.each([...openers, ...repeated])('are read in bounded work: a megabyte of %j', (unit) => {
    const script = unit.repeat(1_000_000 / unit.length);
    const words = ['bash', '-c', script, 'sh', 'x', 'y'];
    const line = readCommandLine(words);
    expectWellFormed(line, words);
    expect(line.shell).toMatchObject({ malformed: true, mayStay: true });
    expect(line.invocations.length).toBeLessThanOrEqual(10_000);
  });

  it.each([
    'sh',
    'env',
    'nice',
    'timeout',
    '-c',
    'A=1',
    '/entrypoint.sh',
    '--',
    'su',
    'busybox',
    'exec',
    '$@',
    '"',
  ])('are read in bounded work: 10,000 × %j', (unit) => {
    const many: string[] = Array(10_000).fill(unit);
    expectWellFormed(readCommandLine(many), many);
    for (const start of [
      ['sh', '-c', '"$@";'.repeat(5000)],
      ['su', 'u'],
      ['env', '-S'],
      ['tini', '-v'],
      ['sh'],
    ]) {
      const words = [...start, ...many];
      expectWellFormed(readCommandLine(words), words);
    }
  });

  it('are read in bounded work: one very long word', () => {
    for (const long of [
      '1'.repeat(500_000),
      `-${'v'.repeat(500_000)}`,
      '"\\'.repeat(200_000),
      ' '.repeat(500_000),
    ]) {
      for (const start of [
        ['timeout'],
        ['tini'],
        ['env', '-S'],
        ['sh'],
        ['bash', '-c'],
        ['nice', '-n'],
        [],
      ]) {
        const words = [...start, long, 'x', 'app'];
        expectWellFormed(readCommandLine(words), words);
      }
    }
  });

  it('are not followed for ever: a shell in a shell in a shell', () => {
    const words = [...Array.from({ length: 200 }, () => ['bash', '-c', '"$0" "$@"']).flat(), 'app'];
    const line = readCommandLine(words);
    expectWellFormed(line, words);
    expect(line).toMatchObject({ program: null, shell: { malformed: true, mayStay: true } });
  });
});
