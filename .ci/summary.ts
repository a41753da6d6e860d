// Counts what ran, and fails where a test was skipped: in CI everything it needs is there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

const folder = process.argv[2] ?? '.';
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
const results: Results = JSON.parse(read('test.json'));
const tests = results.testResults.flatMap(({ name, assertionResults }) =>
  assertionResults.map(({ status, fullName }) => ({ file: name, status, fullName })),
);
const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
for (const { file, fullName } of skipped) process.stdout.write(`skipped: ${file}: ${fullName}\n`);

const { experiment } = JSON.parse(read('demo.json'));
const counts = [experiment.without?.left?.orphans, experiment.with?.left?.orphans];
const demo = counts[0] === 5 && counts[1] === 0;
if (!demo) process.stdout.write(`the demo counted ${counts.join(' and ')} orphans instead of 5 and 0\n`);

/** The last line of a tier that counts its own cases: `runtime: 429 cases: 429 passed, 0 failed, …`. */
const runtime = /(\d+) cases: (\d+) passed/.exec(read('runtime.txt').trim().split('\n').at(-1) ?? '');
const [, cases = 'none', passedCases = '0'] = runtime ?? [];
const runtimeIsWhole = cases === passedCases;
process.stdout.write(`runtime tier: ${passedCases} of ${cases} cases passed\n`);

const failed = results.numFailedTests + skipped.length + (demo ? 0 : 1) + (runtimeIsWhole ? 0 : 1);
process.stdout.write(`${read('fuzz.txt').trim().split('\n').at(-1)?.replace('passed', 'reviews passed')}\n`);
process.stdout.write(`${results.numPassedTests} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
