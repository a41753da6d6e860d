import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { scanCommand } from '../../../src/commands/scan.ts';
import { defaultConfig, parseConfig } from '../../../src/config/config.ts';
import { version } from '../../../src/version.ts';
import { podSpecSchema, restrictedViolations } from './pod-security.ts';
import { readManifest } from './read.ts';

const namespace = 'gravekeeper-scanner';

const labels = { 'app.kubernetes.io/name': 'gravekeeper', 'app.kubernetes.io/component': 'scanner' };

const containerSchema = podSpecSchema.shape.containers.element.extend({
  image: z.string(),
  resources: z.strictObject({
    requests: z.strictObject({ cpu: z.string(), memory: z.string() }),
    limits: z.strictObject({ memory: z.string() }),
  }),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
});

const daemonSetSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
  spec: z.looseObject({
    updateStrategy: z.unknown(),
    selector: z.unknown(),
    template: z.looseObject({
      metadata: z.strictObject({ labels: z.record(z.string(), z.string()) }),
      spec: podSpecSchema.extend({
        serviceAccountName: z.string(),
        automountServiceAccountToken: z.boolean(),
        priorityClassName: z.string(),
        nodeSelector: z.unknown(),
        tolerations: z.unknown(),
        initContainers: z.tuple([
          containerSchema.extend({ command: z.array(z.string()), imagePullPolicy: z.string() }),
        ]),
        containers: z.tuple([
          containerSchema.extend({
            command: z.array(z.string()),
            args: z.array(z.string()),
            env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })),
            ports: z.array(z.strictObject({ name: z.string(), containerPort: z.number() })),
            startupProbe: z.unknown(),
            readinessProbe: z.unknown(),
            livenessProbe: z.unknown(),
          }),
        ]),
        volumes: z.array(
          z.strictObject({
            name: z.string(),
            hostPath: z.strictObject({ path: z.string(), type: z.string() }),
          }),
        ),
      }),
    }),
  }),
});

const { metadata, spec } = daemonSetSchema.parse(readManifest('base/scanner/daemon-set.yaml')[0]);
const pod = spec.template.spec;
const [scanner] = pod.containers;
const [tiniImage] = pod.initContainers;

const mebibytes = (quantity: string): number => Number(/^(\d+)Mi$/.exec(quantity)?.[1]);

describe('the pod of the scanner', () => {
  it('breaks the Pod Security Standard restricted by its hostPath volumes alone', () => {
    expect(restrictedViolations(pod)).toEqual(['volume proc', 'volume cgroup']);
  });

  it('runs as a user of its own that is not root, with no capability, and shares no namespace with the node', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65_527, runAsGroup: 65_527 });
    expect([pod.hostPID, pod.hostNetwork, pod.hostIPC]).toEqual([undefined, undefined, undefined]);
    for (const { securityContext } of [tiniImage, scanner]) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it('gets /proc and the cgroups of its node, to read only, and nothing else of it', () => {
    const paths = new Map(pod.volumes.map(({ name, hostPath }) => [name, hostPath]));
    expect(scanner.volumeMounts.map(({ name, ...mount }) => ({ ...mount, ...paths.get(name) }))).toEqual([
      { mountPath: '/host/proc', readOnly: true, path: '/proc', type: 'Directory' },
      { mountPath: '/host/sys/fs/cgroup', readOnly: true, path: '/sys/fs/cgroup', type: 'Directory' },
    ]);
    expect(tiniImage.volumeMounts).toEqual([]);
  });

  it('runs on every Linux node', () => {
    expect(pod.tolerations).toEqual([{ operator: 'Exists' }]);
    expect(pod.nodeSelector).toEqual({ 'kubernetes.io/os': 'linux' });
    expect(spec.updateStrategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } });
  });

  it('is evicted last and preempts nobody', () => {
    expect(readManifest('base/scanner/priority-class.yaml')[0]).toMatchObject({
      metadata: { name: pod.priorityClassName },
      value: 1_000_000_000,
      preemptionPolicy: 'Never',
      globalDefault: false,
    });
  });

  it('is found by the labels that scan --cluster asks for', () => {
    expect(metadata).toMatchObject({ namespace });
    expect(spec.template.metadata.labels).toEqual(labels);
    expect(spec.selector).toEqual({ matchLabels: labels });
    const where = scanCommand().options.find(({ long }) => long === '--scanner-namespace');
    expect(where?.defaultValue).toBe(namespace);
  });
});

describe('the container of the scanner', () => {
  it('is started with arguments that the command knows', () => {
    const [name, ...args] = scanner.args;
    const command = scanCommand().exitOverride();
    expect(name).toBe(command.name());
    expect(command.parseOptions(args)).toEqual({ operands: [], unknown: [] });
    expect(command.opts()).toMatchObject({
      interval: 15,
      proc: '/host/proc',
      cgroup: '/host/sys/fs/cgroup',
      metricsPort: 9090,
      events: true,
    });
  });

  it('starts what the image starts', () => {
    const dockerfile = readFileSync(new URL('../../../Dockerfile', import.meta.url), 'utf8');
    const entry: string[] = JSON.parse(/^ENTRYPOINT (\["node".*\])$/m.exec(dockerfile)?.[1] ?? '[]');
    const programOf = (words: readonly string[]) => words.filter((word) => !word.startsWith('-'));
    expect(programOf(scanner.command)).toEqual(programOf(entry));
  });

  it('is started with flags that Node and V8 know', () => {
    const flags = scanner.command.filter((word) => word.startsWith('-'));
    const NODE_OPTIONS = scanner.env.find(({ name }) => name === 'NODE_OPTIONS')?.value;
    const { status, stderr, stdout } = spawnSync(process.execPath, [...flags, '-p', 'typeof gc'], {
      env: { NODE_OPTIONS },
      encoding: 'utf8',
    });
    expect({ status, stderr, stdout }).toEqual({ status: 0, stderr: '', stdout: 'function\n' });
  });

  it('knows the name of its node, and bounds its heap well below its memory limit', () => {
    const [nodeName, nodeOptions, ...rest] = scanner.env;
    expect(rest).toEqual([]);
    expect(nodeName).toEqual({ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } });
    expect(nodeOptions?.name).toBe('NODE_OPTIONS');
    const heap = Number(/--max-old-space-size=(\d+)/.exec(String(nodeOptions?.value))?.[1]);
    expect(heap).toBeLessThanOrEqual(mebibytes(scanner.resources.limits.memory) / 2);
  });

  it('is probed where it answers for its own health', () => {
    expect(scanner.ports).toEqual([{ name: 'metrics', containerPort: 9090 }]);
    const httpGet = { path: '/healthz', port: 'metrics' };
    expect(scanner.readinessProbe).toMatchObject({ httpGet });
    expect(scanner.livenessProbe).toMatchObject({ httpGet });
    // The kubelet asks for readiness at once when this one has succeeded, and not one period later.
    expect(scanner.startupProbe).toMatchObject({ httpGet, periodSeconds: 1 });
  });
});

describe('the image of tini', () => {
  const [configMap] = readManifest('base/webhook/config.yaml');
  const { data } = z.looseObject({ data: z.record(z.string(), z.string()) }).parse(configMap);
  const parsed = parseConfig(data['config.yaml'] ?? '', { ruleIds: [] });

  it('is brought to every node by a program that ends by itself', () => {
    expect(tiniImage.command).toEqual(['/tini', '--version']);
    expect(tiniImage.imagePullPolicy).toBe('IfNotPresent');
  });

  it('is the one that the webhook injects', () => {
    const image = 'config' in parsed ? (parsed.config.tini ?? defaultConfig.tini).image : null;
    expect(image).toBe(`${tiniImage.image}:${version}`);
  });
});

describe('what the scanner may do', () => {
  it('is to list pods and to write Events, and nothing else', () => {
    const [role, binding, ...rest] = readManifest('base/scanner/cluster-role.yaml');
    expect(rest).toEqual([]);
    expect(role).toMatchObject({ kind: 'ClusterRole' });
    expect(role?.rules).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
    ]);
    expect(binding).toMatchObject({
      kind: 'ClusterRoleBinding',
      roleRef: { kind: 'ClusterRole', name: role?.metadata?.name },
    });
    expect(binding?.subjects).toEqual([{ kind: 'ServiceAccount', name: pod.serviceAccountName, namespace }]);
  });

  it('takes the token, which nobody else gets', () => {
    expect(readManifest('base/scanner/service-account.yaml')[0]).toMatchObject({
      metadata: { name: pod.serviceAccountName, namespace },
      automountServiceAccountToken: false,
    });
    expect(pod.automountServiceAccountToken).toBe(true);
  });

  it('is in a namespace that allows hostPath volumes, and that is not the one of the webhook', () => {
    expect(readManifest('base/scanner/namespace.yaml')[0]?.metadata).toEqual({
      name: namespace,
      labels: {
        'pod-security.kubernetes.io/enforce': 'privileged',
        'pod-security.kubernetes.io/audit': 'privileged',
        'pod-security.kubernetes.io/warn': 'privileged',
      },
    });
  });
});
