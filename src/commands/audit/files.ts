import type { AuditContext } from '../../audit/judged.ts';
import type { AuditProblem } from '../../audit/report.ts';
import { findSources, type Source, type SourceText } from '../../audit/sources.ts';
import type { Config } from '../../config/config.ts';
import { InputError } from '../../input-error.ts';
import { namespacesAmong } from '../../manifest/namespaces.ts';
import type { Assumed } from './options.ts';
import type { Progress } from './progress.ts';

/** What the commands that read manifests are asked for. */
export interface FileOptions {
  readonly file?: readonly string[];
  readonly assume?: Assumed;
  readonly namespace?: string;
}

/** Manifests, and what their objects are judged by. */
export interface Files {
  readonly sources: readonly Source[];
  readonly problems: readonly AuditProblem[];
  readonly context: AuditContext;
}

/**
 * Finds the files, and reads the labels of the namespaces that are among them: a namespace may stand behind what it
 * holds.
 *
 * @throws {InputError} if no file was named.
 */
export async function openFiles(options: FileOptions, config: Config): Promise<Files> {
  if (!options.file?.length) {
    throw new InputError('there is nothing to read: name files or folders with -f, or - for standard input');
  }
  const { sources, problems } = findSources(options.file);
  const labels = new Map<string, ReadonlyMap<string, string>>();
  for (const source of sources) {
    const read = await source.read();
    if (!('text' in read)) continue;
    for (const [name, its] of namespacesAmong(read.text)) if (!labels.has(name)) labels.set(name, its);
  }
  const context: AuditContext = {
    config,
    labelsOf: (name) => labels.get(name) ?? null,
    assumed: options.assume ?? new Map(),
    defaultNamespace: options.namespace ?? 'default',
    podsRun: false,
  };
  return { sources, problems, context };
}

/** Reads sources one after another, and counts them. */
export async function* readAll(
  sources: readonly Source[],
  progress: Progress,
): AsyncGenerator<{ readonly source: Source; readonly read: SourceText }> {
  for (const [index, source] of sources.entries()) {
    if (sources.length > 1) progress.show('files', `read ${index} of ${sources.length} files`);
    yield { source, read: await source.read() };
  }
}
