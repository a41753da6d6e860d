import type { Answers } from '../judge.ts';
import { type AnswersOf, type AuditContext, noAnswers } from './judged.ts';
import { mapAhead } from './map-ahead.ts';
import type { AuditProblem } from './report.ts';
import type { Found } from './run.ts';

/** Objects whose images are looked up together: enough to keep registries busy, few enough to hold with their files. */
const objectsAhead = 64;

/** What was read, and what was found out of its images. */
interface Answered<Entry> {
  readonly entry: Entry;
  readonly answers: Answers;
}

/**
 * Finds out what objects leave to their images, and hands them over in their order, never holding more than a few.
 *
 * @param entries Objects, and problems, which are handed over as they are.
 * @param context What they are judged by.
 * @param answersOf Finds out about one; left out, nobody is asked.
 */
export function answered<Entry extends Found | AuditProblem>(
  entries: AsyncIterable<Entry> | Iterable<Entry>,
  context: AuditContext,
  answersOf: AnswersOf | undefined,
): AsyncGenerator<Answered<Entry>> {
  return mapAhead(entries, answersOf ? objectsAhead : 0, async (entry) => ({
    entry,
    answers: answersOf && 'value' in entry ? await answersOf(entry.value, context) : noAnswers,
  }));
}
