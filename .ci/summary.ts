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

/** Whether every case ran and passed, by the last line of a tier that counts its own: `runtime: 429 cases: 429 passed, …`. */
function isWhole(tier: string): boolean {
  const lastLine = read(`${tier}.txt`).trim().split('\n').at(-1) ?? '';
  const [, cases = '0', passed = '0'] = /(\d+) cases: (\d+) passed/.exec(lastLine) ?? [];
  process.stdout.write(`${tier} tier: ${passed} of ${cases} cases passed\n`);
  return cases === passed && cases !== '0';
}
const shortTiers = ['runtime', 'interruption', 'cluster'].filter((tier) => !isWhole(tier));

const failed = results.numFailedTests + skipped.length + (demo ? 0 : 1) + shortTiers.length;
process.stdout.write(`${read('fuzz.txt').trim().split('\n').at(-1)?.replace('passed', 'reviews passed')}\n`);
process.stdout.write(`${results.numPassedTests} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
