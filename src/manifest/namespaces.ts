import { isJsonObject, objectAt } from '../pod/json.ts';
import { partsOf } from './parts.ts';
import { type ManifestProblem, readDocuments } from './read.ts';

/** Labels by namespace, and what could not be read. */
export interface NamespaceFile {
  readonly labels: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly problems: readonly ManifestProblem[];
}

/**
 * Reads Namespaces of v1 out of a file.
 *
 * @param text YAML documents, JSON, or a List of either.
 * @param file Its name, for problems.
 * @returns The labels of each namespace. A document that is no Namespace, or is a second one of its name, is a
 *   problem and left out; so is a label whose value is not a string, but not the namespace that has it.
 */
export function readNamespaces(text: string, file: string): NamespaceFile {
  const { documents, problems: unreadable } = readDocuments(text, file);
  const labels = new Map<string, ReadonlyMap<string, string>>();
  const problems = [...unreadable];
  for (const { value, line } of documents) {
    const complain = (message: string) => problems.push({ file, line, message });
    const { apiVersion, kind } = value;
    const metadata = objectAt(value, 'metadata');
    const { name } = metadata;
    if (apiVersion !== 'v1' || kind !== 'Namespace') {
      complain(
        `this is ${JSON.stringify(kind ?? null)} of ${JSON.stringify(apiVersion ?? null)}; expected a Namespace of v1`,
      );
    } else if (typeof name !== 'string' || name === '') {
      complain('metadata.name is missing; expected the name of the namespace');
    } else if (labels.has(name)) {
      complain(`the namespace ${JSON.stringify(name)} stands here for the second time; the first one counts`);
    } else {
      labels.set(name, readLabels(metadata.labels, complain));
    }
  }
  return { labels, problems: problems.sort((a, b) => a.line - b.line) };
}

const mentionsNamespaces = /\bNamespace(List)?\b/;

/**
 * Picks the Namespaces out of a file that holds all kinds of objects. Only documents that mention one are read.
 *
 * @param text YAML documents, JSON, or a List of either; what cannot be read is passed over.
 * @returns The labels of each namespace; those whose value is no string are left out.
 */
export function namespacesAmong(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const found = new Map<string, ReadonlyMap<string, string>>();
  if (!mentionsNamespaces.test(text)) return found;
  for (const part of partsOf(text)) {
    if (!mentionsNamespaces.test(part.text)) continue;
    for (const { value } of readDocuments(part.text, '').documents) {
      const metadata = objectAt(value, 'metadata');
      const { name } = metadata;
      if (value.apiVersion !== 'v1' || value.kind !== 'Namespace' || typeof name !== 'string') continue;
      if (!found.has(name))
        found.set(
          name,
          readLabels(metadata.labels, () => {}),
        );
    }
  }
  return found;
}

function readLabels(value: unknown, complain: (message: string) => void): ReadonlyMap<string, string> {
  if (value === undefined || value === null) return new Map();
  if (!isJsonObject(value)) {
    complain('metadata.labels is no object; expected labels by key');
    return new Map();
  }
  const labels = new Map<string, string>();
  for (const [key, label] of Object.entries(value)) {
    if (typeof label === 'string') labels.set(key, label);
    else complain(`the label ${key} is ${JSON.stringify(label)}; expected a string: put it in quotes`);
  }
  return labels;
}
