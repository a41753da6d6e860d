import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { version } from '../../../src/version.ts';
import { describeWith } from '../../support/process.ts';
import { copyManifests, imagesIn, kubectl, type ManifestsCopy, namesIn, podIn } from './kustomize.ts';

const daemonSet = 'DaemonSet gravekeeper-scanner';

/** A kustomization of the scanner alone, or of the whole, with components. */
function withComponents(resource: string, ...components: string[]): string {
  const lines = components.map((component) => `  - ../manifests/components/${component}`);
  return ['resources:', `  - ../manifests/${resource}`, 'components:', ...lines, ''].join('\n');
}

describeWith([kubectl], 'the components', () => {
  let copy: ManifestsCopy;

  beforeAll(() => {
    copy = copyManifests();
  });
  afterAll(() => copy.remove());

  /** What a component changes in the pod of the scanner, and what it adds. */
  function effectOf(...components: string[]) {
    const without = copy.render('base/scanner');
    const withThem = copy.renderMine(withComponents('base/scanner', ...components));
    return {
      before: podIn(without, daemonSet),
      after: podIn(withThem, daemonSet),
      added: namesIn(withThem).filter((name) => !namesIn(without).includes(name)),
      resources: withThem,
    };
  }

  describe('openshift', () => {
    it('gives the scanner an SELinux type that may search /proc, and changes nothing else of its pod', () => {
      const { before, after } = effectOf('openshift');
      const { seLinuxOptions, ...securityContext } = after.securityContext;
      expect(seLinuxOptions).toEqual({ type: 'spc_t' });
      expect({ ...after, securityContext }).toEqual(before);
    });

    it('allows that by a SecurityContextConstraints that only the scanner may use', () => {
      const { added, resources } = effectOf('openshift');
      expect(added).toEqual([
        'Role gravekeeper-scanner-scc',
        'RoleBinding gravekeeper-scanner-scc',
        'SecurityContextConstraints gravekeeper-scanner',
      ]);
      const constraints = resources.find(({ kind }) => kind === 'SecurityContextConstraints');
      const allowed = Object.entries(constraints ?? {}).filter(
        ([key, value]) => key.startsWith('allow') && value === true,
      );
      expect(allowed).toEqual([['allowHostDirVolumePlugin', true]]);
      expect(constraints).toMatchObject({
        allowedCapabilities: [],
        requiredDropCapabilities: ['ALL'],
        readOnlyRootFilesystem: true,
        runAsUser: { type: 'MustRunAsNonRoot' },
        users: [],
        groups: [],
      });
      expect(resources.find(({ kind }) => kind === 'RoleBinding')).toMatchObject({
        subjects: [{ kind: 'ServiceAccount', name: 'gravekeeper-scanner', namespace: 'gravekeeper-scanner' }],
      });
    });

    it('leaves the user of the webhook to the SCC restricted-v2', () => {
      const resources = copy.renderMine(withComponents('base', 'openshift'));
      const { securityContext } = podIn(resources, 'Deployment gravekeeper-webhook');
      expect(securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    });
  });

  describe('node-problem-detector', () => {
    it('has the scanner write its result where the plugin looks for it', () => {
      const { before, after, added, resources } = effectOf('node-problem-detector');
      expect(added).toEqual(['ConfigMap gravekeeper-node-problem-detector']);
      const [scanner] = after.containers;
      const [original] = before.containers;
      const file = '/run/gravekeeper/scan/npd';
      expect(scanner?.args).toEqual([...(original?.args ?? []), `--npd-file=${file}`]);
      expect(scanner?.volumeMounts).toContainEqual({ name: 'result', mountPath: '/run/gravekeeper' });
      expect(after.volumes).toContainEqual({
        name: 'result',
        hostPath: { path: '/run/gravekeeper', type: 'DirectoryOrCreate' },
      });
      const { data } = z
        .looseObject({ data: z.record(z.string(), z.string()) })
        .parse(resources.find(({ kind }) => kind === 'ConfigMap'));
      expect(Object.keys(data).sort()).toEqual([
        'gravekeeper-zombie-events.json',
        'gravekeeper-zombies.json',
        'gravekeeper-zombies.sh',
      ]);
      expect(data['gravekeeper-zombies.json']).toContain(file);
      expect(data['gravekeeper-zombie-events.json']).toContain(file);
    });

    it('makes the folder for it as root without any capability, and drops root for the rest', () => {
      const { before, after, resources } = effectOf('node-problem-detector');
      expect(after.securityContext).toEqual(before.securityContext);
      const folder = after.initContainers.find(({ name }) => name === 'result-folder');
      expect(folder).toMatchObject({
        command: ['install', '--directory', '--mode=0775', '--group=65527', '/run/gravekeeper/scan'],
        securityContext: {
          runAsNonRoot: false,
          runAsUser: 0,
          runAsGroup: 65_527,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      });
      expect(imagesIn(resources)).toEqual([
        `ghcr.io/gravekeeper/gravekeeper:${version}`,
        `ghcr.io/gravekeeper/gravekeeper:${version}`,
        `ghcr.io/gravekeeper/tini:${version}`,
      ]);
    });

    it('opens the SecurityContextConstraints of OpenShift for that, where both are used', () => {
      const { resources } = effectOf('openshift', 'node-problem-detector');
      expect(resources.find(({ kind }) => kind === 'SecurityContextConstraints')).toMatchObject({
        runAsUser: { type: 'RunAsAny' },
      });
    });
  });

  it('network-policy lets one namespace reach one port of the scanner', () => {
    const { before, after, resources } = effectOf('network-policy');
    expect(after).toEqual(before);
    expect(resources.find(({ kind }) => kind === 'NetworkPolicy')).toMatchObject({
      metadata: { namespace: 'gravekeeper-scanner' },
      spec: {
        podSelector: { matchLabels: { 'app.kubernetes.io/component': 'scanner' } },
        policyTypes: ['Ingress'],
        ingress: [
          {
            ports: [{ port: 'metrics' }],
            from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
          },
        ],
      },
    });
  });

  it('monitoring has the labels of zombies win over those of the scanner, and the dashboard as it is', () => {
    const resources = copy.render('monitoring');
    expect(namesIn(resources)).toEqual([
      'ConfigMap gravekeeper-dashboard',
      'PodMonitor gravekeeper-scanner',
      'PrometheusRule gravekeeper-scanner',
    ]);
    expect(resources.find(({ kind }) => kind === 'PodMonitor')).toMatchObject({
      spec: {
        selector: { matchLabels: { 'app.kubernetes.io/component': 'scanner' } },
        podMetricsEndpoints: [{ port: 'metrics', honorLabels: true }],
      },
    });
  });
});
