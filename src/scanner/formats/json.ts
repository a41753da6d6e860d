import { escapeJson } from '../../terminal.ts';
import type { ClusterReport } from '../cluster.ts';
import type { ScanReport } from '../report.ts';

/** A report as JSON for people and programs, indented by two blanks; it ends in a newline. */
export function scanJson(report: ScanReport | ClusterReport): string {
  return `${escapeJson(JSON.stringify(report, null, 2))}\n`;
}

/** A report as JSON on one line, without a newline at its end. */
export function scanJsonLine(report: ScanReport): string {
  return escapeJson(JSON.stringify(report));
}
