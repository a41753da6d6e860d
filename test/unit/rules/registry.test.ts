import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { defaultConfig, parseConfig } from '../../../src/config/config.ts';
import { isJsonObject } from '../../../src/pod/json.ts';
import { readPod } from '../../../src/pod/pod.ts';
import { policyOf } from '../../../src/policy/policy.ts';
import { findingsOf, ruleIds, rulePage, rules } from '../../../src/rules/index.ts';
import { lowered, severityClasses } from '../../../src/rules/severity.ts';

const repository = new URL('../../../', import.meta.url);

function findings(containerFields: string) {
  const fields: unknown = parse(containerFields);
  if (!isJsonObject(fields)) throw new Error('expected fields of a container');
  const pod = readPod({ spec: { containers: [{ name: 'example', ...fields }] } });
  expect(pod.containers[0]?.lost, 'fields of a wrong type').toEqual([]);
  const policy = policyOf(pod, { namespace: 'default', namespaceLabels: new Map(), config: defaultConfig });
  return findingsOf(pod, policy, () => 'unknown');
}

test('ids are unique and kebab-case', () => {
  expect(new Set(ruleIds).size).toBe(rules.length);
  for (const id of ruleIds) expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
});

test('every page belongs to a rule', () => {
  const pages = readdirSync(new URL('docs/rules/', repository));
  expect(pages.toSorted()).toEqual(ruleIds.map((id) => `${id}.md`).toSorted());
});

describe.each(rules)('$id', (rule) => {
  const { id, title, why, instead, example, defaults, severityClass, sources } = rule;
  const page = readFileSync(new URL(rulePage(id), repository), 'utf8');

  test('says what it looks for, why, and what to write instead', () => {
    for (const text of [title, why, instead]) expect(text).toMatch(/^[A-Z].+\.$/s);
  });

  test('names its sources, each once', () => {
    expect(sources.length).toBeGreaterThan(0);
    expect(new Set(sources).size).toBe(sources.length);
    for (const source of sources) expect(source).toMatch(/^https:\/\/\S+$/);
  });

  test('finds its example, and no rule has anything to say about the rewritten one', () => {
    expect(findings(example.before).map((finding) => finding.rule)).toEqual([id]);
    expect(findings(example.after)).toEqual([]);
  });

  test('has a page that says the same', () => {
    expect(page.startsWith(`# ${id}\n\n${title}\n`)).toBe(true);
    expect(page).toContain(why);
    expect(page).toContain(instead);
    expect(page).toContain(`\`\`\`yaml\n${example.before}\`\`\``);
    expect(page).toContain(`\`\`\`yaml\n${example.after}\`\`\``);
    for (const source of sources) expect(page).toContain(`<${source}>`);
  });

  test('has a page with its thresholds and no others', () => {
    const table = [...page.matchAll(/^\| `(min\w+Seconds)` \| (\d+) \|$/gm)];
    expect(Object.fromEntries(table.map(([, name, value]) => [name, Number(value)]))).toEqual(defaults);
  });

  test('has a page with its severities', () => {
    const { leaks, reaps } = severityClasses[severityClass];
    expect(page).toContain(`| leaks, or is unknown, or must stay PID 1 | ${leaks} | ${lowered(leaks)} |`);
    expect(page).toContain(`| reaps | ${reaps} | ${lowered(reaps)} |`);
  });

  test('has a page whose ways to silence it work', () => {
    const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml);
    const annotated = blocks.find((yaml) => yaml.includes('annotations:'));
    const pod = readPod(parse(annotated ?? ''));
    const policy = policyOf(pod, { namespace: 'default', namespaceLabels: new Map(), config: defaultConfig });
    expect([...policy.ignoredRules.keys()]).toEqual([id]);
    const configured = blocks
      .filter((yaml) => yaml.startsWith('rules:'))
      .map((yaml) => parseConfig(yaml, { ruleIds }));
    expect(configured[0]).toMatchObject({ config: { rules: { [id]: { severity: 'off' } } } });
    for (const outcome of configured) expect(outcome).not.toHaveProperty('problems');
  });
});
