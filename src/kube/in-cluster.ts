import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { ApiServer } from './api-server.ts';
import { type Environment, serviceAccountFolder } from './cluster-source.ts';
import { apiServerAt } from './https-api-server.ts';

/**
 * The API server of the cluster that this pod runs in, as its service account. Token and certificate are read for
 * every request: the kubelet renews the token within the hour, and both are small files in memory, which take no
 * thread to read.
 *
 * @param env The environment of a pod, with KUBERNETES_SERVICE_HOST.
 * @param folder Holds `token` and `ca.crt`.
 */
export function inClusterApiServer(env: Environment, folder = serviceAccountFolder): ApiServer {
  const host = env.KUBERNETES_SERVICE_HOST ?? '';
  const port = env.KUBERNETES_SERVICE_PORT_HTTPS || env.KUBERNETES_SERVICE_PORT || '443';
  const server = new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`);
  return apiServerAt(async () => {
    const token = read(join(folder, 'token')).trim();
    return {
      server,
      options: { ca: read(join(folder, 'ca.crt')), headers: { authorization: `Bearer ${token}` } },
    };
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error('the service account of this pod cannot be read', { cause: error });
  }
}
