import { escapeJson } from '../../terminal.ts';
import type { AuditReport } from '../report.ts';

/** A report as JSON, indented by two blanks; it ends in a newline. */
export function auditJson(report: AuditReport): string {
  return `${escapeJson(JSON.stringify(report, null, 2))}\n`;
}
