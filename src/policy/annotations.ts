import { type ImageArgv, imageArgvSchema } from '../config/config.ts';
import { isJsonObject } from '../pod/json.ts';
import type { Pod } from '../pod/pod.ts';
import { annotationKeys } from './keys.ts';
import type { Note } from './note.ts';

/** The API server's limit for all annotations of an object; it looks at it only after webhooks were asked. */
const longestRead = 256 * 1024;
/** More notes on one annotation tell nobody more. */
const mostNotes = 10;

/** What an annotation says, and what could not be read of it. */
export interface Annotation<T> {
  readonly value: T;
  readonly notes: readonly Note[];
}

/**
 * Reads `gravekeeper.dev/skip-containers: a,b`.
 *
 * @param pod The pod; a name that none of its containers bears leaves a note.
 * @param text The annotation's value, if it is there.
 */
export function skipContainersAnnotation(
  pod: Pod,
  text: string | undefined,
): Annotation<ReadonlySet<string>> {
  if (text === undefined) return { value: new Set(), notes: [] };
  if (text.length > longestRead) return { value: new Set(), notes: [tooLong(annotationKeys.skipContainers)] };
  const value = new Set(text.split(',').map((name) => name.trim()));
  const isMissing = missingIn(pod);
  const emptyName = 'has an empty name; expected container names separated by commas';
  const notes = [...value]
    .filter((name) => name === '' || isMissing(name))
    .slice(0, mostNotes)
    .map((name) =>
      malformed(annotationKeys.skipContainers, name === '' ? emptyName : unknownContainer(name)),
    );
  value.delete('');
  return { value, notes };
}

/**
 * Reads `gravekeeper.dev/argv: {"app": {"entrypoint": ["/entry.sh"], "cmd": ["redis-server"]}}`, which stands
 * for the image's ENTRYPOINT and CMD, as the image config holds them.
 *
 * @param pod The pod; a name that none of its containers bears leaves a note.
 * @param text The annotation's value, if it is there. A bad entry loses only itself.
 */
export function argvAnnotation(
  pod: Pod,
  text: string | undefined,
): Annotation<ReadonlyMap<string, ImageArgv>> {
  const value = new Map<string, ImageArgv>();
  if (text === undefined) return { value, notes: [] };
  if (text.length > longestRead) return { value, notes: [tooLong(annotationKeys.argv)] };
  const isMissing = missingIn(pod);
  const parsed = parseJson(text);
  if (!isJsonObject(parsed)) {
    const expected =
      'expected a JSON object such as {"app": {"entrypoint": ["/entry.sh"], "cmd": ["serve"]}}';
    return { value, notes: [malformed(annotationKeys.argv, expected)] };
  }
  const notes: Note[] = [];
  for (const [name, entry] of Object.entries(parsed)) {
    const argv = imageArgvSchema.safeParse(entry);
    if (!argv.success) {
      const issue = argv.error.issues[0];
      const at = [name, ...(issue?.path ?? [])].join('.');
      notes.push(
        malformed(annotationKeys.argv, `${at}: expected entrypoint and cmd, each a list of strings`),
      );
    } else {
      value.set(name, argv.data);
      if (isMissing(name)) notes.push(malformed(annotationKeys.argv, unknownContainer(name)));
    }
  }
  return { value, notes: notes.slice(0, mostNotes) };
}

/**
 * Reads `gravekeeper.dev/ignore: <rule>=<why>, …`. Grounds are asked for: an entry without them is not honoured.
 *
 * @param text The annotation's value, if it is there. Grounds may hold commas: a part without `=` continues them.
 */
export function ignoreAnnotation(text: string | undefined): Annotation<ReadonlyMap<string, string>> {
  if (text === undefined) return { value: new Map(), notes: [] };
  if (text.length > longestRead) return { value: new Map(), notes: [tooLong(annotationKeys.ignore)] };
  const grounds = new Map<string, string[]>();
  const notes: Note[] = [];
  let last: string[] | null = null;
  for (const part of text.split(',')) {
    const [, rule, why] = /^\s*([a-z][a-z0-9-]*)\s*=(.*)$/s.exec(part) ?? [];
    if (rule !== undefined && why?.trim()) {
      last = [why.trim()];
      grounds.set(rule, last);
    } else if (rule === undefined && last !== null && part.trim() !== '') {
      last.push(part.trimEnd());
    } else if (part.trim() !== '' || last === null) {
      notes.push(
        malformed(annotationKeys.ignore, `expected <rule>=<why>, found ${JSON.stringify(part.trim())}`),
      );
    }
  }
  const value = new Map([...grounds].map(([rule, parts]) => [rule, parts.join(',')]));
  return { value, notes: notes.slice(0, mostNotes) };
}

/** Whether a name belongs to no container. Those of a template's pods may yet get more of them from a webhook. */
function missingIn(pod: Pod): (name: string) => boolean {
  const names = new Set(pod.containers.map((container) => container.name));
  return (name) => pod.base === '' && !names.has(name);
}

function unknownContainer(name: string): string {
  return `names ${JSON.stringify(name)}, which is no container of the pod`;
}

function malformed(key: string, detail: string): Note {
  return { reason: 'malformed-annotation', container: null, detail: `${key}: ${detail}` };
}

function tooLong(key: string): Note {
  return malformed(key, `is longer than ${longestRead} characters`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
