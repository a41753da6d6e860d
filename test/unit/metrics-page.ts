import { readFileSync } from 'node:fs';

const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

/** The text of docs/metrics.md below a heading of the second level, up to the next one. */
export function sectionOf(heading: string): string {
  const [, section] = page.split(`\n## ${heading}\n`);
  if (section === undefined) throw new Error(`docs/metrics.md has no heading "## ${heading}".`);
  return section.split(/\n## /)[0] ?? '';
}

/** The rows of the first table in a text whose first heading is this one, as cells without their code marks. */
export function tableIn(text: string, firstHeading: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${firstHeading} |`));
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}
