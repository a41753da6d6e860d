import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixText } from '../../src/audit/fix-text.ts';
import { auditOf, contextOf } from '../unit/audit/audit-of.ts';

const folder = join(import.meta.dirname, 'charts');
const charts = ['verified', 'from-memory'].flatMap((kind) =>
  readdirSync(join(folder, kind)).map((name) => `${kind}/${name}`),
);

/** What a chart expects at each line of a probe's command: rules with their severities, sorted. */
function expectedIn(text: string): ReadonlyMap<number, readonly string[]> {
  const lines = text.split('\n').flatMap((line, index): [number, readonly string[]][] => {
    const [, expected] = /\bcommand:.*# expect: (.+)$/.exec(line) ?? [];
    return expected === undefined
      ? []
      : [[index + 1, expected === 'nothing' ? [] : expected.split(', ').toSorted()]];
  });
  return new Map(lines);
}

it('holds at least twenty charts whose exec probes were read in their source, twelve of them of projects that go on, each listed in the README', () => {
  const verified = charts.filter((name) => name.startsWith('verified/'));
  expect(verified.length).toBeGreaterThanOrEqual(20);
  const listed = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
  const rowOf = (chart: string) => listed.split('\n').find((line) => /^\| (\S+)/.exec(line)?.[1] === chart);
  for (const name of verified) {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(text, name).toContain('# expect:');
    const [, source = '', commit = ''] = /^# (\S+\/\S+) .* at ([0-9a-f]{7})\b/.exec(text) ?? [];
    const row = rowOf(basename(name, '.yaml'));
    expect(row).toContain(`| ${source} |`);
    expect(row).toContain(commit);
  }
  expect(listed.match(/^\| \S+ \* \|/gm)?.length).toBeGreaterThanOrEqual(12);
});

describe.each(charts)('%s', (name) => {
  const text = readFileSync(join(folder, name), 'utf8');
  const { objects, problems } = auditOf(text);
  const expected = expectedIn(text);

  it('is read as a whole, and names its chart', () => {
    expect(problems).toEqual([]);
    expect(objects).toHaveLength(1);
    expect(objects[0]?.notes).toEqual([]);
    expect(text).toMatch(/^# \S+/);
  });

  it('has the findings that a person expects, each at its command, and no other', () => {
    const found = new Map<number, readonly string[]>([...expected.keys()].map((line) => [line, []]));
    for (const { line = 0, rule, severity } of objects.flatMap(({ findings }) => findings)) {
      found.set(line, [...(found.get(line) ?? []), `${rule} ${severity}`].toSorted());
    }
    expect(found).toEqual(expected);
  });

  it('says of every exec probe what is expected', () => {
    const probes = text.match(/^ *exec:\n *command:/gm)?.length ?? 0;
    const hooks = text.match(/lifecycle:/g)?.length ?? 0;
    expect(expected.size).toBe(probes - hooks);
  });

  it('keeps everything but what a fix writes', async () => {
    const { text: fixed, fixes } = await fixText(text, name, contextOf(text));
    const lines = fixed.split('\n');
    expect(lines.length - text.split('\n').length).toBeLessThanOrEqual(fixes.length);
    const kept = text.split('\n').filter((line) => !/^ *timeoutSeconds: \d+$/.test(line));
    expect(lines.filter((line) => !/^ *timeoutSeconds: \d+$/.test(line))).toEqual(kept);
  });
});
