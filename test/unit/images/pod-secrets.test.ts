import { describe, expect, it } from 'vitest';
import { createPodSecrets, type SecretReader } from '../../../src/images/pod-secrets.ts';
import type { PullSecret } from '../../../src/images/pull-secrets.ts';
import { readPod } from '../../../src/pod/pod.ts';

const secretNamed = (name: string): PullSecret => ({ type: name, data: new Map([['key', name]]) });

/** A cluster with the Secrets one, two and own; the account `builder` names the first two, `broken` cannot be read. */
function cluster() {
  const asked: string[] = [];
  const reader: SecretReader = {
    async readSecret(namespace, name) {
      asked.push(`secret ${namespace}/${name}`);
      if (name === 'forbidden') throw new Error('403');
      return ['one', 'two', 'own'].includes(name) ? secretNamed(name) : null;
    },
    async readServiceAccount(namespace, name) {
      asked.push(`account ${namespace}/${name}`);
      if (name === 'broken') throw new Error('403');
      return name === 'builder' ? [{ name: 'two' }, { name: 'one' }, { name: '../x' }, 7] : undefined;
    },
  };
  return { reader, asked };
}

const podOf = (spec: object) => readPod({ spec });
const templateOf = (spec: object) => readPod({ spec }, { base: '/spec/template' });
const names = (secrets: readonly PullSecret[]) => secrets.map(({ type }) => type);

describe('createPodSecrets', () => {
  it('reads those that a pod names, in its order, and passes over what cannot be read', async () => {
    const { reader, asked } = cluster();
    const secretsOf = createPodSecrets(reader, 30);
    const imagePullSecrets = [{ name: 'absent' }, { name: 'two' }, { name: 'forbidden' }, { name: 'own' }];
    expect(names(await secretsOf(podOf({ imagePullSecrets }), 'shop'))).toEqual(['two', 'own']);
    expect(asked).toEqual([
      'secret shop/absent',
      'secret shop/two',
      'secret shop/forbidden',
      'secret shop/own',
    ]);
  });

  it('reads each once for all who ask, and in each namespace for itself', async () => {
    const { reader, asked } = cluster();
    const secretsOf = createPodSecrets(reader, 30);
    const pods = [
      podOf({ imagePullSecrets: [{ name: 'one' }] }),
      templateOf({ serviceAccountName: 'builder' }),
    ];
    const ask = () => Promise.all([...pods, ...pods].map((pod) => secretsOf(pod, 'shop')));
    expect((await ask()).map(names)).toEqual([['one'], ['two', 'one'], ['one'], ['two', 'one']]);
    await ask();
    expect(asked.toSorted()).toEqual(['account shop/builder', 'secret shop/one', 'secret shop/two']);
    await secretsOf(podOf({ imagePullSecrets: [{ name: 'one' }] }), 'other');
    expect(asked.at(-1)).toBe('secret other/one');
  });

  it('remembers nothing for longer than it is told', async () => {
    const { reader, asked } = cluster();
    const secretsOf = createPodSecrets(reader, 0);
    for (const _ of [1, 2]) await secretsOf(templateOf({ serviceAccountName: 'builder' }), 'shop');
    expect(asked.filter((each) => each === 'account shop/builder')).toHaveLength(2);
    expect(asked.filter((each) => each === 'secret shop/one')).toHaveLength(2);
  });

  it('gives a template that names none those of its service account', async () => {
    const { reader } = cluster();
    const secretsOf = createPodSecrets(reader, 30);
    const of = async (spec: object) => names(await secretsOf(templateOf(spec), 'shop'));
    expect(await of({ serviceAccountName: 'builder' })).toEqual(['two', 'one']);
    expect(await of({ serviceAccount: 'builder', imagePullSecrets: [] })).toEqual(['two', 'one']);
    expect(await of({ serviceAccountName: 'builder', imagePullSecrets: [{ name: 'own' }] })).toEqual(['own']);
    expect(await of({ serviceAccountName: 'absent' })).toEqual([]);
    expect(await of({ serviceAccountName: 'broken' })).toEqual([]);
  });

  it('does not ask for the account of a pod, which has got its secrets already', async () => {
    const { reader, asked } = cluster();
    expect(await createPodSecrets(reader, 30)(podOf({ serviceAccountName: 'builder' }), 'shop')).toEqual([]);
    expect(asked).toEqual([]);
  });
});
