import { editManifest, type PlacedSetting } from '../manifest/edit.ts';
import { type Fix, fixesFor, type Unfixed } from './fixes.ts';
import { type AnswersOf, type AuditContext, type JudgedObject, judgeObject, noAnswers } from './judged.ts';
import { mapAhead } from './map-ahead.ts';
import { readSource } from './read-source.ts';
import { problemLine } from './report.ts';

/** What came of fixing the text of a file. */
export interface FixedText {
  readonly text: string;
  /** What was written and what was not, a line each, what was written first. */
  readonly lines: readonly string[];
  readonly written: number;
  readonly unfixed: number;
  /** Documents that could not be read; they stay as they are. */
  readonly unread: number;
}

/** Objects whose images are looked up together. */
const objectsAhead = 64;

/**
 * Writes into the text of a file what can be written safely. Applied to its own outcome it changes nothing.
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
  const entries = mapAhead(readSource(text, file), answersOf ? objectsAhead : 0, async (entry) => ({
    entry,
    answers: answersOf && 'value' in entry ? await answersOf(entry.value, context) : noAnswers,
  }));
  for await (const { entry, answers } of entries) {
    if (!('value' in entry)) {
      lines.push(problemLine(entry));
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
    lines.push(...fixes.unfixed.map((each) => `${where}: not written: ${toldOf(each)}`));
    unfixed += fixes.unfixed.length;
  }
  const edited = editManifest(
    text,
    wanted.map(({ setting }) => setting),
  );
  const refused = new Set(edited.refused);
  const outcomes = wanted.map(({ setting, told: line }) =>
    refused.has(setting)
      ? `${line}: not written: an anchor or its place would change more than this; write it by hand`
      : `${line}: written`,
  );
  return {
    text: edited.text,
    lines: [...outcomes, ...lines],
    written: wanted.length - refused.size,
    unfixed: unfixed + refused.size,
    unread,
  };
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
