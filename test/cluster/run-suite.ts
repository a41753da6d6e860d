// Runs files of the suite, one after the other, and ends with a line that tells how many cases there were. On a cluster
// of our own, a case that was skipped is a failure: everything it needs is there.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { notOurs } from './kit/own.ts';
import { apiServerMetric } from './kit/webhook.ts';

const folder = join(import.meta.dirname, 'suite');
const all = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !all.includes(`${name}.ts`));
if (unknown.length > 0) {
  process.stderr.write(
    `no ${unknown.join(', ')} in the suite: ${all.map((name) => basename(name, '.ts')).join(', ')}\n`,
  );
  process.exit(2);
}
const files = wanted.length > 0 ? wanted.map((name) => `${name}.ts`) : all;
const begin = performance.now();
const totals = { tests: 0, passed: 0, failed: 0, skipped: 0 };

const events = run({ files: files.map((name) => join(folder, name)), concurrency: 1, timeout: 20 * 60_000 });
events.on('test:summary', ({ file, counts }) => {
  if (file !== undefined) return;
  totals.tests = counts.tests;
  totals.passed = counts.passed;
  totals.skipped = counts.skipped + counts.todo;
  totals.failed = counts.tests - counts.passed - totals.skipped;
});
events.compose(spec).pipe(process.stdout);
events.on('close', async () => {
  const { tests, passed, failed, skipped } = totals;
  const seconds = Math.round((performance.now() - begin) / 1000);
  process.on('exit', () => {
    process.stdout.write(
      `cluster: ${tests} cases: ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds} s\n`,
    );
  });
  if (failed > 0) await tellFailOpen();
  const isShort = tests === 0 || (skipped > 0 && notOurs === false);
  process.exitCode = failed > 0 || isShort ? 1 : 0;
});

/** A machine that is too slow for the webhook's time limit makes tests fail that are about something else. */
async function tellFailOpen(): Promise<void> {
  const count = await apiServerMetric('apiserver_admission_webhook_fail_open_count').catch(() => null);
  process.stdout.write(
    `the API server went on without an answer of a webhook ${count ?? 'an unknown number of'} times\n`,
  );
}
