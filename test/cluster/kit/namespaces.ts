import { after } from 'node:test';
import { labelKeys } from '../../../src/policy/keys.ts';
import { eventually } from '../wait.ts';
import { create, list, remove } from './api.ts';
import { freshName } from './namespace-names.ts';

/** Labels of ours, without their prefix. */
export interface OwnLabels {
  readonly inject?: string;
  readonly probes?: string;
  readonly dryRun?: string;
}

/** Turns the short names of our labels into the whole ones. */
export function labelsOf(own: OwnLabels): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labelKeys).flatMap(([key, label]) => {
      const value = own[key as keyof OwnLabels];
      return value === undefined ? [] : [[label, value]];
    }),
  );
}

const made: string[] = [];
// Here and not where the first one is made: it would be of the test that makes it.
after(() => Promise.all(made.map((name) => remove('Namespace', name))));

/**
 * Makes a namespace that goes when the file's tests have ended.
 *
 * @param own Labels of ours.
 * @param labels Any other ones.
 * @returns Its name.
 */
export async function namespace(
  own: OwnLabels = {},
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  const name = freshName();
  made.push(name);
  await create({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { ...labels, ...labelsOf(own) } },
  });
  // Pods cannot be created before their account is there.
  await eventually(`the service account of ${name}`, async () =>
    (await list('ServiceAccount', name)).some(({ metadata }) => metadata?.name === 'default'),
  );
  return name;
}
