import { describe, expect, test } from 'vitest';
import { explain, explainCommand, jsonOf, textOf } from '../../../src/commands/explain.ts';
import { nearest } from '../../../src/commands/nearest.ts';
import { InputError } from '../../../src/input-error.ts';
import { reasonCodes, reasons } from '../../../src/reasons.ts';
import { rules } from '../../../src/rules/index.ts';
import type { Terminal } from '../../../src/terminal.ts';

const plain: Terminal = { width: 80, colour: false, paint: (_style, text) => text };

/** The words of a text, however its lines are broken. */
function flat(text: string): string {
  return text.replace(/\s+/g, ' ');
}

test('the list names every rule and every reason with its sentence', () => {
  const text = flat(textOf(explain(undefined), plain));
  for (const { id, title } of rules) {
    expect(text).toContain(id);
    expect(text.replaceAll(' ', '')).toContain(title.replaceAll(' ', ''));
  }
  for (const code of reasonCodes) expect(text).toContain(code);
});

describe.each(rules)('explain $id', (rule) => {
  test('says why, when, what instead, shows the example and names the page, in 80 columns', () => {
    const text = textOf(explain(rule.id), plain);
    const { title, why, notes, fires, neighbours = '', instead, measured } = rule;
    for (const part of [title, why, ...notes, ...fires, neighbours, instead])
      expect(flat(text)).toContain(part);
    for (const { command } of measured?.rows ?? []) expect(flat(text)).toContain(command);
    for (const line of rule.example.before.trimEnd().split('\n')) expect(text).toContain(line);
    for (const line of rule.example.after.trimEnd().split('\n')) expect(text).toContain(line);
    expect(text).toContain(`docs/rules/${rule.id}.md\n`);
    for (const [name, value] of Object.entries(rule.defaults)) expect(text).toContain(`${name} ${value}`);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe.each(reasonCodes)('explain %s', (code) => {
  test('says its sentence, what to do, an example and the page', () => {
    const text = textOf(explain(code), plain);
    expect(flat(text)).toContain(reasons[code].sentence);
    expect(flat(text)).toContain(reasons[code].advice);
    for (const line of reasons[code].example.trimEnd().split('\n')) expect(text).toContain(line);
    expect(text).toContain(`docs/reasons.md#${code}\n`);
  });
});

describe('an unknown topic', () => {
  test.each([
    ['erlang-cly', 'erlang-cli'],
    ['timeout', 'busybox-timeout'],
    ['timout', 'inner-timeout'],
    ['shel-not-exec', 'shell-not-exec'],
    ['JVM-CLI', 'jvm-cli'],
  ])('%s: did you mean %s?', (topic, meant) => {
    expect(() => explain(topic)).toThrow(InputError);
    expect(() => explain(topic)).toThrow(meant);
  });

  test('that resembles nothing leads to the list', () => {
    expect(() => explain('xyzzy')).toThrow(/explain without a topic/);
  });

  test('of a stranger is cut and shown without control characters', () => {
    const topic = `\u001b[31m${'x'.repeat(10_000)}`;
    expect(() => explain(topic)).toThrow(/^there is no rule or reason "\\x1b\[31mx{55}…"/);
  });

  test('is not found in what every object has', () => {
    for (const topic of ['constructor', '__proto__', 'toString'])
      expect(() => explain(topic)).toThrow(InputError);
  });
});

test('nearest offers three words at most, the nearest first', () => {
  expect(nearest('aac', ['bbb', 'aab', 'aac', 'caac', 'aaac'])).toEqual(['aac', 'caac', 'aaac']);
  expect(nearest('', ['long-word'])).toEqual([]);
});

test('JSON holds the same', () => {
  expect(jsonOf(explain('erlang-cli'))).toMatchObject({
    rule: {
      id: 'erlang-cli',
      severity: { leaks: 'warning', reaps: 'warning' },
      thresholds: { minPeriodSeconds: 30, minTimeoutSeconds: 10 },
      page: 'docs/rules/erlang-cli.md',
    },
  });
  expect(jsonOf(explain('host-pid'))).toMatchObject({
    reason: { code: 'host-pid', page: 'docs/reasons.md#host-pid' },
  });
  const list = jsonOf(explain(undefined));
  expect(list).toMatchObject({
    rules: rules.map(({ id }) => ({ id })),
    reasons: reasonCodes.map((code) => ({ code })),
  });
});

test('the command is called explain and takes -o json', () => {
  const command = explainCommand();
  expect(command.name()).toBe('explain');
  expect(command.options.map(({ long }) => long)).toContain('--output');
});
