// Runs files of the suite, and tells of each what the API server says of its calls of the webhook. On a cluster of our
// own a case that was skipped is a failure: everything it needs is there.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Calls, callsOf, callsSince, latencyOf } from './kit/latency.ts';
import { removeNamespaces } from './kit/namespace-names.ts';
import { notOurs } from './kit/own.ts';
import { apiServerMetric } from './kit/webhook.ts';
import { runCases } from './run-cases.ts';

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
/** What the API server says of its calls of the webhook during each file; in the order of the files. */
const notes: Promise<object | null>[] = [];
let callsBefore = await countCalls();
let noted: readonly (object | null)[] = [];
process.on('exit', () => {
  for (const note of noted) {
    if (note !== null) process.stdout.write(`webhook calls: ${JSON.stringify(note)}\n`);
  }
});

const { interrupted, exitCode } = await runCases({
  tier: 'cluster',
  files,
  maySkip: notOurs !== false,
  onFileEnd: (file) => notes.push(noteCalls(file)),
});
noted = await Promise.all(notes);
process.exitCode = exitCode;
if (interrupted) await removeNamespaces();

/** Null where the API server says nothing. */
async function countCalls(): Promise<(Record<'mutate' | 'validate', Calls> & { failedOpen: number }) | null> {
  try {
    return {
      mutate: await callsOf('mutate.gravekeeper.dev'),
      validate: await callsOf('validate.gravekeeper.dev'),
      failedOpen: await apiServerMetric('apiserver_admission_webhook_fail_open_count'),
    };
  } catch {
    return null;
  }
}

/**
 * How long calls took since the last note, and how many of them the API server went on without: a machine that is too
 * slow for the webhook's time limit makes tests fail that are about something else.
 */
async function noteCalls(file: string): Promise<object | null> {
  const [before, now] = [callsBefore, await countCalls()];
  callsBefore = now;
  if (before === null || now === null) return null;
  return {
    file: basename(file, '.ts'),
    mutate: latencyOf(callsSince(before.mutate, now.mutate)),
    validate: latencyOf(callsSince(before.validate, now.validate)),
    // An API server that was started in between counts anew.
    failedOpen: now.failedOpen - (now.mutate.count < before.mutate.count ? 0 : before.failedOpen),
  };
}
