/**
 * Writes what is made from the code and the fixtures: docs/rules/*.md, docs/reasons.md, and the marked parts of other
 * pages. `npm run docs`; test/unit/scripts/docs.test.ts fails while one is stale.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { madePages, root, strayPages } from './docs/pages.ts';

for (const { path, stands, text } of madePages()) {
  if (stands === text) continue;
  writeFileSync(join(root, path), text);
  process.stdout.write(`${path}\n`);
}
for (const path of strayPages()) {
  rmSync(join(root, path));
  process.stdout.write(`${path} removed\n`);
}
