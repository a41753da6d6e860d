import { KubeConfig } from '@kubernetes/client-node';
import { InputError } from '../input-error.ts';
import { clusterSource, type Environment } from './cluster-source.ts';

/**
 * Reads how to reach the API server: from the file that is named, from those of KUBECONFIG, or from the pod that this
 * runs in.
 *
 * @param kubeconfig Path of a kubeconfig file.
 * @param env The environment.
 * @throws {InputError} if none of these is there, or the one that is there cannot be used.
 */
export function connect(kubeconfig: string | undefined, env: Environment = process.env): KubeConfig {
  const source = clusterSource(kubeconfig, env);
  if (source === null) {
    throw new InputError(
      'there is no cluster to ask for the labels of namespaces: this is no pod with a service account, and KUBECONFIG is not set. ' +
        'Give --kubeconfig FILE, or --namespaces FILE to do without a cluster',
    );
  }
  if (source !== 'pod') return loadFiles(source.kubeconfig);
  const config = new KubeConfig();
  config.loadFromCluster();
  return config;
}

/**
 * Reads kubeconfig files.
 *
 * @param files Paths; of what several of them say, the first counts.
 * @throws {InputError} if one cannot be read, or there is no current context with a cluster.
 */
export function loadFiles(files: readonly string[]): KubeConfig {
  const config = new KubeConfig();
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
  return config;
}
