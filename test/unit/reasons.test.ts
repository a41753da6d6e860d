import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { isJsonObject } from '../../src/pod/json.ts';
import { pageOf, reasonCodes, reasons } from '../../src/reasons.ts';

const page = readFileSync(new URL('../../docs/reasons.md', import.meta.url), 'utf8');
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n')[0], section] as const),
);

const remedies = join(import.meta.dirname, '../remedies');

function documentsOf(yaml: string): readonly unknown[] {
  return parseAllDocuments(yaml).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });
}

/** Whether a value has all that an excerpt of it says: members of objects, elements of lists of objects. */
function holds(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    if (!part.every(isJsonObject)) return JSON.stringify(whole) === JSON.stringify(part);
    return Array.isArray(whole) && part.every((each) => whole.some((element) => holds(element, each)));
  }
  if (!isJsonObject(part)) return whole === part;
  return isJsonObject(whole) && Object.entries(part).every(([key, value]) => holds(whole[key], value));
}

describe('reasons', () => {
  it.each(reasonCodes)('%s is kebab-case, one sentence, and has its section on the page', (code) => {
    expect(code).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    expect(reasons[code].sentence).toMatch(/^[A-Zs].*\.$/);
    expect(sections.get(code)).toContain(reasons[code].sentence);
    expect(sections.get(code)).toContain(`**What to do:** ${reasons[code].advice}\n`);
    expect(pageOf(code)).toBe(`docs/reasons.md#${code}`);
  });

  it.each(reasonCodes.filter((code) => !reasons[code].silent))(
    '%s has a short form that fits a warning',
    (code) => {
      expect(reasons[code].short).toMatch(/^[\x20-\x7e]{10,70}$/);
    },
  );

  it.each(reasonCodes)('%s has an example that is part of one of its fixtures', (code) => {
    const excerpts = documentsOf(reasons[code].example);
    expect(excerpts.length).toBeGreaterThan(0);
    const found = readdirSync(join(remedies, code))
      .filter((file) => file.endsWith('.yaml'))
      .filter((file) => {
        const whole = documentsOf(readFileSync(join(remedies, code, file), 'utf8')).filter(isJsonObject);
        const places = whole.flatMap((document) => [document, document.spec]);
        return excerpts.every((excerpt) => places.some((place) => holds(place, excerpt)));
      });
    expect(found).not.toEqual([]);
  });

  it('are all that the page speaks of, in the same order', () => {
    expect([...sections.keys()]).toEqual(reasonCodes);
  });
});
