import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { layOutRule } from '../../../scripts/new-rule/lay-out.ts';

const repository = join(import.meta.dirname, '../../..');
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gravekeeper-rule-'));
  cpSync(join(repository, 'src/rules'), join(root, 'src/rules'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

const listIn = (folder: string) => readFileSync(join(folder, 'src/rules/index.ts'), 'utf8');

test('a new rule has its file, its fixtures and its place in the list', () => {
  layOutRule(root, 'node-cli');
  expect(readFileSync(join(root, 'src/rules/node-cli.ts'), 'utf8')).toContain(
    'export const nodeCliRule: Rule',
  );
  expect(readdirSync(join(root, 'test/rules/node-cli'))).toEqual(['fail', 'pass']);
  const added = listIn(root)
    .split('\n')
    .filter((line) => !listIn(repository).split('\n').includes(line));
  expect(added).toEqual(["import { nodeCliRule } from './node-cli.ts';", '  nodeCliRule,']);
  expect(listIn(root)).toContain("mongo-shell.ts';\nimport { nodeCliRule } from './node-cli.ts';\n");
  expect(listIn(root)).toContain('  nodeCliRule,\n];');
});

test.each(['', 'Node', 'a b', '../x', 'erlang-cli'])('%j is refused, and nothing is written', (id) => {
  expect(() => layOutRule(root, id)).toThrow(/expected an id such as|is there already/);
  expect(listIn(root)).toBe(listIn(repository));
});
