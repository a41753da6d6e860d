import type { KubeConfig } from '@kubernetes/client-node';
import type { ApiServer } from './api-server.ts';
import { apiServerAt, type Endpoint } from './https-api-server.ts';

/**
 * The API server of a kubeconfig's current context, with every way to prove who asks that client-node knows: tokens,
 * certificates, files that are renewed, plugins.
 *
 * @param config As of `connect`.
 */
export function kubeconfigApiServer(config: KubeConfig): ApiServer {
  return apiServerAt(async () => {
    const cluster = config.getCurrentCluster();
    const options: Endpoint['options'] = {};
    await config.applyToHTTPSOptions(options);
    // Without a proxy its agent is of no use: it closes each connection.
    if (!cluster?.proxyUrl) delete options.agent;
    return { server: new URL(cluster?.server ?? ''), options };
  });
}
