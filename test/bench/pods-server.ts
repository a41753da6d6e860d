import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { makeCertificates } from '../../src/commands/certs.ts';

/** How many pods the node has: as many as a kubelet takes by default. */
export const pods = 110;

/** An API server on this machine that lists the pods of a node, and knows of no change. */
export interface PodsServer {
  readonly port: number;
  readonly ca: string;
  readonly listBytes: number;
  /** A folder with `token` and `ca.crt`. */
  readonly serviceAccount: string;
  close(): void;
}

/** @param folder Where the service account is written. */
export async function servePods(folder: string): Promise<PodsServer> {
  const { ca, cert, key } = await makeCertificates();
  const body = JSON.stringify({
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '1' },
    items: Array.from({ length: pods }, (_, index) => aPod(index)),
  });
  const server = createServer({ cert, key }, ({ url = '' }, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    if (url.includes('watch=true')) response.flushHeaders();
    else response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const serviceAccount = join(folder, 'service-account');
  mkdirSync(serviceAccount);
  writeFileSync(join(serviceAccount, 'token'), 'a-token');
  writeFileSync(join(serviceAccount, 'ca.crt'), ca);
  return {
    port: (server.address() as AddressInfo).port,
    ca,
    listBytes: body.length,
    serviceAccount,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A pod of about 15 kB, as pods with a sidecar, volumes and managed fields are. */
function aPod(index: number): object {
  const name = `cart-7d9f8b6c5-${String(index).padStart(5, '0')}`;
  const uid = `2f1a3d5e-9f0b-4c1e-8a57-${index.toString(16).padStart(12, '0')}`;
  const env = Array.from({ length: 64 }, (_, i) => ({
    name: `SETTING_${i}`,
    value: `value ${i} of ${name}`,
  }));
  const volumes = Array.from({ length: 12 }, (_, i) => ({
    name: `volume-${i}`,
    configMap: { name: `settings-${i}`, defaultMode: 420, items: [{ key: 'a', path: 'a' }] },
  }));
  const container = (its: string) => ({
    name: its,
    image: `registry.example/team/${its}:1.2.3`,
    command: ['/usr/local/bin/start', '--config', '/etc/app/config.yaml'],
    env,
    volumeMounts: volumes.map((volume) => ({ name: volume.name, mountPath: `/etc/${volume.name}` })),
    livenessProbe: { exec: { command: ['/bin/check', '--deep'] }, periodSeconds: 10, timeoutSeconds: 2 },
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
  });
  const containers = ['app', 'proxy'].map(container);
  return {
    metadata: {
      name,
      namespace: 'shop',
      uid,
      labels: { app: 'cart', 'pod-template-hash': '7d9f8b6c5' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'cart-7d9f8b6c5', uid, controller: true },
      ],
      managedFields: [
        {
          manager: 'kubelet',
          fieldsV1: Object.fromEntries(env.map((e) => [`f:${e.name}`, { '.': {}, 'f:value': {} }])),
        },
      ],
    },
    spec: { nodeName: 'n1', containers, volumes },
    status: {
      phase: 'Running',
      containerStatuses: containers.map((c, i) => ({
        name: c.name,
        containerID: `containerd://${index.toString(16).padStart(63, '0')}${i}`,
        ready: true,
        state: { running: { startedAt: '2026-11-20T10:00:00Z' } },
      })),
    },
  };
}
