import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Mounted into every pod whose service account may be used: `token` and `ca.crt`. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Kubeconfig files of which the first that says something counts, or the pod that this runs in. */
export type ClusterSource = { readonly kubeconfig: readonly string[] } | 'pod';

/**
 * Finds out where it is written how to reach the API server: the file that is named, those of KUBECONFIG, or the pod
 * that this runs in. The file in the home folder is never taken unasked: nothing here should talk to a cluster because
 * somebody was logged in there.
 *
 * @param kubeconfig Path of a kubeconfig file.
 * @param env The environment.
 * @returns Null if none of these is there.
 */
export function clusterSource(kubeconfig: string | undefined, env: Environment): ClusterSource | null {
  const files = kubeconfig === undefined ? (env.KUBECONFIG ?? '').split(':').filter(Boolean) : [kubeconfig];
  if (files.length > 0) return { kubeconfig: files };
  return env.KUBERNETES_SERVICE_HOST && existsSync(join(serviceAccountFolder, 'token')) ? 'pod' : null;
}
