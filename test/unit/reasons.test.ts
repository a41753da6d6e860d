import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pageOf, reasonCodes, reasons } from '../../src/reasons.ts';

const page = readFileSync(new URL('../../docs/reasons.md', import.meta.url), 'utf8');
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n')[0], section] as const),
);

describe('reasons', () => {
  it.each(reasonCodes)('%s is kebab-case, one sentence, and has its section on the page', (code) => {
    expect(code).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    expect(reasons[code].sentence).toMatch(/^[A-Zs].*\.$/);
    expect(sections.get(code)).toContain(reasons[code].sentence);
    expect(sections.get(code)).toContain('**What to do:**');
    expect(pageOf(code)).toBe(`docs/reasons.md#${code}`);
  });

  it.each(reasonCodes.filter((code) => !reasons[code].silent))(
    '%s has a short form that fits a warning',
    (code) => {
      expect(reasons[code].short).toMatch(/^[\x20-\x7e]{10,70}$/);
    },
  );

  it('are all that the page speaks of, in the same order', () => {
    expect([...sections.keys()]).toEqual(reasonCodes);
  });
});
