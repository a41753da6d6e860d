import { describe, expect, it } from 'vitest';
import { architectureOf, pullSecretNames, serviceAccountOf } from '../../../src/images/pod-images.ts';
import { readPod } from '../../../src/pod/pod.ts';

describe('pullSecretNames', () => {
  it.each([
    [undefined, []],
    [null, []],
    ['a', []],
    [
      [{ name: 'b' }, { name: 'a' }, { name: 'b' }],
      ['b', 'a'],
    ],
    [
      [
        { name: '' },
        { name: 1 },
        {},
        null,
        { name: 'A' },
        { name: '../a' },
        { name: 'a/b' },
        { name: 'ok.1' },
      ],
      ['ok.1'],
    ],
  ])('reads %j', (imagePullSecrets, names) => {
    expect(pullSecretNames(readPod({ spec: { imagePullSecrets } }))).toEqual(names);
  });

  it('reads no more than sixteen', () => {
    const imagePullSecrets = Array.from({ length: 100 }, (_, index) => ({ name: `s${index}` }));
    expect(pullSecretNames(readPod({ spec: { imagePullSecrets } }))).toHaveLength(16);
  });
});

describe('serviceAccountOf', () => {
  it.each([
    [{}, 'default'],
    [{ serviceAccountName: 'builder' }, 'builder'],
    [{ serviceAccount: 'builder' }, 'builder'],
    [{ serviceAccountName: 'new', serviceAccount: 'old' }, 'new'],
    [{ serviceAccountName: '' }, 'default'],
    [{ imagePullSecrets: null }, 'default'],
    [{ imagePullSecrets: [] }, 'default'],
    [{ imagePullSecrets: [{}] }, null],
    [{ serviceAccountName: '../secrets' }, null],
    [{ serviceAccountName: 7 }, null],
  ])('of a template with %j is %s', (spec, expected) => {
    expect(serviceAccountOf(readPod({ spec }, { base: '/spec/template' }))).toBe(expected);
    expect(serviceAccountOf(readPod({ spec }))).toBeNull();
  });
});

describe('architectureOf', () => {
  const affinity = (...terms: object[][]) => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: terms.map((matchExpressions) => ({ matchExpressions })),
        },
      },
    },
  });
  const arch = (...values: string[]) => ({ key: 'kubernetes.io/arch', operator: 'In', values });

  it.each([
    [{}, null],
    [{ nodeSelector: { 'kubernetes.io/arch': 'arm64' } }, 'arm64'],
    [{ nodeSelector: { 'kubernetes.io/arch': 'ARM/../' } }, null],
    [affinity([arch('arm64')]), 'arm64'],
    [affinity([arch('arm64')], [arch('arm64')]), 'arm64'],
    [affinity([arch('arm64')], [arch('amd64')]), null],
    [affinity([arch('arm64')], []), null],
    [affinity([arch('arm64', 'amd64')]), null],
    [affinity([{ ...arch('arm64'), operator: 'NotIn' }]), null],
  ])('of %j is %s', (spec, expected) => {
    expect(architectureOf(readPod({ spec }))).toBe(expected);
  });
});
