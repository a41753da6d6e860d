import type { Severity } from '../../config/config.ts';
import { problemText } from '../../manifest/source.ts';
import { escapeText } from '../../terminal.ts';
import type { AuditReport } from '../report.ts';
import { objectName, summaryLine } from './wording.ts';

const commands: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'notice' };

/**
 * Findings as workflow commands, which GitHub Actions shows beside the lines of a pull request.
 * https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
 */
export function auditGithub(report: AuditReport): string {
  const problems = report.problems.map((problem) =>
    command('error', { file: problem.file, line: problem.line, title: 'unreadable' }, problemText(problem)),
  );
  const findings = report.objects.flatMap((object) =>
    object.findings
      .filter(({ accepted }) => !accepted)
      .map(({ severity, rule, container, probe, message, fix, line, column }) =>
        command(
          commands[severity],
          { file: object.file, line, col: column, title: `gravekeeper ${rule}` },
          `${objectName(object)}, ${probe} of ${container}: ${message}. ${fix}`,
        ),
      ),
  );
  return [...problems, ...findings, `${escapeText(summaryLine(report))}\n`].join('');
}

function command(
  name: string,
  properties: Readonly<Record<string, string | number | null | undefined>>,
  message: string,
): string {
  const given = Object.entries(properties)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => `${key}=${escaped(String(value)).replaceAll(':', '%3A').replaceAll(',', '%2C')}`);
  return `::${name} ${given.join(',')}::${escaped(message)}\n`;
}

function escaped(text: string): string {
  return escapeText(text.replace(/[\r\n]+/g, ' ')).replaceAll('%', '%25');
}
