import { describe, expect, it } from 'vitest';
import { groupOf, longRunning, readPod } from '../../../src/pod/pod.ts';

const container = (more: object = {}) => ({ name: 'app', image: 'x', ...more });

describe('readPod', () => {
  it('reads containers, native sidecars and one-shot init containers with their places', () => {
    const pod = readPod({
      spec: {
        containers: [container()],
        initContainers: [container({ name: 'setup' }), container({ name: 'proxy', restartPolicy: 'Always' })],
      },
    });
    expect(pod.containers.map(({ role, name, pointer }) => [role, name, pointer])).toEqual([
      ['container', 'app', '/spec/containers/0'],
      ['init', 'setup', '/spec/initContainers/0'],
      ['sidecar', 'proxy', '/spec/initContainers/1'],
    ]);
    expect(longRunning(pod).map(({ name }) => name)).toEqual(['app', 'proxy']);
  });

  it('places everything below its base', () => {
    const pod = readPod(
      { spec: { containers: [container({ livenessProbe: { exec: { command: ['x'] } } })] } },
      { base: '/spec/template' },
    );
    expect(pod.containers[0]?.probes[0]?.pointer).toBe(
      '/spec/template/spec/containers/0/livenessProbe/exec/command',
    );
  });

  it.each([
    [{}, 10, 1],
    [{ periodSeconds: 0, timeoutSeconds: 0 }, 10, 1],
    [{ periodSeconds: 5, timeoutSeconds: 3 }, 5, 3],
  ])('takes the defaults of the API server for a probe with %j', (probe, periodSeconds, timeoutSeconds) => {
    const pod = readPod({
      spec: { containers: [container({ startupProbe: { ...probe, exec: { command: ['x'] } } })] },
    });
    expect(pod.containers[0]?.probes).toMatchObject([{ kind: 'startup', periodSeconds, timeoutSeconds }]);
  });

  it.each([{ httpGet: { port: 80 } }, { exec: {} }, { exec: { command: [] } }, null, {}])(
    'sees no exec probe in %j',
    (livenessProbe) => {
      expect(readPod({ spec: { containers: [container({ livenessProbe })] } }).containers[0]?.probes).toEqual(
        [],
      );
    },
  );

  it('loses a field of the wrong type, names it, and keeps its siblings', () => {
    const pod = readPod({
      metadata: { labels: { good: 'yes', bad: 3 }, ownerReferences: 'none' },
      spec: {
        hostPID: 'true',
        shareProcessNamespace: true,
        containers: [
          container({
            command: 'node',
            args: ['a'],
            securityContext: { runAsUser: 'root', runAsNonRoot: true },
          }),
          'x',
        ],
      },
    });
    expect([...pod.labels]).toEqual([['good', 'yes']]);
    expect(pod.spec).toMatchObject({ hostPID: undefined, shareProcessNamespace: true });
    expect(pod.containers[0]?.fields).toMatchObject({
      command: undefined,
      args: ['a'],
      securityContext: { runAsNonRoot: true },
    });
    expect(pod.lost.toSorted()).toEqual([
      '/metadata/labels/bad',
      '/metadata/ownerReferences',
      '/spec/containers/1',
      '/spec/hostPID',
    ]);
    expect(pod.containers[0]?.lost.toSorted()).toEqual([
      '/spec/containers/0/command',
      '/spec/containers/0/securityContext/runAsUser',
    ]);
  });

  it('takes null for absent', () => {
    const pod = readPod({
      metadata: null,
      spec: { containers: [container({ env: null, command: null })], volumes: null },
    });
    expect([pod.lost, pod.containers[0]?.lost]).toEqual([[], []]);
  });

  it.each([null, 3, 'pod', [], { spec: [] }, { spec: { containers: {} } }])(
    'reads %j as a pod without containers',
    (raw) => {
      const pod = readPod(raw);
      expect(pod.containers).toEqual([]);
      expect(pod.lost).toHaveLength(1);
    },
  );

  it('finds the controller among the owners', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a' };
    const pod = (controller?: boolean) =>
      readPod({ metadata: { ownerReferences: [{ ...owner, controller }] }, spec: {} });
    expect(pod(true).controller).toEqual({ group: 'apps', kind: 'ReplicaSet', name: 'a' });
    expect(pod(false).controller).toBeNull();
    expect(pod().controller).toBeNull();
  });

  it('believes in a mirror pod only where it is told to', () => {
    const raw = { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } }, spec: {} };
    expect(readPod(raw).mirror).toBe(false);
    expect(readPod(raw, { trustMirrorAnnotation: true }).mirror).toBe(true);
  });

  it('is not fooled by keys of the prototype', () => {
    const raw = JSON.parse(
      '{"metadata": {"labels": {"__proto__": "x", "constructor": "y"}}, "spec": {"__proto__": {"hostPID": true}, "containers": []}}',
    );
    const pod = readPod(raw);
    expect(pod.spec.hostPID).toBeUndefined();
    expect(pod.labels.get('toString')).toBeUndefined();
    expect(({} as { hostPID?: boolean }).hostPID).toBeUndefined();
  });
});

it.each([
  ['v1', ''],
  ['apps/v1', 'apps'],
  ['batch/v1', 'batch'],
])('the group of %s is %j', (apiVersion, group) => {
  expect(groupOf(apiVersion)).toBe(group);
});
