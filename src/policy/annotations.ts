import { type ImageArgv, imageArgvSchema } from '../config/config.ts';
import { isJsonObject, type Pod } from '../pod/pod.ts';
import { annotationKeys } from './keys.ts';
import type { Note } from './note.ts';

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
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.filter((name) => name === '' || !hasContainer(pod, name));
  return {
    value: new Set(names.filter((name) => name !== '')),
    notes: wrong.map((name) =>
      malformed(
        annotationKeys.skipContainers,
        name === ''
          ? 'has an empty name; expected container names separated by commas'
          : unknownContainer(name),
      ),
    ),
  };
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
    } else if (!hasContainer(pod, name)) {
      notes.push(malformed(annotationKeys.argv, unknownContainer(name)));
    } else {
      value.set(name, argv.data);
    }
  }
  return { value, notes };
}

/**
 * Reads `gravekeeper.dev/ignore: <rule>=<why>, …`. Grounds are asked for: an entry without them is not honoured.
 *
 * @param text The annotation's value, if it is there. Grounds may hold commas: a part without `=` continues them.
 */
export function ignoreAnnotation(text: string | undefined): Annotation<ReadonlyMap<string, string>> {
  const value = new Map<string, string>();
  if (text === undefined) return { value, notes: [] };
  const notes: Note[] = [];
  let last: string | null = null;
  for (const part of text.split(',')) {
    const [, rule, why] = /^\s*([a-z][a-z0-9-]*)\s*=(.*)$/s.exec(part) ?? [];
    if (rule !== undefined && why?.trim()) {
      value.set(rule, why.trim());
      last = rule;
    } else if (rule === undefined && last !== null && part.trim() !== '') {
      value.set(last, `${value.get(last)},${part}`.trimEnd());
    } else if (part.trim() !== '' || last === null) {
      notes.push(
        malformed(annotationKeys.ignore, `expected <rule>=<why>, found ${JSON.stringify(part.trim())}`),
      );
    }
  }
  return { value, notes };
}

function hasContainer(pod: Pod, name: string): boolean {
  return pod.containers.some((container) => container.name === name);
}

function unknownContainer(name: string): string {
  return `names ${JSON.stringify(name)}, which is no container of the pod`;
}

function malformed(key: string, detail: string): Note {
  return { reason: 'malformed-annotation', container: null, detail: `${key}: ${detail}` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
