import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { isMap, isScalar, LineCounter, parseAllDocuments } from 'yaml';
import { auditSarif } from '../../src/audit/formats/sarif.ts';
import type { AuditReport } from '../../src/audit/report.ts';
import { auditOf } from '../unit/audit/audit-of.ts';
import { hostileManifest } from './hostile-manifest.ts';

/*
 * SARIF against its schema, and against what GitHub's code scanning asks beyond it:
 * https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning
 */
const root = join(import.meta.dirname, '../..');
const manifests = ['test/rules', 'test/remedies', 'test/audit/charts', 'manifests/demo']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  .filter((file) => file.endsWith('.yaml'))
  .sort();

const ajv = new Ajv2020({ allErrors: true, strict: false });
addFormats.default(ajv);
const isSarif = ajv.compile(
  JSON.parse(readFileSync(join(import.meta.dirname, 'schema/sarif-2.1.0.json'), 'utf8')),
);

interface Result {
  readonly ruleId: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string };
      readonly region: { readonly startLine: number; readonly startColumn: number };
    };
    readonly logicalLocations: readonly { readonly fullyQualifiedName: string }[];
  }[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
}

/** The run of a report, which must be valid. */
function runOf(report: AuditReport) {
  const log = JSON.parse(auditSarif(report));
  isSarif(log);
  expect(isSarif.errors ?? []).toEqual([]);
  expect(log.runs).toHaveLength(1);
  const [{ results, tool, invocations }] = log.runs;
  return { results: results as readonly Result[], rules: tool.driver.rules, invocations };
}

/** Line and column of every member `command` of a text, counted from 1 in UTF-16 units, by a parse of its own. */
function commandsIn(text: string): ReadonlySet<string> {
  const lines = new LineCounter();
  const places = new Set<string>();
  const visit = (node: unknown): void => {
    if (!isMap(node)) {
      for (const item of (node as { items?: readonly unknown[] } | null)?.items ?? []) visit(item);
      return;
    }
    for (const { key, value } of node.items) {
      if (isScalar(key) && key.value === 'command' && key.range) {
        const { line, col } = lines.linePos(key.range[0]);
        places.add(`${line}:${col}`);
      }
      visit(value);
    }
  };
  for (const document of parseAllDocuments(text, { lineCounter: lines })) visit(document.contents);
  return places;
}

it('looks at every fixture, chart and manifest of the demo', () => {
  expect(manifests.length).toBeGreaterThan(200);
});

describe.each(manifests)('%s', (file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const report = auditOf(text, {}, file);
  const findings = report.objects.flatMap((object) => object.findings);

  it('is valid SARIF', () => {
    expect(runOf(report).results).toHaveLength(findings.length);
  });

  it('has each result at the command of its probe', () => {
    const { results } = runOf(report);
    const commands = commandsIn(text);
    for (const [index, { locations, ruleId }] of results.entries()) {
      const [location] = locations;
      const { startLine = 0, startColumn = 0 } = location?.physicalLocation.region ?? {};
      expect(commands).toContain(`${startLine}:${startColumn}`);
      expect(location?.physicalLocation.artifactLocation).toEqual({
        uri: encodeURI(file),
        uriBaseId: '%SRCROOT%',
      });
      // The line is that of the probe which the result names, and of no other.
      const { pointer = '', rule } = findings[index] ?? {};
      expect(ruleId).toBe(rule);
      expect(location?.logicalLocations[0]?.fullyQualifiedName.endsWith(pointer)).toBe(true);
      const probe = pointer.split('/').at(-3) ?? '';
      const above = text.split('\n').slice(0, startLine).reverse();
      expect(above.find((line) => /(liveness|readiness|startup)Probe/.test(line))).toContain(probe);
    }
  });
});

describe('what names and files may hold', () => {
  const report = auditOf(hostileManifest, {}, 'a,b:c\n<d> {0}%.yaml');
  const unread = auditOf(`${hostileManifest}\n---\na: [\n`, {}, '../[x](y).yaml');

  it('is valid SARIF', () => {
    expect(runOf(report).results.length).toBeGreaterThan(0);
    expect(runOf(unread).invocations[0]).toMatchObject({ executionSuccessful: false });
  });

  it('is neither a placeholder nor a link in a message', () => {
    for (const { message } of runOf(report).results) {
      expect(message.text).not.toMatch(/\{\d+\}|\]\(/);
      expect(message.text).toContain('{ 0 }');
      expect(message.text).toContain('[click] (https://evil.example)');
    }
  });
});

describe('what code scanning asks', () => {
  const file = 'test/rules/rabbitmq-node-health-check/fail/stable-chart.yaml';
  const { rules, results } = runOf(
    auditOf(readFileSync(join(root, file), 'utf8'), {}, relative(root, join(root, file))),
  );

  it('of rules: texts, a level, a severity, few tags', () => {
    for (const {
      id,
      name,
      shortDescription,
      fullDescription,
      help,
      defaultConfiguration,
      properties,
    } of rules) {
      expect(id.length).toBeLessThanOrEqual(255);
      expect(name).toMatch(/^([A-Z][a-z0-9]*)+Probe$/);
      for (const { text } of [shortDescription, fullDescription]) {
        expect(text.length).toBeGreaterThan(0);
        expect(text.length).toBeLessThanOrEqual(1024);
      }
      expect(help.text.length).toBeGreaterThan(0);
      expect(help.markdown).toContain('```yaml\n');
      expect(['error', 'warning', 'note']).toContain(defaultConfiguration.level);
      expect(['error', 'warning', 'recommendation']).toContain(properties['problem.severity']);
      expect(properties.tags.length).toBeLessThanOrEqual(10);
      expect(properties).not.toHaveProperty('security-severity');
    }
  });

  it('of results: a relative path, a line, a fingerprint that leaves its own to the upload', () => {
    expect(results.length).toBeGreaterThan(0);
    for (const { locations, partialFingerprints } of results) {
      expect(locations).toHaveLength(1);
      expect(locations[0]?.physicalLocation.artifactLocation.uri).toBe(file);
      expect(locations[0]?.physicalLocation.region.startLine).toBeGreaterThan(0);
      expect(Object.keys(partialFingerprints)).toEqual(['gravekeeperFinding/v1']);
    }
  });

  it('at most 25,000 results, the worst first, and how many there are', () => {
    const probes = (name: string, command: string) =>
      `  - {name: ${name}, image: debian:12, livenessProbe: {exec: {command: ${command}}, timeoutSeconds: 5}}\n`;
    const containers = Array.from({ length: 30 }, (_, index) =>
      index === 29 ? probes('rabbit', '[rabbitmqctl, node_health_check]') : probes(`c${index}`, '[/x.sh]'),
    ).join('');
    const one = auditOf(
      `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n${containers}`,
    );
    const [object] = one.objects;
    if (!object) throw new Error('no object');
    const many: AuditReport = { ...one, objects: Array.from({ length: 900 }, () => object) };
    const log = runOf(many);
    expect(log.results).toHaveLength(25_000);
    expect(log.results.slice(0, 900).every(({ ruleId }) => ruleId === 'rabbitmq-node-health-check')).toBe(
      true,
    );
    expect(log.invocations[0].toolExecutionNotifications[0].message.text).toContain(
      'there are 27000 findings',
    );
  });
});
