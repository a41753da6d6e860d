/** A pod of a benchmark, as an object of the API. */
export interface AuditedPod {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: object;
}

/** The namespaces that the pods are in. */
export const namespaces = Array.from({ length: 40 }, (_, index) => `team-${index}`);

/** A pod as clusters have them: two containers, variables, resources, and probes of which every tenth is bad. */
export function auditedPod(index: number): AuditedPod {
  const container = (name: string) => ({
    name,
    image: `registry.example/shop/${name}:1.${index % 50}`,
    command: index % 3 === 0 ? ['/bin/sh', '-c', 'exec /app/serve --port 8080'] : ['/app/serve'],
    args: ['--config', '/etc/app/config.yaml'],
    env: Array.from({ length: 8 }, (_, each) => ({
      name: `SETTING_${each}`,
      value: `value-${index}-${each}`,
    })),
    ports: [{ name: 'http', containerPort: 8080 }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    livenessProbe:
      index % 10 === 0
        ? { exec: { command: ['rabbitmqctl', 'node_health_check'] }, periodSeconds: 10, timeoutSeconds: 10 }
        : { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 10 },
    readinessProbe: { exec: { command: ['sh', '-c', 'curl -fs localhost:8080/ready'] }, timeoutSeconds: 5 },
    volumeMounts: [{ name: 'config', mountPath: '/etc/app' }],
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-${index}`,
      namespace: namespaces[index % namespaces.length] ?? '',
      labels: { app: `app-${index % 200}` },
    },
    spec: {
      containers: [container('app'), container('helper')],
      volumes: [{ name: 'config', configMap: { name: `config-${index}` } }],
    },
  };
}
