import { type LabelMeaning, labelKeys, labelMeanings } from '../../src/policy/keys.ts';
import { markdownTable } from './markdown.ts';

const headings = { absent: 'where it is absent', invalid: 'any other value' } as const;

/** The labels of a namespace, with what they may say. */
export function labelTable(columns: readonly (keyof typeof headings)[]): string {
  const rows = Object.entries(labelMeanings).map(([name, meaning]: [string, LabelMeaning]) => [
    `\`${labelKeys[name as keyof typeof labelKeys]}\``,
    meaning.values.map((value) => `\`${value}\``).join(', '),
    ...columns.map((column) => meaning[column]),
  ]);
  return markdownTable(['label', 'values', ...columns.map((column) => headings[column])], rows);
}

/** The commands of the program, in the order of its help. */
export function commandTable(
  commands: readonly { readonly name: string; readonly summary: string }[],
): string {
  return markdownTable(
    ['command', 'use it to'],
    commands.map(({ name, summary }) => [
      `\`gravekeeper ${name}\``,
      summary.replace(/--[a-z-]+/g, (option) => `\`${option}\``),
    ]),
  );
}

/** What a program's end means. */
export function exitCodeTable(exitCodes: Readonly<Record<number, string>>): string {
  return markdownTable(
    ['exit code', 'means'],
    Object.entries(exitCodes).map(([code, meaning]) => [code, meaning]),
  );
}
