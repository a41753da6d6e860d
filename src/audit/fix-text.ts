import { editManifest, type PlacedSetting } from '../manifest/edit.ts';
import { problemText } from '../manifest/source.ts';
import { answered } from './answered.ts';
import { type Fix, fixesFor, type Unfixed } from './fixes.ts';
import { type AnswersOf, type AuditContext, type JudgedObject, judgeObject } from './judged.ts';
import { readSource } from './read-source.ts';

/** What came of fixing the text of a file. */
export interface FixedText {
  readonly text: string;
  /** What it holds that it did not hold before, a line each. */
  readonly fixes: readonly string[];
  /** What was not fixed and what could not be read, and why, a line each. */
  readonly lines: readonly string[];
  /** How much of that is left to be done by hand. */
  readonly unfixed: number;
  /** Documents that could not be read; they stay as they are. */
  readonly unread: number;
}

/**
 * Puts into the text of a file what can be put there safely. Applied to its own outcome it changes nothing.
 *
 * @param text What the file holds.
 * @param file Its name, for what is told.
 * @param context What its objects are judged by.
 * @param answersOf Finds out what they leave to their images; left out, nobody is asked.
 */
export async function fixText(
  text: string,
  file: string,
  context: AuditContext,
  answersOf?: AnswersOf,
): Promise<FixedText> {
  const lines: string[] = [];
  const wanted: { readonly setting: PlacedSetting; readonly told: string }[] = [];
  let unfixed = 0;
  let unread = 0;
  for await (const { entry, answers } of answered(readSource(text, file), context, answersOf)) {
    if (!('value' in entry)) {
      lines.push(problemText(entry));
      unread += 1;
      continue;
    }
    const judged = judgeObject(entry.value, context, answers);
    if (!judged) continue;
    const where = `${file}:${entry.start.line}: ${nameOf(judged)}`;
    const fixes = fixesFor(judged, context);
    for (const fix of fixes.fixes) {
      wanted.push({ setting: { ...fix.setting, place: entry.place }, told: `${where}: ${told(fix)}` });
    }
    lines.push(...fixes.unfixed.map((each) => notWritten(where, toldOf(each))));
    unfixed += fixes.unfixed.filter(({ isByWebhook }) => !isByWebhook).length;
  }
  const edited = editManifest(
    text,
    wanted.map(({ setting }) => setting),
  );
  const { refused } = edited;
  const done = wanted.filter(({ setting }) => !refused.has(setting));
  const notDone = wanted.flatMap(({ setting, told: line }) => {
    const why = refused.get(setting);
    return why === undefined ? [] : [notWritten(line, why)];
  });
  return {
    text: edited.text,
    fixes: done.map(({ told: line }) => line),
    lines: [...notDone, ...lines],
    unfixed: unfixed + refused.size,
    unread,
  };
}

/** The line that says that something is left as it is. */
export function notWritten(line: string, why: string): string {
  return `${line}: not written: ${why}`;
}

function nameOf({ value, namespace, name }: JudgedObject): string {
  return `${String(value.kind)} ${namespace}/${name}`;
}

function told({ text, because }: Fix): string {
  return `${text} (${because})`;
}

function toldOf({ about, container, why }: Unfixed): string {
  return `${about}${container === null ? '' : ` of ${container}`}: ${why}`;
}
