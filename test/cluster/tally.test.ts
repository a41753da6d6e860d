import { describe, expect, it } from 'vitest';
import { type Case, type Ending, tallyOf } from './tally.ts';

const file = 'suite/one.ts';
const cases: readonly Case[] = [
  { file, path: ['a suite', 'first'] },
  { file, path: ['a suite', 'second'] },
  { file, path: ['a suite', 'inner', 'first'] },
  { file: 'suite/two.ts', path: ['first'] },
];
const ending = (name: string, outcome: Ending['outcome'], more: Partial<Ending> = {}): Ending => ({
  file,
  name,
  outcome,
  isSuite: false,
  ...more,
});
const names = (those: readonly Case[]) => those.map(({ file: of, path }) => [of, ...path].join(' '));

describe('the tally of the suite', () => {
  it('misses what nothing was heard of', () => {
    const { passed, notRun } = tallyOf(cases, [ending('first', 'passed'), ending('second', 'passed')]);
    expect(names(passed)).toEqual(['suite/one.ts a suite first', 'suite/one.ts a suite second']);
    expect(names(notRun)).toEqual(['suite/one.ts a suite inner first', 'suite/two.ts first']);
  });

  it('takes the ending of a suite that was skipped for that of the cases in it', () => {
    const { skipped, notRun } = tallyOf(cases, [ending('a suite', 'skipped', { isSuite: true })]);
    expect(names(skipped)).toHaveLength(3);
    expect(names(notRun)).toEqual(['suite/two.ts first']);
  });

  it('keeps failed, skipped and passed apart, and names in two files', () => {
    const { passed, failed, skipped, notRun } = tallyOf(cases, [
      ending('a suite', 'failed', { isSuite: true }),
      ending('first', 'failed'),
      ending('first', 'passed', { file: 'suite/two.ts' }),
      ending('second', 'skipped'),
      ending('first', 'passed'),
    ]);
    expect([passed, failed, skipped, notRun].map((those) => those.length)).toEqual([2, 1, 1, 0]);
  });

  it('tells what ended without being there', () => {
    expect(tallyOf(cases, [ending('third', 'passed')]).unexpected).toEqual([ending('third', 'passed')]);
  });
});
