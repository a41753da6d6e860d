import { randomUUID } from 'node:crypto';

/**
 * An AdmissionReview for a Pod of about the size that API servers really send, 14 kB: a container with its probes
 * and environment, service account volume, tolerations, and the managedFields of two managers.
 */
export function realisticReview(namespace: string): object {
  const container = (name: string) => ({
    name,
    image: `registry.example/${name}:1.4.2`,
    command: ['/usr/local/bin/node', '--enable-source-maps', `${name}.js`],
    args: ['--listen', '$(POD_IP):8080', '--config', '/etc/app/config.yaml'],
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    env: Array.from({ length: 24 }, (_, index) => ({
      name: `SETTING_${index}`,
      value: `value of setting ${index}`,
    })),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '256Mi' } },
    livenessProbe: {
      httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' },
      periodSeconds: 10,
      timeoutSeconds: 1,
    },
    readinessProbe: {
      exec: { command: ['sh', '-c', 'test -f /tmp/ready && curl -fsS localhost:8080/ready'] },
      periodSeconds: 10,
      timeoutSeconds: 5,
      successThreshold: 1,
      failureThreshold: 3,
    },
    volumeMounts: [
      { name: 'config', mountPath: '/etc/app', readOnly: true },
      {
        name: 'kube-api-access-x7k2p',
        readOnly: true,
        mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      },
    ],
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
  });
  const managed = (manager: string) => ({
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-11-20T10:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:spec': Object.fromEntries(
        Array.from({ length: 85 }, (_, index) => [
          `k:{"name":"field-${index}"}`,
          { '.': {}, 'f:name': {}, 'f:value': {} },
        ]),
      ),
    },
  });
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: randomUUID(),
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      requestResource: { group: '', version: 'v1', resource: 'pods' },
      namespace,
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:kube-system:replicaset-controller',
        groups: ['system:serviceaccounts', 'system:authenticated'],
      },
      object: {
        kind: 'Pod',
        apiVersion: 'v1',
        metadata: {
          generateName: 'shop-7c5ddbdf54-',
          namespace,
          labels: { app: 'shop', 'pod-template-hash': '7c5ddbdf54' },
          annotations: { 'prometheus.io/scrape': 'true', 'checksum/config': 'a'.repeat(64) },
          ownerReferences: [
            {
              apiVersion: 'apps/v1',
              kind: 'ReplicaSet',
              name: 'shop-7c5ddbdf54',
              uid: randomUUID(),
              controller: true,
            },
          ],
          managedFields: [managed('kube-controller-manager'), managed('kubectl')],
        },
        spec: {
          volumes: [
            { name: 'config', configMap: { name: 'shop', defaultMode: 420 } },
            {
              name: 'kube-api-access-x7k2p',
              projected: {
                sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }],
                defaultMode: 420,
              },
            },
          ],
          containers: [container('shop')],
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          serviceAccountName: 'shop',
          securityContext: { fsGroup: 2000 },
          schedulerName: 'default-scheduler',
          tolerations: [
            {
              key: 'node.kubernetes.io/not-ready',
              operator: 'Exists',
              effect: 'NoExecute',
              tolerationSeconds: 300,
            },
            {
              key: 'node.kubernetes.io/unreachable',
              operator: 'Exists',
              effect: 'NoExecute',
              tolerationSeconds: 300,
            },
          ],
        },
        status: {},
      },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  };
}
