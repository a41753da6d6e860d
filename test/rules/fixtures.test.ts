import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { defaultConfig } from '../../src/config/config.ts';
import { type Pid1, pid1Of } from '../../src/pid1.ts';
import { isJsonObject } from '../../src/pod/json.ts';
import type { Container, Pod } from '../../src/pod/pod.ts';
import { podOf } from '../../src/pod/templates.ts';
import { policyOf } from '../../src/policy/policy.ts';
import { findingsOf, rules } from '../../src/rules/index.ts';
import type { Finding } from '../../src/rules/rule.ts';
import { lowered, severityClasses } from '../../src/rules/severity.ts';

/*
 * Each fixture is a manifest, <rule>/{pass,fail}/<name>.yaml, and <name>.expected.json beside it lists every
 * finding in it, of whatever rule. PID 1 is read from the manifest itself. `UPDATE_FIXTURES=1 npx vitest run
 * test/rules` rewrites the expected files: read the difference before you commit it.
 */
const root = fileURLToPath(new URL('.', import.meta.url));
const update = process.env.UPDATE_FIXTURES === '1';
const verdicts = ['pass', 'fail'] as const;
const fewest = 3;

interface Fixture {
  readonly rule: string;
  readonly verdict: (typeof verdicts)[number];
  readonly name: string;
  readonly manifest: string;
  readonly expected: string;
}

const fixtures: readonly Fixture[] = rules.flatMap(({ id }) =>
  verdicts.flatMap((verdict) => {
    const folder = join(root, id, verdict);
    const files = existsSync(folder) ? readdirSync(folder) : [];
    return files
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => ({
        rule: id,
        verdict,
        name: `${id}/${verdict}/${basename(file, '.yaml')}`,
        manifest: join(folder, file),
        expected: join(folder, `${basename(file, '.yaml')}.expected.json`),
      }));
  }),
);

function podIn(fixture: Fixture): Pod {
  const document: unknown = parse(readFileSync(fixture.manifest, 'utf8'));
  const pod = isJsonObject(document) ? podOf(document) : null;
  if (!pod) throw new Error(`${fixture.name}: expected a Pod or a workload with a pod template`);
  expect([...pod.lost, ...pod.containers.flatMap(({ lost }) => lost)], 'fields of a wrong type').toEqual([]);
  return pod;
}

function pid1In(pod: Pod, { fields }: Container): Pid1 {
  if (pod.spec.hostPID || pod.spec.shareProcessNamespace) return 'reaps';
  return pid1Of(fields.command?.length ? [...fields.command, ...(fields.args ?? [])] : null);
}

function findingsIn(pod: Pod): readonly Finding[] {
  const policy = policyOf(pod, { namespace: 'default', namespaceLabels: new Map(), config: defaultConfig });
  return findingsOf(pod, policy, (container) => pid1In(pod, container));
}

/** What the expected file holds of a finding: what the reports show. */
function shownOf({ rule, severity, container, probe, pointer, message, fix }: Finding) {
  return { rule, severity, container, probe, pointer, message, fix };
}

describe('the folders', () => {
  test('hold one folder per rule and nothing else', () => {
    const folders = readdirSync(root).filter((entry) => entry !== 'fixtures.test.ts');
    expect(folders.toSorted()).toEqual(rules.map(({ id }) => id).toSorted());
  });

  test.each(rules.map(({ id }) => id))(
    '%s has pass and fail, three fixtures or more, no stray file',
    (id) => {
      expect(readdirSync(join(root, id)).toSorted()).toEqual(['fail', 'pass']);
      const own = fixtures.filter(({ rule }) => rule === id);
      expect(new Set(own.map(({ verdict }) => verdict))).toEqual(new Set(verdicts));
      expect(own.length).toBeGreaterThanOrEqual(fewest);
      for (const verdict of verdicts) {
        const known = own.flatMap(({ manifest, expected }) => [basename(manifest), basename(expected)]);
        const stray = readdirSync(join(root, id, verdict)).filter((file) => !known.includes(file));
        expect(stray).toEqual([]);
      }
      expect(own.every(({ manifest }) => statSync(manifest).isFile())).toBe(true);
    },
  );
});

describe.each(fixtures)('$name', (fixture) => {
  const found = findingsIn(podIn(fixture));

  test(fixture.verdict === 'fail' ? 'the rule finds something' : 'the rule is silent', () => {
    const own = found.filter(({ rule }) => rule === fixture.rule);
    if (fixture.verdict === 'fail') expect(own).not.toEqual([]);
    else expect(own).toEqual([]);
  });

  test('the findings are as expected', () => {
    const actual = found.map(shownOf);
    if (update) writeFileSync(fixture.expected, `${JSON.stringify(actual, null, 2)}\n`);
    const expected: unknown = JSON.parse(readFileSync(fixture.expected, 'utf8'));
    expect(actual).toEqual(expected);
  });

  test('the messages fit a kubectl warning', () => {
    for (const { rule, message } of found) {
      expect(message.length, message).toBeLessThanOrEqual(76);
      expect(`gravekeeper ${rule}: container: ${message}`.length, message).toBeLessThanOrEqual(120);
    }
  });
});

describe.each(rules)('the fixtures of $id reach every severity', ({ id, severityClass }) => {
  const cells = fixtures
    .filter(({ rule }) => rule === id)
    .flatMap((fixture) => {
      const pod = podIn(fixture);
      return findingsIn(pod)
        .filter(({ rule }) => rule === id)
        .flatMap(({ container, probe, severity }) => {
          const owner = pod.containers.find(({ name }) => name === container);
          return owner ? [{ pid1: pid1In(pod, owner), startup: probe === 'startup', severity }] : [];
        });
    });

  test.each(['leaks', 'unknown', 'must-be-pid-1', 'reaps'] as const)('PID 1 %s', (pid1) => {
    const expected = severityClasses[severityClass][pid1 === 'reaps' ? 'reaps' : 'leaks'];
    expect(cells).toContainEqual({ pid1, startup: false, severity: expected });
    expect(cells).toContainEqual({ pid1, startup: true, severity: lowered(expected) });
  });
});
