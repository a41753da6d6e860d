import { randomBytes } from 'node:crypto';
import { list, remove } from './api.ts';

const prefix = 'gk-test-';

/** A name for a namespace that is none yet. */
export const freshName = (): string => `${prefix}${randomBytes(4).toString('hex')}`;

/** Deletes the namespaces of tests that were interrupted. */
export async function removeNamespaces(): Promise<void> {
  const names = (await list('Namespace')).map(({ metadata }) => metadata?.name ?? '');
  await Promise.all(names.filter((name) => name.startsWith(prefix)).map((name) => remove('Namespace', name)));
}
