// Runs files of the suite, one after the other, and ends with a line that tells how many cases they have and how each
// ended. The cases are counted beforehand, so that one of which nothing is heard is missed. On a cluster of our own a
// case that was skipped is a failure as well: everything it needs is there.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { type Calls, callsOf, callsSince, latencyOf } from './kit/latency.ts';
import { removeNamespaces } from './kit/namespace-names.ts';
import { notOurs } from './kit/own.ts';
import { apiServerMetric } from './kit/webhook.ts';
import { run as runProgram } from './run.ts';
import { type Case, type Ending, tallyOf } from './tally.ts';

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
const files = (wanted.length > 0 ? wanted.map((name) => `${name}.ts`) : all).map((name) =>
  join(folder, name),
);
const cases = casesOf(files);
const endings: Ending[] = [];
/** What the API server says of its calls of the webhook during each file. */
const notes: Promise<object | null>[] = [];
let callsBefore = await countCalls();
const begin = performance.now();
let succeeded = false;

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interruption.abort());
const events = run({ files, concurrency: 1, timeout: 20 * 60_000, signal: interruption.signal });
for (const event of ['test:pass', 'test:fail'] as const) {
  events.on(event, ({ file = '', name, skip, todo, details }) => {
    // That of a whole file.
    if (name === file) return;
    const isSkipped = Boolean(skip ?? todo);
    const outcome = isSkipped ? 'skipped' : event === 'test:pass' ? 'passed' : 'failed';
    endings.push({ file, name, isSuite: details.type === 'suite', outcome });
  });
}
events.on('test:complete', ({ name, file }) => {
  if (name === file) notes.push(noteLatency(file));
});
events.on('test:summary', ({ file, success }) => {
  if (file === undefined) succeeded = success;
});
events.compose(spec).pipe(process.stdout);
events.on('close', async () => {
  const latencies = (await Promise.all(notes)).filter((note) => note !== null);
  const { passed, failed, skipped, notRun, unexpected } = tallyOf(cases, endings);
  const seconds = Math.round((performance.now() - begin) / 1000);
  process.on('exit', () => {
    for (const note of latencies) process.stdout.write(`webhook latency: ${JSON.stringify(note)}\n`);
    tell('skipped', skipped);
    tell('not run', notRun);
    for (const { file, name } of unexpected)
      process.stdout.write(`not planned: ${basename(file)}: ${name}\n`);
    process.stdout.write(
      `cluster: ${cases.length} cases: ${passed.length} passed, ${failed.length} failed, ` +
        `${skipped.length} skipped, ${notRun.length} not run, ${seconds} s\n`,
    );
  });
  // A hook that fails does not make a test fail.
  const isWhole = succeeded && notRun.length + unexpected.length === 0;
  const isShort = passed.length === 0 || (skipped.length > 0 && notOurs === false);
  process.exitCode = isWhole && !isShort ? 0 : 1;
  if (interruption.signal.aborted) await removeNamespaces();
  else if (!succeeded) await tellFailOpen();
});

/** What there is to run, which is known without running it. */
function casesOf(paths: readonly string[]): Case[] {
  const list = join(import.meta.dirname, 'list-cases.ts');
  const lists: Case['path'][][] = JSON.parse(runProgram([process.execPath, list, ...paths]));
  return lists.flatMap((ofFile, index) => ofFile.map((path) => ({ file: paths[index] ?? '', path })));
}

function tell(what: string, those: readonly Case[]): void {
  for (const { file, path } of those) {
    process.stdout.write(`${what}: ${basename(file, '.ts')}: ${path.join(': ')}\n`);
  }
}

/** Null where the API server says nothing. */
async function countCalls(): Promise<Record<'mutate' | 'validate', Calls> | null> {
  try {
    const [mutate, validate] = [
      await callsOf('mutate.gravekeeper.dev'),
      await callsOf('validate.gravekeeper.dev'),
    ];
    return { mutate, validate };
  } catch {
    return null;
  }
}

/** How long calls took since the last note. */
async function noteLatency(file: string): Promise<object | null> {
  const [before, now] = [callsBefore, await countCalls()];
  callsBefore = now;
  if (before === null || now === null) return null;
  return {
    file: basename(file, '.ts'),
    mutate: latencyOf(callsSince(before.mutate, now.mutate)),
    validate: latencyOf(callsSince(before.validate, now.validate)),
  };
}

/** A machine that is too slow for the webhook's time limit makes tests fail that are about something else. */
async function tellFailOpen(): Promise<void> {
  const count = await apiServerMetric('apiserver_admission_webhook_fail_open_count').catch(() => null);
  process.stdout.write(
    `the API server went on without an answer of a webhook ${count ?? 'an unknown number of'} times\n`,
  );
}
