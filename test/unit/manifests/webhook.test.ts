import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { webhookCommand } from '../../../src/commands/webhook.ts';
import { defaultConfig, parseConfig } from '../../../src/config/config.ts';
import { podSpecSchema, restrictedViolations } from './pod-security.ts';
import { readManifest } from './read.ts';

const namespace = 'gravekeeper';

const deploymentSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    replicas: z.number(),
    strategy: z.looseObject({
      rollingUpdate: z.strictObject({ maxUnavailable: z.number(), maxSurge: z.number() }),
    }),
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
      spec: podSpecSchema.extend({
        serviceAccountName: z.string(),
        automountServiceAccountToken: z.boolean(),
        terminationGracePeriodSeconds: z.number(),
        containers: z.tuple([
          podSpecSchema.shape.containers.element.extend({
            args: z.array(z.string()),
            env: z.array(z.unknown()),
            ports: z.array(z.strictObject({ name: z.string(), containerPort: z.number() })),
            readinessProbe: z.looseObject({}),
            livenessProbe: z.looseObject({}),
            volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
          }),
        ]),
        volumes: z.array(
          z.looseObject({
            name: z.string(),
            secret: z.strictObject({ secretName: z.string() }).optional(),
            configMap: z.strictObject({ name: z.string() }).optional(),
          }),
        ),
      }),
    }),
  }),
});

const deployment = deploymentSchema.parse(readManifest('base/webhook/deployment.yaml')[0]);
const pod = deployment.spec.template.spec;
const [container] = pod.containers;

describe('the Deployment of the webhook', () => {
  it('satisfies the Pod Security Standard that its namespace enforces, and writes to no file system', () => {
    expect(restrictedViolations(pod)).toEqual([]);
    expect(container.securityContext?.readOnlyRootFilesystem).toBe(true);
    expect(pod.securityContext?.runAsUser).toBeGreaterThan(0);
    expect(readManifest('base/webhook/namespace.yaml')[0]?.metadata).toMatchObject({
      name: namespace,
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    });
  });

  it('never goes below two replicas in a rollout, or below one in a drain', () => {
    expect(deployment.spec.replicas).toBe(2);
    expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    expect(readManifest('base/webhook/pod-disruption-budget.yaml')[0]).toMatchObject({
      spec: { minAvailable: 1, selector: deployment.spec.selector },
    });
  });

  it('is started with arguments that the command knows', () => {
    const [name, ...args] = container.args;
    const command = webhookCommand().exitOverride();
    expect(name).toBe(command.name());
    const outcome = command.parseOptions(args);
    expect(outcome).toEqual({ operands: [], unknown: [] });
    expect(command.opts()).toMatchObject({
      port: 8443,
      metricsPort: 9090,
      cert: '/certs/tls.crt',
      key: '/certs/tls.key',
      config: '/config/config.yaml',
    });
  });

  it('serves the ports that its arguments name, and the Service and the probes reach them', () => {
    expect(container.ports).toEqual([
      { name: 'https', containerPort: 8443 },
      { name: 'metrics', containerPort: 9090 },
    ]);
    expect(readManifest('base/webhook/service.yaml')[0]).toMatchObject({
      spec: {
        selector: deployment.spec.selector.matchLabels,
        ports: [
          { port: 443, targetPort: 'https' },
          { name: 'metrics', targetPort: 'metrics' },
        ],
      },
    });
    expect(container.readinessProbe).toMatchObject({
      httpGet: { scheme: 'HTTPS', path: '/readyz', port: 'https' },
    });
    expect(container.livenessProbe).toMatchObject({
      httpGet: { scheme: 'HTTPS', path: '/healthz', port: 'https' },
    });
  });

  it('mounts as directories, so that changes arrive, what its arguments name', () => {
    const sources = new Map(pod.volumes.map((volume) => [volume.name, volume]));
    const mounted = Object.fromEntries(
      container.volumeMounts.map(({ name, mountPath, ...rest }) => [
        mountPath,
        { ...sources.get(name), ...rest },
      ]),
    );
    expect(mounted).toEqual({
      '/certs': { name: 'certs', secret: { secretName: 'gravekeeper-webhook-tls' }, readOnly: true },
      '/config': { name: 'config', configMap: { name: 'gravekeeper-config' }, readOnly: true },
    });
  });

  it('has time to withdraw and to drain before it is killed', () => {
    const delay = webhookCommand().options.find(({ long }) => long === '--shutdown-delay')?.defaultValue;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(z.number().parse(delay) + 15);
  });

  it('knows its own namespace', () => {
    expect(container.env).toEqual([
      { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    ]);
  });
});

describe('what the webhook may do', () => {
  it('is to read namespaces, and nothing else', () => {
    const [role, binding, ...rest] = readManifest('base/webhook/cluster-role.yaml');
    expect(rest).toEqual([]);
    expect(role).toMatchObject({
      kind: 'ClusterRole',
      rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] }],
    });
    expect(binding).toMatchObject({
      kind: 'ClusterRoleBinding',
      roleRef: { kind: 'ClusterRole', name: role?.metadata?.name },
      subjects: [{ kind: 'ServiceAccount', name: pod.serviceAccountName, namespace }],
    });
  });

  it('takes the token, which nobody else gets', () => {
    expect(readManifest('base/webhook/service-account.yaml')[0]).toMatchObject({
      metadata: { name: pod.serviceAccountName, namespace },
      automountServiceAccountToken: false,
    });
    expect(pod.automountServiceAccountToken).toBe(true);
  });
});

describe('the ConfigMap', () => {
  const [configMap] = readManifest('base/webhook/config.yaml');
  const { data } = z.looseObject({ data: z.record(z.string(), z.string()) }).parse(configMap);

  it('is the one that is mounted, with the file that the arguments name', () => {
    expect(configMap?.metadata).toEqual({ name: 'gravekeeper-config', namespace });
    expect(Object.keys(data)).toEqual(['config.yaml']);
  });

  it('says every key, and what it says is the default', () => {
    const text = data['config.yaml'] ?? '';
    expect(parseConfig(text, { ruleIds: [] })).toEqual({
      config: { apiVersion: 'gravekeeper.dev/v1alpha1', kind: 'Configuration', ...defaultConfig },
    });
    for (const key of Object.keys(defaultConfig)) expect(text).toMatch(new RegExp(`^${key}:`, 'm'));
  });
});
