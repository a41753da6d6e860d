import type { AuditReport } from '../report.ts';

/** A report as JSON, indented by two blanks; it ends in a newline. */
export function auditJson(report: AuditReport): string {
  return `${harmlessJson(JSON.stringify(report, null, 2))}\n`;
}

/**
 * Escapes in JSON what a terminal acts on or does not show. It may stand only inside of a string, so it can be escaped
 * wherever it stands.
 */
export function harmlessJson(json: string): string {
  return json.replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
