import { describe, expect, it } from 'vitest';
import { readPod } from '../../../src/pod/pod.ts';
import { freeMountPath, overlaps } from '../../../src/remedies/mount-path.ts';

describe('overlaps', () => {
  it.each([
    ['/a', '/a', true],
    ['/a', '/a/', true],
    ['/a', '//a/.', true],
    ['/a', '/a/b', true],
    ['/a/b', '/a', true],
    ['/', '/a', true],
    ['/a/../b', '/b/c', true],
    ['/a', '/ab', false],
    ['/a', '/b', false],
    ['/.gravekeeper', '/.gravekeeper-2', false],
  ])('%s and %s: %s', (one, other, expected) => {
    expect(overlaps(one, other)).toBe(expected);
    expect(overlaps(other, one)).toBe(expected);
  });
});

describe('freeMountPath', () => {
  const containers = (...paths: string[]) =>
    readPod({
      spec: {
        containers: paths.map((mountPath) => ({ name: 'x', volumeMounts: [{ name: 'v', mountPath }] })),
      },
    }).containers;
  it.each([
    [[], '/.gravekeeper'],
    [['/data'], '/.gravekeeper'],
    [['/.gravekeeper'], '/.gravekeeper-2'],
    [['/.gravekeeper/x', '/.gravekeeper-2/'], '/.gravekeeper-3'],
    [['/'], '/.gravekeeper'],
    [['/.gravekeeper', '/.gravekeeper', '/data'], '/.gravekeeper-2'],
  ])('beside %j: %s', (paths, expected) => {
    expect(freeMountPath(containers(...paths))).toBe(expected);
  });
  it('keeps clear of devices', () => {
    const [container] = readPod({
      spec: { containers: [{ name: 'x', volumeDevices: [{ name: 'd', devicePath: '/.gravekeeper/disk' }] }] },
    }).containers;
    expect(container && freeMountPath([container])).toBe('/.gravekeeper-2');
  });
});
