import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatWarnings, type Warning } from '../../../src/admission/warnings.ts';
import { reasonCodes } from '../../../src/reasons.ts';

const warning = (code: string, container: string | null, ...texts: [string, ...string[]]): Warning => ({
  code,
  container,
  texts,
});

const warnings = fc.array(
  fc.record({
    code: fc.constantFrom(...reasonCodes, 'rabbitmq-node-health-check'),
    container: fc.option(fc.string({ unit: 'binary', maxLength: 80 })),
    texts: fc.tuple(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: 'binary' })),
  }),
  { maxLength: 200 },
);

describe('formatWarnings', () => {
  it('names the code, the container and the text', () => {
    expect(formatWarnings([warning('argv-unknown', 'app', 'not known')])).toEqual([
      'gravekeeper argv-unknown: app: not known',
    ]);
  });

  it('leaves the container out for a whole object', () => {
    expect(formatWarnings([warning('host-pid', null, 'on the host')])).toEqual([
      'gravekeeper host-pid: on the host',
    ]);
  });

  it('takes the first text that fits', () => {
    const long = 'word '.repeat(30).trim();
    expect(formatWarnings([warning('windows', 'app', long, 'short')])).toEqual([
      'gravekeeper windows: app: short',
    ]);
  });

  it('cuts the last text where none fits', () => {
    const [line = ''] = formatWarnings([warning('windows', 'app', 'x '.repeat(200), 'word '.repeat(40))]);
    expect(line).toMatch(/^gravekeeper windows: app: word( word)*\.\.\.$/);
    expect(line.length).toBeGreaterThan(110);
    expect(line.length).toBeLessThanOrEqual(120);
  });

  it('says the same thing of several containers once', () => {
    const all = ['app', 'web', 'db'].map((name) => warning('argv-unknown', name, 'not known'));
    expect(formatWarnings(all)).toEqual(['gravekeeper argv-unknown: app, web, db: not known']);
  });

  it('names some containers of many and counts the others', () => {
    const all = Array.from({ length: 10_000 }, (_, index) =>
      warning('argv-unknown', `c${index}`, 'not known'),
    );
    const lines = formatWarnings(all);
    expect(lines).toEqual([
      'gravekeeper argv-unknown: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 +9990 more: not known',
    ]);
  });

  it('keeps different texts of one code apart while they are few', () => {
    const lines = formatWarnings(['a', 'b'].map((name) => warning('unjudgeable', name, `/${name} is lost`)));
    expect(lines).toEqual([
      'gravekeeper unjudgeable: a: /a is lost',
      'gravekeeper unjudgeable: b: /b is lost',
    ]);
  });

  it('merges them where they are many', () => {
    const names = Array.from({ length: 5 }, (_, index) => `c${index}`);
    expect(formatWarnings(names.map((name) => warning('unjudgeable', name, `/${name} is lost`)))).toEqual([
      'gravekeeper unjudgeable: c0, c1, c2, c3, c4: /c0 is lost',
    ]);
  });

  it('keeps what is said of the whole object apart from what is said of a container', () => {
    expect(formatWarnings([warning('windows', 'app', 'text'), warning('windows', null, 'text')])).toEqual([
      'gravekeeper windows: app: text',
      'gravekeeper windows: text',
    ]);
  });

  it('counts what does not fit in the last line', () => {
    const many = Array.from({ length: 100 }, (_, index) =>
      warning('invalid-label', null, `${index} `.repeat(60)),
    );
    const lines = formatWarnings(many);
    expect(lines.at(-1)).toBe(`gravekeeper: ${100 - (lines.length - 1)} more warnings`);
    expect(Buffer.byteLength(lines.join(''))).toBeGreaterThan(3900);
  });

  it('does not let a hostile name forge a line of its own', () => {
    const lines = formatWarnings([warning('host-pid', 'a\ngravekeeper all-clear: \x1b[2J', 'text')]);
    expect(lines).toEqual(['gravekeeper host-pid: a?gravekeeper?all-clear????2J: text']);
  });

  it('holds its limits and says something of every warning, whatever it is given', () => {
    fc.assert(
      fc.property(warnings, (some) => {
        const lines = formatWarnings(some);
        expect(Buffer.byteLength(lines.join(''))).toBeLessThanOrEqual(4096);
        for (const line of lines) {
          expect(line.length).toBeLessThanOrEqual(120);
          expect(line).toMatch(/^gravekeeper(: \d+ more warnings?$| [a-z0-9-]+: )[\x20-\x7e]*$/);
        }
        if (some.length > 0) expect(lines.length).toBeGreaterThan(0);
        const last = lines.at(-1) ?? '';
        if (!/^gravekeeper: \d+ more/.test(last)) {
          for (const { code } of some) expect(lines.join('\n')).toContain(`gravekeeper ${code}: `);
        }
      }),
    );
  });
});
