import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Severity } from '../../config/config.ts';
import { rules } from '../../rules/index.ts';
import { severityClasses } from '../../rules/severity.ts';
import { escapeJson } from '../../terminal.ts';
import { version } from '../../version.ts';
import { findingIdentity } from '../identity.ts';
import type { AuditedFinding, AuditedObject, AuditReport } from '../report.ts';
import { objectName } from './wording.ts';

const levels: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };
const root = '%SRCROOT%';

/**
 * Findings in the Static Analysis Results Interchange Format 2.1.0, as code scanning takes them.
 * https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 *
 * @param report The report; paths that are not absolute are taken as relative to the root of the repository.
 */
export function auditSarif(report: AuditReport): string {
  const run = {
    tool: {
      driver: {
        name: 'gravekeeper',
        semanticVersion: version,
        rules: rules.map(({ id, title, why, instead, severityClass }) => ({
          id,
          name: id,
          shortDescription: { text: title },
          fullDescription: { text: why },
          help: { text: `${why}\n\n${instead}`, markdown: `${why}\n\n**Instead:** ${instead}` },
          defaultConfiguration: { level: levels[severityClasses[severityClass].leaks] },
          properties: { tags: ['kubernetes', 'reliability', 'zombie-processes'], precision: 'high' },
        })),
      },
    },
    columnKind: 'utf16CodeUnits',
    originalUriBaseIds: { [root]: { description: { text: 'The root of the repository.' } } },
    invocations: [
      {
        executionSuccessful: report.problems.length === 0,
        toolExecutionNotifications: report.problems.map(({ file, line, message }) => ({
          level: 'error',
          message: { text: message },
          locations: [{ physicalLocation: physicalLocation(file, { line: line ?? 1 }) }],
        })),
      },
    ],
    results: report.objects.flatMap((object) => object.findings.map((finding) => resultOf(object, finding))),
  };
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [run],
  };
  return `${escapeJson(JSON.stringify(log, null, 2))}\n`;
}

function resultOf(object: AuditedObject, finding: AuditedFinding): object {
  const { rule, severity, container, probe, message, fix, pointer, line, column, accepted } = finding;
  const place = { line: line ?? object.line ?? 1, ...(column === undefined ? {} : { column }) };
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: levels[severity],
    message: { text: `${objectName(object)}, ${probe} of ${container}: ${message}. ${fix}` },
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
