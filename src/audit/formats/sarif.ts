import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Severity } from '../../config/config.ts';
import { rules } from '../../rules/index.ts';
import type { Rule } from '../../rules/rule.ts';
import { severityClasses } from '../../rules/severity.ts';
import { escapeJson } from '../../terminal.ts';
import { version } from '../../version.ts';
import { findingIdentity } from '../identity.ts';
import type { AuditedFinding, AuditedObject, AuditReport } from '../report.ts';
import { objectName } from './wording.ts';

const levels: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };
/** What code scanning calls the levels where it sorts alerts. */
const problemSeverities: Readonly<Record<Severity, string>> = {
  error: 'error',
  warning: 'warning',
  info: 'recommendation',
};
const root = '%SRCROOT%';
/** Code scanning refuses a run with more results, and shows the worst 5,000 of them. */
const mostResults = 25_000;

/**
 * Findings in the Static Analysis Results Interchange Format 2.1.0, as code scanning takes them.
 * https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 * https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning
 *
 * @param report The report; paths that are not absolute are taken as relative to the root of the repository. Of more
 *   than 25,000 findings the worst are told, and how many there are.
 */
export function auditSarif(report: AuditReport): string {
  const results = report.objects.flatMap((object) => object.findings.map((finding) => ({ object, finding })));
  const told =
    results.length <= mostResults
      ? results
      : results
          .toSorted(
            ({ finding: one }, { finding: other }) =>
              worst.indexOf(one.severity) - worst.indexOf(other.severity),
          )
          .slice(0, mostResults);
  const run = {
    tool: { driver: { name: 'gravekeeper', semanticVersion: version, rules: rules.map(ruleOf) } },
    columnKind: 'utf16CodeUnits',
    originalUriBaseIds: { [root]: { description: { text: 'The root of the repository.' } } },
    invocations: [
      {
        executionSuccessful: report.problems.length === 0,
        toolExecutionNotifications: [
          ...report.problems.map(({ file, line, message }) => ({
            level: 'error',
            message: { text: plain(message) },
            locations: [{ physicalLocation: physicalLocation(file, { line: line ?? 1 }) }],
          })),
          ...(told.length < results.length
            ? [{ level: 'warning', message: { text: cut(results.length) } }]
            : []),
        ],
      },
    ],
    results: told.map(({ object, finding }) => resultOf(object, finding)),
  };
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [run],
  };
  return `${escapeJson(JSON.stringify(log, null, 2))}\n`;
}

const worst: readonly Severity[] = ['error', 'warning', 'info'];

function cut(results: number): string {
  return `there are ${results} findings; the ${mostResults} worst are told here. Audit parts of the input by themselves to see all.`;
}

function ruleOf(rule: Rule): object {
  const { id, title, why, notes, fires, instead, example, severityClass } = rule;
  const { leaks } = severityClasses[severityClass];
  const paragraphs = [why, ...notes, ...fires, instead].join('\n\n');
  const yaml = (text: string) => `\`\`\`yaml\n${text}\`\`\``;
  return {
    id,
    // Another word than the id's, as the specification asks.
    name: `${id.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase())}Probe`,
    shortDescription: { text: title },
    fullDescription: { text: why },
    help: {
      text: paragraphs,
      markdown: `${paragraphs}\n\nBefore:\n\n${yaml(example.before)}\n\nAfter:\n\n${yaml(example.after)}`,
    },
    defaultConfiguration: { level: levels[leaks] },
    properties: {
      tags: ['kubernetes', 'reliability', 'zombie-processes'],
      precision: 'high',
      'problem.severity': problemSeverities[leaks],
    },
  };
}

/** Words of strangers in a message, in which `[a](b)` would be a link and `{0}` a placeholder. */
function plain(text: string): string {
  return text.replaceAll('](', '] (').replace(/\{(\d+)\}/g, '{ $1 }');
}

function resultOf(object: AuditedObject, finding: AuditedFinding): object {
  const { rule, severity, container, probe, message, fix, pointer, line, column, accepted } = finding;
  const place = { line: line ?? object.line ?? 1, ...(column === undefined ? {} : { column }) };
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: levels[severity],
    message: { text: plain(`${objectName(object)}, ${probe} of ${container}: ${message}. ${fix}`) },
    locations: [
      {
        ...(object.file === undefined ? {} : { physicalLocation: physicalLocation(object.file, place) }),
        logicalLocations: [
          {
            fullyQualifiedName: `${object.kind}/${object.namespace}/${object.name}${pointer}`,
            kind: 'object',
          },
        ],
      },
    ],
    partialFingerprints: {
      'gravekeeperFinding/v1': createHash('sha256').update(findingIdentity(object, finding)).digest('hex'),
    },
    ...(accepted ? { baselineState: 'unchanged', suppressions: [{ kind: 'external' }] } : {}),
  };
}

function physicalLocation(file: string, place: { line: number; column?: number }): object {
  const artifactLocation = isAbsolute(file)
    ? { uri: pathToFileURL(file).href }
    : {
        uri: file
          .split(/[\\/]/)
          .map(encodeURIComponent)
          .join('/')
          .replace(/^(\.\/)+/, ''),
        uriBaseId: root,
      };
  return {
    artifactLocation,
    region: { startLine: place.line, ...(place.column === undefined ? {} : { startColumn: place.column }) },
  };
}
