import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createTwoFilesPatch } from 'diff';
import { type FixedText, fixText } from '../../audit/fix-text.ts';
import type { AnswersOf } from '../../audit/judged.ts';
import { mapAhead } from '../../audit/map-ahead.ts';
import type { Source, SourceText } from '../../audit/sources.ts';
import type { Config } from '../../config/config.ts';
import { InputError } from '../../input-error.ts';
import { encode } from '../../manifest/decode.ts';
import { escapeText } from '../../terminal.ts';
import { openFiles, readAll } from '../audit/files.ts';
import { type Progress, progressOn } from '../audit/progress.ts';
import { withImages } from '../audit/with-images.ts';
import type { FixOptions } from '../fix.ts';
import { configOf } from '../option-files.ts';

/** What came of fixing files. */
interface Outcome {
  readonly written: number;
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
  const outcome = await withImages(options, { images: config.images, progress, api: null }, (answersOf) =>
    fixEach(options, config, progress, answersOf),
  );
  tell(`${outcome.written} written, ${outcome.unfixed} left to you`);
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
  config: Config,
  progress: Progress,
  answersOf: AnswersOf | undefined,
): Promise<Outcome> {
  const { sources, problems, context } = await openFiles(options, config);
  const outcome = { written: 0, unfixed: 0, unread: problems.length };
  for (const { file, message } of problems) tell(`${file}: ${message}`);
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
    for (const line of fixed.lines) tell(line);
    outcome.written += fixed.written;
    outcome.unfixed += fixed.unfixed;
    outcome.unread += fixed.unread;
    if (options.diff) process.stdout.write(diffOf(source.name, read.text, fixed));
    else if (!options.write) {
      process.stdout.write(
        `${isFirst || /^(---|%)/.test(fixed.text) ? '' : '---\n'}${endedByLine(fixed.text)}`,
      );
      isFirst = false;
    } else if (fixed.text !== read.text && !writeBack(source, read, fixed.text)) outcome.unread += 1;
  }
  return outcome;
}

function tell(line: string): void {
  process.stderr.write(`${escapeText(line)}\n`);
}

function endedByLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function diffOf(name: string, before: string, { text }: FixedText): string {
  return text === before
    ? ''
    : createTwoFilesPatch(`a/${name}`, `b/${name}`, before, text, undefined, undefined);
}

/** Replaces a file as a whole, so that nobody ever sees half of it; false where that fails. */
function writeBack(source: Source, read: ReadText, text: string): boolean {
  if (source.path === null || read.encoding !== 'utf-8') {
    tell(`${source.name}: not written: it is text in ${read.encoding.toUpperCase()}; save it as UTF-8 first`);
    return false;
  }
  try {
    const real = realpathSync(source.path);
    const beside = `${real}.gravekeeper-${process.pid}`;
    try {
      writeFileSync(beside, encode(text, read), { mode: statSync(real).mode, flag: 'wx' });
      renameSync(beside, real);
    } finally {
      rmSync(beside, { force: true });
    }
    return true;
  } catch (error) {
    tell(`${source.name}: cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}
