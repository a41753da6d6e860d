import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { makeCertificates } from '../../src/commands/certs.ts';
import { namespace, type Pod } from './pods.ts';
import { node } from './scan.ts';

/** What the API server is to say of a pod, beyond what its runtime knows. */
export interface ListedPod {
  readonly pod: Pod;
  /** Its UID for the API server; that of a static pod differs from the one in its cgroup. */
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** An API server that can list the pods of one node, and knows of no change; nothing else. */
export interface ApiServer {
  /** A file. */
  readonly kubeconfig: string;
  close(): void;
}

const token = 'the-token';

/**
 * Starts an API server on the loopback interface.
 *
 * @param folder Where to write the kubeconfig.
 * @param pods The pods of the node.
 */
export async function startApiServer(folder: string, pods: readonly ListedPod[]): Promise<ApiServer> {
  const { ca, cert, key } = await makeCertificates();
  const server = createServer({ cert, key }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://localhost');
    const known =
      request.headers.authorization === `Bearer ${token}` &&
      pathname === '/api/v1/pods' &&
      searchParams.get('fieldSelector') === `spec.nodeName=${node}`;
    const list = {
      apiVersion: 'v1',
      kind: 'PodList',
      metadata: { resourceVersion: '1' },
      items: pods.map(asJson),
    };
    response.writeHead(known ? 200 : 403, { 'content-type': 'application/json' });
    if (known && searchParams.has('watch')) return response.flushHeaders();
    response.end(
      JSON.stringify(known ? list : { kind: 'Status', code: 403, message: `no ${request.url} for you` }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kubeconfig = join(folder, 'kubeconfig.json');
  const cluster = { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': btoa(ca) };
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user: { token } }],
    }),
  );
  return {
    kubeconfig,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The name that a pod has for the API server: the kubelet appends that of the node to a static one's. */
export function nameOf({ spec }: Pod): string {
  return spec.static ? `${spec.name}-${node}` : spec.name;
}

/** As what owns a pod is to be reported. */
export function ownerOf({ spec }: Pod): string {
  return `${spec.static ? 'StaticPod' : 'Deployment'}/${spec.name}`;
}

function asJson({ pod, uid, annotations }: ListedPod): object {
  const { spec, containers } = pod;
  const hash = '5d4f8c7b9';
  const owner = spec.static
    ? { apiVersion: 'v1', kind: 'Node', name: node }
    : { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${spec.name}-${hash}` };
  const mirror = { 'kubernetes.io/config.hash': pod.uid, 'kubernetes.io/config.mirror': pod.uid };
  return {
    metadata: {
      uid,
      namespace,
      name: nameOf(pod),
      labels: { app: spec.name, 'pod-template-hash': hash },
      annotations: { ...annotations, ...(spec.static ? mirror : {}) },
      ownerReferences: [{ ...owner, uid: 'f0000000-0000-4000-8000-000000000000', controller: true }],
    },
    spec: {
      nodeName: node,
      hostPID: spec.pids === 'NODE',
      shareProcessNamespace: spec.pids === 'POD',
      containers: spec.containers.map(({ name, command }) => ({ name, command, image: 'app' })),
    },
    status: {
      phase: 'Running',
      containerStatuses: containers.map(({ name, id }) => ({ name, containerID: `containerd://${id}` })),
    },
  };
}
