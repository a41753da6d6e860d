import type { CasePath } from './declared-cases.ts';

/** A case that a file of the suite has. */
export interface Case {
  readonly file: string;
  readonly path: CasePath;
}

/** How a case, or a suite of cases, ended. */
export interface Ending {
  readonly file: string;
  readonly name: string;
  readonly isSuite: boolean;
  readonly outcome: 'passed' | 'failed' | 'skipped';
}

/** The cases of a run, by how they ended. */
export interface Tally {
  readonly passed: readonly Case[];
  readonly failed: readonly Case[];
  readonly skipped: readonly Case[];
  /** They are there, and nothing was heard of them. */
  readonly notRun: readonly Case[];
  /** Ended, without being among the cases: their names, or that they ran, depend on something else. */
  readonly unexpected: readonly Ending[];
}

/**
 * Holds what ran against what there is. What is skipped with its whole suite ends without a word, so that the suite's
 * ending is taken for it.
 *
 * @param cases What there is, known without running it.
 * @param endings In any order.
 */
export function tallyOf(cases: readonly Case[], endings: readonly Ending[]): Tally {
  const left = endings.filter(({ isSuite }) => !isSuite);
  const skippedSuites = endings.filter(({ isSuite, outcome }) => isSuite && outcome === 'skipped');
  const ended = cases.map((one) => {
    const at = left.findIndex(({ file, name }) => file === one.file && name === one.path.at(-1));
    if (at >= 0) return left.splice(at, 1)[0]?.outcome;
    const isSkipped = skippedSuites.some(({ file, name }) => file === one.file && one.path.includes(name));
    return isSkipped ? 'skipped' : null;
  });
  const those = (outcome: Ending['outcome'] | null) => cases.filter((_, index) => ended[index] === outcome);
  return {
    passed: those('passed'),
    failed: those('failed'),
    skipped: those('skipped'),
    notRun: those(null),
    unexpected: left,
  };
}
