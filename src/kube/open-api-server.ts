import type { ApiServer } from './api-server.ts';
import { clusterSource, type Environment } from './cluster-source.ts';
import { inClusterApiServer } from './in-cluster.ts';

/**
 * Opens the API server that the scanner asks. Only a kubeconfig needs the library that can read one; in a pod its
 * memory is spared.
 *
 * @param kubeconfig Path of a kubeconfig file; left out, KUBECONFIG or the pod that this runs in.
 * @param env The environment.
 * @returns Null if there is no cluster to ask. Nothing has been asked yet.
 * @throws {InputError} if the kubeconfig cannot be used.
 */
export async function openApiServer(
  kubeconfig: string | undefined,
  env: Environment = process.env,
): Promise<ApiServer | null> {
  const source = clusterSource(kubeconfig, env);
  if (source === null) return null;
  if (source === 'pod') return inClusterApiServer(env);
  const [{ loadFiles }, { kubeconfigApiServer }] = await Promise.all([
    import('./connect.ts'),
    import('./kubeconfig-api-server.ts'),
  ]);
  return kubeconfigApiServer(loadFiles(source.kubeconfig));
}
