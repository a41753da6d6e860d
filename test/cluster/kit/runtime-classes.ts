import { after } from 'node:test';
import { type KubeObject, remove, tryCreate } from './api.ts';

const made: string[] = [];
after(() => Promise.all(made.map((name) => remove('RuntimeClass', name))));

/** Makes those runtime classes that fixtures name and that are not there; they all run as the node's own does. */
export async function makeRuntimeClasses(): Promise<void> {
  const classes = ['nvidia', 'gvisor', 'kata'].map((name) => ({
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name },
    handler: 'runc',
  }));
  await Promise.all(
    classes.map(async (one) => {
      const { status } = await tryCreate(one as KubeObject);
      if (status === 201) made.push(one.metadata.name);
    }),
  );
}
