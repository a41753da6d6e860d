import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/** The folder of the manifests. */
export const manifests = join(dirname(fileURLToPath(import.meta.url)), '../../../manifests');

const resourceSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }).optional(),
});

/** One document of a manifest. */
export type Resource = z.infer<typeof resourceSchema>;

/** Reads the text of every YAML document, and fails on the first fault of one. */
export function readDocuments(text: string): Resource[] {
  return parseAllDocuments(text).map((document) => {
    const [fault] = [...document.errors, ...document.warnings];
    if (fault) throw fault;
    return resourceSchema.parse(document.toJS());
  });
}

/** Reads one manifest, by its path below `manifests/`. */
export function readManifest(path: string): Resource[] {
  return readDocuments(readFileSync(join(manifests, path), 'utf8'));
}

/** Every YAML file below `manifests/`, by its path there. */
export function manifestFiles(): string[] {
  return readdirSync(manifests, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.ya?ml$/.test(path),
  );
}
