import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attemptKubectl } from './kubectl.ts';
import { nodeAddress, nodeName, place, serviceRange } from './place.ts';
import { lastLines, pidOf, startInside } from './stage.ts';
import { tool } from './tools.ts';
import { eventually } from './wait.ts';

const etcdUrl = 'http://127.0.0.1:2379';
const serverUrl = `https://${nodeAddress}:443`;

/** The API server makes its own certificate, and the CA that signed it stands in the same file. */
const servingCertificate = join(place.pki, 'apiserver.crt');
const serviceAccountKey = join(place.pki, 'service-accounts.key');
const tokens = join(place.pki, 'tokens.csv');
const auditPolicy = join(place.pki, 'audit-policy.json');
export const auditLog = join(place.logs, 'audit.log');

/** Who may do what is as in any cluster: each program has the user that RBAC and the node authorizer expect of it. */
const users = [
  { file: 'admin', name: 'kubernetes-admin', groups: 'system:masters' },
  { file: 'controller-manager', name: 'system:kube-controller-manager', groups: '' },
  { file: 'scheduler', name: 'system:kube-scheduler', groups: '' },
  { file: 'kubelet', name: `system:node:${nodeName}`, groups: 'system:nodes' },
] as const;

export const kubeconfigOf = (file: (typeof users)[number]['file']): string => join(place.kubeconfigs, file);

/** Writes keys, tokens and kubeconfigs, which are new for each cluster. */
export function writeCredentials(): void {
  for (const folder of [place.pki, place.kubeconfigs, place.logs]) mkdirSync(folder, { recursive: true });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(serviceAccountKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const withTokens = users.map((user) => ({ ...user, token: randomBytes(16).toString('hex') }));
  writeFileSync(
    tokens,
    withTokens.map(({ token, name, groups }) => `${token},${name},${name},"${groups}"\n`).join(''),
    { mode: 0o600 },
  );
  for (const { file, token } of withTokens) {
    writeFileSync(kubeconfigOf(file), JSON.stringify(kubeconfig(token), null, 2), { mode: 0o600 });
  }
  writeFileSync(auditPolicy, JSON.stringify(policy));
}

const kubeconfig = (token: string): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    { name: 'cluster', cluster: { server: serverUrl, 'certificate-authority': servingCertificate } },
  ],
  users: [{ name: 'user', user: { token } }],
  contexts: [{ name: 'cluster', context: { cluster: 'cluster', user: 'user' } }],
  'current-context': 'cluster',
});

/** What admission did to pods and to what has a template of them. */
const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'Metadata',
      verbs: ['create', 'update', 'patch'],
      resources: [
        { group: '', resources: ['pods', 'replicationcontrollers', 'podtemplates', 'namespaces'] },
        { group: 'apps', resources: ['deployments', 'replicasets', 'statefulsets', 'daemonsets'] },
        { group: 'batch', resources: ['jobs', 'cronjobs'] },
      ],
    },
    { level: 'None' },
  ],
};

/** Starts etcd, which is not to survive the machine and so need not wait for its disk. */
export function startEtcd(): void {
  startInside('etcd', [
    tool('etcd'),
    ...['--data-dir', place.etcd, '--unsafe-no-fsync', '--log-level', 'warn'],
    ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
    ...['--listen-peer-urls', 'http://127.0.0.1:2380'],
  ]);
}

/**
 * Starts the API server. Its port is 443, since nothing translates the port of the Service `kubernetes.default`. It
 * finds the pods of a Service by itself, since there is no kube-proxy either.
 */
export function startApiServer(): void {
  startInside('kube-apiserver', [
    tool('kube-apiserver'),
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=0.0.0.0',
    '--secure-port=443',
    `--advertise-address=${nodeAddress}`,
    `--cert-dir=${place.pki}`,
    `--service-cluster-ip-range=${serviceRange}`,
    '--enable-aggregator-routing=true',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    `--token-auth-file=${tokens}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${serviceAccountKey}`,
    `--service-account-signing-key-file=${serviceAccountKey}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--allow-privileged=true',
    `--audit-policy-file=${auditPolicy}`,
    `--audit-log-path=${auditLog}`,
    '--audit-log-mode=blocking',
  ]);
}

/** Resolves when the API server answers that it is ready. */
export async function awaitApiServer(): Promise<void> {
  await eventually('the API server', () => {
    if (pidOf('kube-apiserver') === null) throw new Error(lastLines('kube-apiserver'));
    return existsSync(servingCertificate) && attemptKubectl('get', '--raw', '/readyz').status === 0;
  });
}

export function startControllers(): void {
  startInside('kube-controller-manager', [
    tool('kube-controller-manager'),
    `--kubeconfig=${kubeconfigOf('controller-manager')}`,
    `--service-account-private-key-file=${serviceAccountKey}`,
    `--root-ca-file=${servingCertificate}`,
    '--use-service-account-credentials=true',
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    ...fastClient,
  ]);
  startInside('kube-scheduler', [
    tool('kube-scheduler'),
    `--kubeconfig=${kubeconfigOf('scheduler')}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    ...fastClient,
  ]);
}

/** Their own limits would set the pace of a test that creates many pods. */
const fastClient = ['--kube-api-qps=500', '--kube-api-burst=1000'] as const;
