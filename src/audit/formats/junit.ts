import { escapeText } from '../../terminal.ts';
import { type AuditedFinding, type AuditedObject, type AuditReport, type FailOn, fails } from '../report.ts';
import { objectName } from './wording.ts';
import { markup } from './xml.ts';

/**
 * Findings as a JUnit report: a suite for each file, a test for each object, a failure for each finding that counts.
 *
 * @param failOn The findings that count; the others are the test's output.
 */
export function auditJunit(report: AuditReport, failOn: FailOn): string {
  const byFile = Map.groupBy(report.objects, ({ file }) => file ?? 'cluster');
  const problems = Map.groupBy(report.problems, ({ file }) => file);
  const files = [...new Set([...byFile.keys(), ...problems.keys()])];
  const failures = count(report.objects, failOn);
  const suites = files.map((file) => {
    const objects = byFile.get(file) ?? [];
    const unread = problems.get(file) ?? [];
    const cases = [
      ...objects.map((object) => testCase(object, failOn)),
      ...unread.map(({ line, message }) => {
        const where = line === null ? '' : `line ${line}: `;
        return `    <testcase classname="${text(file)}" name="readable"><error message="${text(where + message)}"/></testcase>\n`;
      }),
    ];
    const counts = `tests="${cases.length}" failures="${count(objects, failOn)}" errors="${unread.length}"`;
    return `  <testsuite name="${text(file)}" ${counts}>\n${cases.join('')}  </testsuite>\n`;
  });
  const tests = report.objects.length + report.problems.length;
  const counts = `tests="${tests}" failures="${failures}" errors="${report.problems.length}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="gravekeeper audit" ${counts}>\n${suites.join('')}</testsuites>\n`;
}

/** Tests with a failure. */
function count(objects: readonly AuditedObject[], failOn: FailOn): number {
  return objects.filter(({ findings }) => findings.some((finding) => fails(finding, failOn))).length;
}

function testCase(object: AuditedObject, failOn: FailOn): string {
  const place = object.file === undefined ? '' : ` file="${text(object.file)}" line="${object.line ?? 1}"`;
  const open = `    <testcase classname="${text(object.namespace)}" name="${text(objectName(object))}"${place}`;
  const failing = object.findings.filter((finding) => fails(finding, failOn));
  const others = object.findings.filter((finding) => !fails(finding, failOn));
  // A test has one failure; the text of the others stands in it.
  const failure =
    failing.length === 0
      ? ''
      : `      <failure type="${text(failing[0]?.rule ?? '')}" message="${text(failing[0]?.message ?? '')}">${text(failing.map(line).join('\n'))}</failure>\n`;
  const output =
    others.length === 0 ? '' : `      <system-out>${text(others.map(line).join('\n'))}</system-out>\n`;
  return failure + output === '' ? `${open}/>\n` : `${open}>\n${failure}${output}    </testcase>\n`;
}

function line(finding: AuditedFinding): string {
  const { severity, rule, container, probe, message, fix, accepted } = finding;
  const where = finding.line === undefined ? '' : `line ${finding.line}, `;
  const known = accepted ? ' (accepted by the baseline)' : '';
  return `${severity} ${rule}: ${where}${probe} of ${container}: ${message}. ${fix}${known}`;
}

function text(value: string): string {
  return value
    .split('\n')
    .map((each) => markup(escapeText(each)))
    .join('\n');
}
