import { existsSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { InputError } from '../input-error.ts';

/** Mounted into every pod whose service account may be used. */
const tokenFile = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Finds out how to reach the API server: from the file that is named, from those of KUBECONFIG, or from the pod that
 * this runs in. The file in the home folder is never taken unasked: a webhook should not talk to a cluster because
 * somebody was logged in there.
 *
 * @param kubeconfig Path of a kubeconfig file.
 * @param env The environment.
 * @throws {InputError} if none of these is there, or the one that is there cannot be used.
 */
export function connect(
  kubeconfig: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): KubeConfig {
  const config = new KubeConfig();
  const files = kubeconfig === undefined ? (env.KUBECONFIG ?? '').split(':').filter(Boolean) : [kubeconfig];
  if (files.length > 0) loadFiles(config, files);
  else if (env.KUBERNETES_SERVICE_HOST && existsSync(tokenFile)) config.loadFromCluster();
  else {
    throw new InputError(
      'there is no cluster to ask for the labels of namespaces: this is no pod with a service account, and KUBECONFIG is not set. ' +
        'Give --kubeconfig FILE, or --namespaces FILE to do without a cluster',
    );
  }
  return config;
}

function loadFiles(config: KubeConfig, files: readonly string[]): void {
  const [first = '', ...others] = files;
  const where = files.join(':');
  try {
    config.loadFromFile(first);
    for (const file of others) {
      const other = new KubeConfig();
      other.loadFromFile(file);
      config.mergeConfig(other, true);
    }
  } catch (error) {
    throw new InputError(
      `the kubeconfig ${where} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (!config.getCurrentCluster()?.server) {
    throw new InputError(
      `the kubeconfig ${where} has no current context with a cluster; choose one with: kubectl config use-context NAME`,
    );
  }
}
