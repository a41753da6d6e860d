import type { ClusterReport } from '../cluster.ts';
import type { ScanReport } from '../report.ts';

/** A report as JSON for people and programs, indented by two blanks; it ends in a newline. */
export function scanJson(report: ScanReport | ClusterReport): string {
  return `${harmless(JSON.stringify(report, null, 2))}\n`;
}

/** A report as JSON on one line, without a newline at its end. */
export function scanJsonLine(report: ScanReport): string {
  return harmless(JSON.stringify(report));
}

/**
 * `JSON.stringify` escapes the control characters below U+0020 and lone surrogates. What else a terminal acts on or
 * does not show may stand in JSON only inside of a string, so it can be escaped wherever it stands.
 */
function harmless(json: string): string {
  return json.replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
