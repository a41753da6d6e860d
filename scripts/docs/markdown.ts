/** A table; a `|` in a cell does not end it. */
export function markdownTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return [line(heading), `|${heading.map(() => '---|').join('')}\n`, ...rows.map(line)].join('');
}

/** A block of code that shows text as it is. */
export function block(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n`;
}
