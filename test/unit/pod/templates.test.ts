import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../src/pod/json.ts';
import { podOf, podOfWorkload, workloadKindOf, workloadKinds } from '../../../src/pod/templates.ts';

const template = {
  metadata: {
    labels: { app: 'web' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Thing', name: 't', controller: true }],
  },
  spec: { containers: [{ name: 'app', image: 'nginx', livenessProbe: { exec: { command: ['true'] } } }] },
};

/** Every kind with templates: its apiVersion, where the template stands, and who controls its pods. */
const templated: [kind: string, apiVersion: string, base: string, controller: string][] = [
  ['Deployment', 'apps/v1', '/spec/template', 'apps ReplicaSet'],
  ['ReplicaSet', 'apps/v1', '/spec/template', 'apps ReplicaSet'],
  ['StatefulSet', 'apps/v1', '/spec/template', 'apps StatefulSet'],
  ['DaemonSet', 'apps/v1', '/spec/template', 'apps DaemonSet'],
  ['ReplicationController', 'v1', '/spec/template', ' ReplicationController'],
  ['PodTemplate', 'v1', '/template', 'apps ReplicaSet'],
  ['Job', 'batch/v1', '/spec/template', 'batch Job'],
  ['CronJob', 'batch/v1', '/spec/jobTemplate/spec/template', 'batch Job'],
];

function nest(base: string, value: unknown): JsonObject {
  const nested = base
    .split('/')
    .slice(1)
    .reduceRight<unknown>((inner, member) => ({ [member]: inner }), value);
  return isJsonObject(nested) ? nested : {};
}

describe('podOf', () => {
  it('reads a Pod at the root of its document, with its own controller', () => {
    const pod = podOf({ apiVersion: 'v1', kind: 'Pod', ...template });
    expect(pod).toMatchObject({ base: '', controller: { group: '', kind: 'Thing', name: 't' } });
    expect(pod?.containers[0]?.probes[0]?.pointer).toBe('/spec/containers/0/livenessProbe/exec/command');
  });

  it.each(templated)('reads the template of a %s (%s) at %s', (kind, apiVersion, base, controller) => {
    const document = { apiVersion, kind, metadata: { name: 'web' }, ...nest(base, template) };
    const pod = podOf(document);
    expect(pod?.base).toBe(base);
    expect(pod?.labels.get('app')).toBe('web');
    expect(pod?.raw).toBe(template);
    expect(`${pod?.controller?.group} ${pod?.controller?.kind}`).toBe(controller);
    expect(pod?.controller?.name).toBe('web');
    expect(pod?.containers[0]?.probes[0]?.pointer).toBe(
      `${base}/spec/containers/0/livenessProbe/exec/command`,
    );
  });

  it('knows every kind of the list, and no other', () => {
    expect(workloadKinds.map(({ group, kind }) => `${group}/${kind}`).sort()).toEqual(
      [
        '/Pod',
        ...templated.map(([kind, apiVersion]) => `${apiVersion.replace(/\/?v1$/, '')}/${kind}`),
      ].sort(),
    );
  });

  it('goes by the group, not by the version', () => {
    expect(podOf({ apiVersion: 'apps/v2', kind: 'Deployment', spec: { template } })?.base).toBe(
      '/spec/template',
    );
    expect(podOf({ apiVersion: 'acme.example/v1', kind: 'Deployment', spec: { template } })).toBeNull();
    expect(podOf({ apiVersion: 'apps/v1', kind: 'Pod', spec: {} })).toBeNull();
  });

  it.each([
    [{}],
    [{ apiVersion: 1, kind: 'Pod' }],
    [{ apiVersion: 'v1', kind: ['Pod'] }],
    [{ apiVersion: 'v1', kind: 'constructor' }],
    [{ apiVersion: 'v1', kind: '__proto__' }],
    [{ apiVersion: 'v1', kind: 'ConfigMap' }],
  ])('has no pod for %j', (document) => {
    expect(podOf(document)).toBeNull();
  });

  it.each([[undefined], ['text'], [3], [[]]])('says that a template of %j is lost', (spec) => {
    const pod = podOf({ apiVersion: 'apps/v1', kind: 'Deployment', spec });
    expect(pod?.lost).toEqual(['/spec/template']);
    expect(pod?.containers).toEqual([]);
  });

  it('believes a mirror annotation only where the caller does', () => {
    const document = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } },
    };
    expect(podOf(document)?.mirror).toBe(false);
    expect(podOf(document, { trustMirrorAnnotation: true })?.mirror).toBe(true);
  });

  it('never believes it in a template', () => {
    const mirrored = { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } };
    const document = { apiVersion: 'apps/v1', kind: 'Deployment', spec: { template: mirrored } };
    expect(podOf(document, { trustMirrorAnnotation: true })?.mirror).toBe(false);
  });

  it('never throws, whatever JSON it is given', () => {
    fc.assert(
      fc.property(fc.constantFrom(...workloadKinds), fc.jsonValue(), (workload, document) => {
        podOfWorkload(workload, document);
      }),
    );
  });
});

describe('workloadKindOf', () => {
  it('does not confuse kinds of the same name in other groups', () => {
    expect(workloadKindOf({ group: '', kind: 'Job' })).toBeNull();
    expect(workloadKindOf({ group: 'batch', kind: 'Job' })?.path).toEqual(['spec', 'template']);
  });
});
