import type { Answers } from '../judge.ts';
import { type AnswersOf, type AuditContext, noAnswers } from './judged.ts';
import { mapAhead } from './map-ahead.ts';
import type { SourceEntry } from './read-source.ts';

/** Objects that wait for answers together: enough to keep registries busy, few enough to hold with their files. */
const objectsAhead = 64;

/** What is known of images, beside what was read. */
type Answered<Item> = Item & { readonly answers: Answers };

/**
 * Finds out what objects leave to their images, of several at a time, and hands them over in their order.
 *
 * @param items What was read, with whatever the caller wants to keep beside it.
 * @param context What objects are judged by.
 * @param answersOf Finds out about one; left out, nobody is asked, and nothing is read ahead.
 */
export function withAnswers<Item extends { readonly entry: SourceEntry }>(
  items: AsyncIterable<Item> | Iterable<Item>,
  context: AuditContext,
  answersOf: AnswersOf | undefined,
): AsyncGenerator<Answered<Item>> {
  return mapAhead(items, answersOf ? objectsAhead : 0, async (item) => {
    const { entry } = item;
    const answers = answersOf && 'value' in entry ? await answersOf(entry.value, context) : noAnswers;
    return { ...item, answers };
  });
}
