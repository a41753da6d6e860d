/**
 * Lays out a new rule: `npm run new:rule -- ID`. It writes the rule's file, its line in the list and the first fixtures;
 * the tests then say what is still to be written.
 */
import { join } from 'node:path';
import { layOutRule } from './new-rule/lay-out.ts';

try {
  const written = layOutRule(join(import.meta.dirname, '..'), process.argv[2] ?? '');
  process.stdout.write(`${written.join('\n')}\n\nNow: npx vitest run test/rules test/unit/rules\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
