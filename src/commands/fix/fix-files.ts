import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type FixedText, fixText, notWritten } from '../../audit/fix-text.ts';
import type { AnswersOf } from '../../audit/judged.ts';
import { mapAhead } from '../../audit/map-ahead.ts';
import type { Source, SourceText } from '../../audit/sources.ts';
import type { Config } from '../../config/config.ts';
import { InputError } from '../../input-error.ts';
import { encode } from '../../manifest/decode.ts';
import { problemText } from '../../manifest/source.ts';
import { escapeText } from '../../terminal.ts';
import { openFiles, readAll } from '../audit/files.ts';
import { type Progress, progressOn } from '../audit/progress.ts';
import { withImages } from '../audit/with-images.ts';
import type { FixOptions } from '../fix.ts';
import { configOf } from '../option-files.ts';
import { patchOf } from './patch.ts';

/** What is done with fixed manifests. */
type Mode = 'print' | 'diff' | 'write';

/** What is said of a fix that was made. */
const doneWords: Readonly<Record<Mode, string>> = {
  print: 'fixed in the output',
  diff: 'would be written',
  write: 'written',
};

/** What came of fixing files. */
interface Outcome {
  readonly fixed: number;
  readonly unfixed: number;
  readonly unread: number;
}

/** 2 where something could not be read or written. */
export function exitCodeFor({ unread }: Outcome): 0 | 2 {
  return unread > 0 ? 2 : 0;
}

/**
 * Fixes files, and tells on standard error what was done and what was not.
 *
 * @throws {InputError} if no file was named, or standard input is to be changed in place.
 */
export async function fixFiles(options: FixOptions): Promise<Outcome> {
  if (options.write && options.file?.includes('-')) {
    throw new InputError(
      'standard input cannot be changed: leave --write out, and the fixed manifests are printed',
    );
  }
  const config = configOf(options.config);
  const progress = progressOn(process.stderr);
  const mode = options.diff ? 'diff' : options.write ? 'write' : 'print';
  const outcome = await withImages(options, { images: config.images, progress, api: null }, (answersOf) =>
    fixEach(options, mode, config, progress, answersOf),
  );
  tell(`${outcome.fixed} ${doneWords[mode]}, ${outcome.unfixed} left to you`);
  return outcome;
}

/** What came of one file. */
type FixedFile = { readonly source: Source } & (
  | { readonly read: ReadText; readonly fixed: FixedText }
  | { readonly problem: string }
);

type ReadText = Extract<SourceText, { text: string }>;

/** Files whose images are looked up together: many hold one object each. */
const filesAhead = 16;

async function fixEach(
  options: FixOptions,
  mode: Mode,
  config: Config,
  progress: Progress,
  answersOf: AnswersOf | undefined,
): Promise<Outcome> {
  const { sources, problems, context } = await openFiles(options, config);
  const outcome = { fixed: 0, unfixed: 0, unread: problems.length };
  for (const problem of problems) tell(problemText(problem));
  const files = mapAhead(
    readAll(sources, progress),
    answersOf ? filesAhead : 0,
    async ({ source, read }): Promise<FixedFile> =>
      'problem' in read
        ? { source, problem: read.problem }
        : { source, read, fixed: await fixText(read.text, source.name, context, answersOf) },
  );
  let isFirst = true;
  for await (const file of files) {
    progress.clear();
    const { source } = file;
    if ('problem' in file) {
      tell(`${source.name}: ${file.problem}`);
      outcome.unread += 1;
      continue;
    }
    const { read, fixed } = file;
    const problem = fixed.text === read.text ? null : problemWith(mode, source, read, fixed.text);
    for (const line of fixed.fixes) {
      tell(problem === null ? `${line}: ${doneWords[mode]}` : notWritten(line, problem));
    }
    for (const line of fixed.lines) tell(line);
    outcome.fixed += problem === null ? fixed.fixes.length : 0;
    outcome.unfixed += fixed.unfixed + (problem === null ? 0 : fixed.fixes.length);
    outcome.unread += fixed.unread + (problem === null ? 0 : 1);
    if (mode === 'print') {
      process.stdout.write(
        `${isFirst || /^(---|%)/.test(fixed.text) ? '' : '---\n'}${endedByLine(fixed.text)}`,
      );
      isFirst = false;
    } else if (mode === 'diff' && problem === null) {
      process.stdout.write(patchOf(source, read, fixed.text));
    }
  }
  return outcome;
}

function tell(line: string): void {
  process.stderr.write(`${escapeText(line)}\n`);
}

function endedByLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** Writes a changed file, where that is wanted; in words what is in the way of it, as far as that is known. */
function problemWith(mode: Mode, source: Source, read: ReadText, text: string): string | null {
  if (mode === 'print') return null;
  if (read.encoding !== 'utf-8') {
    return `the file is text in ${read.encoding.toUpperCase()}; save it as UTF-8 first`;
  }
  return mode === 'write' && source.path !== null ? writeBack(source.path, encode(text, read)) : null;
}

/** Replaces a file as a whole, so that nobody ever sees half of it; in words why that fails. */
function writeBack(path: string, content: Uint8Array): string | null {
  try {
    const real = realpathSync(path);
    const beside = `${real}.gravekeeper-${process.pid}`;
    try {
      writeFileSync(beside, content, { mode: statSync(real).mode, flag: 'wx' });
      renameSync(beside, real);
    } finally {
      rmSync(beside, { force: true });
    }
    return null;
  } catch (error) {
    return `the file cannot be changed: ${error instanceof Error ? error.message : String(error)}`;
  }
}
