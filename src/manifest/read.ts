import { isProblem, type ManifestProblem, readManifest } from './source.ts';

export { type ManifestProblem, problemText } from './source.ts';

/** One object of a file. */
export interface ManifestDocument {
  /** The object: its members as JSON has them. */
  readonly value: Readonly<Record<string, unknown>>;
  /** The line that it begins on, counted from 1. */
  readonly line: number;
}

/** What a file holds. */
export interface Manifest {
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly ManifestProblem[];
}

/**
 * Reads a whole file of YAML documents or of JSON objects; `readManifest` says how.
 *
 * @param text What the file holds.
 * @param file Its name, for problems.
 * @returns Its objects in their order, and what could not be read. It never throws.
 */
export function readDocuments(text: string, file: string): Manifest {
  const documents: ManifestDocument[] = [];
  const problems: ManifestProblem[] = [];
  for (const read of readManifest(text, file)) {
    if (isProblem(read)) problems.push(read);
    else documents.push({ value: read.value, line: read.start.line });
  }
  return { documents, problems };
}
