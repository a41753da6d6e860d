import { type KubeObject, tryCreate } from './api.ts';

/** Makes the runtime classes that fixtures name, if they are not there; they all run as the node's own does. */
export async function makeRuntimeClasses(): Promise<void> {
  const classes = ['nvidia', 'gvisor', 'kata'].map((name) => ({
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name },
    handler: 'runc',
  }));
  await Promise.all(classes.map((one) => tryCreate(one as KubeObject)));
}
