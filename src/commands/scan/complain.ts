import { escapeText } from '../../terminal.ts';

/** Writes one line to standard error, whatever stands in the text. */
export function complain(message: string): void {
  process.stderr.write(`gravekeeper: ${escapeText(message)}\n`);
}
