import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands, exitCodes } from '../../src/cli.ts';
import { rulePage, rules } from '../../src/rules/index.ts';
import { shownBy } from './console.ts';
import { casesOfReason, casesOfRule } from './fixtures.ts';
import { reasonsPage } from './reasons-page.ts';
import { pageOfRule } from './rule-page.ts';
import { commandTable, exitCodeTable, labelTable } from './tables.ts';

/** The repository's root. */
export const root = join(import.meta.dirname, '../..');

/** A page that is made, as a whole or in part. */
export interface MadePage {
  /** Relative to the repository's root. */
  readonly path: string;
  /** What stands there; null where there is no such file. */
  readonly stands: string | null;
  /** What belongs there. */
  readonly text: string;
}

const rulesFolder = 'docs/rules';

/** The parts of pages written by hand that are made, by the name in their marks. */
const parts: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'README.md': {
    labels: () => labelTable(['absent']),
    commands: () => commandTable(commands),
    'exit codes': () => exitCodeTable(exitCodes),
  },
  'docs/audit.md': {
    'audit of the demo': () => shownBy(root, ['audit', '-f', 'manifests/demo/rabbitmq.yaml'], 1),
    'fix of the demo': () =>
      shownBy(
        root,
        [
          'fix',
          '--diff',
          '-f',
          'manifests/demo/rabbitmq.yaml',
          'manifests/demo/zombie-maker.yaml',
          'manifests/demo/namespace.yaml',
        ],
        0,
      ),
  },
  'docs/configuration.md': { labels: () => labelTable(['absent', 'invalid']) },
};

/**
 * Makes every page.
 *
 * @throws if a mark is missing in a page that is made in part, or a fixture cannot be read.
 */
export function madePages(): readonly MadePage[] {
  const whole = [
    ...rules.map((rule) => ({ path: rulePage(rule.id), text: pageOfRule(rule, casesOfRule(root, rule.id)) })),
    { path: 'docs/reasons.md', text: reasonsPage((reason) => casesOfReason(root, reason)) },
  ].map((page) => ({ ...page, stands: textAt(page.path) }));
  const inPart = Object.entries(parts).map(([path, made]) => {
    const stands = textAt(path) ?? '';
    return { path, stands, text: withParts(stands, made, path) };
  });
  return [...whole, ...inPart];
}

/** Pages of rules that are no more. */
export function strayPages(): readonly string[] {
  const known = new Set(rules.map(({ id }) => rulePage(id)));
  return readdirSync(join(root, rulesFolder))
    .map((file) => `${rulesFolder}/${file}`)
    .filter((path) => !known.has(path));
}

function textAt(path: string): string | null {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

/** Replaces what stands between `<!-- npm run docs: NAME -->` and `<!-- end -->`. */
function withParts(page: string, made: Readonly<Record<string, () => string>>, path: string): string {
  return Object.entries(made).reduce((text, [name, make]) => {
    const begin = `<!-- npm run docs: ${name} -->\n`;
    const from = text.indexOf(begin);
    const to = text.indexOf('<!-- end -->', from);
    if (from < 0 || to < 0) throw new Error(`${path} lacks the marks ${begin.trim()} and <!-- end -->`);
    return `${text.slice(0, from + begin.length)}\n${make()}\n${text.slice(to)}`;
  }, page);
}
