import { basename, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { run as runProgram } from './run.ts';
import { type Case, type Ending, tallyOf } from './tally.ts';

/** Files of node:test, and how they are run. */
export interface Plan {
  /** What the last line calls them. */
  readonly tier: string;
  /** Absolute paths, in the order in which they run. */
  readonly files: readonly string[];
  /** Whether a case that was skipped is no failure. */
  readonly maySkip: boolean;
  /** Is called when a file has ended. */
  readonly onFileEnd?: (file: string) => void;
}

/** What came of it. */
export interface RunResult {
  /** False where a case or a hook failed. */
  readonly succeeded: boolean;
  /** Whether a signal ended it. */
  readonly interrupted: boolean;
  readonly exitCode: number;
}

/**
 * Runs files one after the other, their reports on stdout. When this program exits its last line tells how many cases
 * there are and how each ended. They are counted beforehand, so that one of which nothing is heard is missed.
 */
export async function runCases({ tier, files, maySkip, onFileEnd }: Plan): Promise<RunResult> {
  const cases = casesOf(files);
  const endings: Ending[] = [];
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
    if (name === file) onFileEnd?.(file);
  });
  events.on('test:summary', ({ file, success }) => {
    if (file === undefined) succeeded = success;
  });
  events.compose(spec).pipe(process.stdout);
  await new Promise((resolve) => events.on('close', resolve));

  const { passed, failed, skipped, notRun, unexpected } = tallyOf(cases, endings);
  const seconds = Math.round((performance.now() - begin) / 1000);
  process.on('exit', () => {
    tell('skipped', skipped);
    tell('not run', notRun);
    for (const { file, name } of unexpected) {
      process.stdout.write(`not planned: ${basename(file)}: ${name}\n`);
    }
    process.stdout.write(
      `${tier}: ${cases.length} cases: ${passed.length} passed, ${failed.length} failed, ` +
        `${skipped.length} skipped, ${notRun.length} not run, ${seconds} s\n`,
    );
  });
  // A hook that fails does not make a test fail.
  const isWhole = succeeded && notRun.length + unexpected.length === 0;
  const isShort = passed.length === 0 || (skipped.length > 0 && !maySkip);
  const exitCode = isWhole && !isShort ? 0 : 1;
  return { succeeded, interrupted: interruption.signal.aborted, exitCode };
}

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
