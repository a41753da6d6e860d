import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CasePath } from './declared-cases.ts';

const folder = join(import.meta.dirname, 'suite');
const files = readdirSync(folder).sort();

/** Rows `| what | file: beginnings of names, with commas between |`; without a name it is the whole file. */
const rows = [
  ...readFileSync(join(import.meta.dirname, 'README.md'), 'utf8').matchAll(
    /^\| .* \| ([a-z-]+)(?:: (.+))? \|$/gm,
  ),
].map(([, file = '', names]) => ({ file, names: names?.split(', ') ?? [] }));

function casesByFile(): Map<string, readonly CasePath[]> {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'list-cases.ts'), ...files.map((file) => join(folder, file))],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  const lists: CasePath[][] = JSON.parse(stdout);
  return new Map(files.map((file, index) => [basename(file, '.ts'), lists[index] ?? []]));
}

describe('the README of the cluster tier', () => {
  it('names cases that are there, of every file of the suite', () => {
    const cases = casesByFile();
    for (const { file, names } of rows) {
      for (const name of names) {
        const found = cases.get(file)?.some((path) => path.some((part) => part.startsWith(name)));
        expect(found, `${file}: ${name}`).toBe(true);
      }
    }
    expect(new Set(rows.map(({ file }) => file))).toEqual(new Set(cases.keys()));
  });
});
