import type { Log } from '../../admission/log.ts';
import type { Metrics } from '../../admission/metrics.ts';
import { connect } from '../../kube/connect.ts';
import { followNamespaces } from '../../kube/informer.ts';
import type { Namespaces } from '../../kube/namespaces.ts';

/**
 * Follows the namespaces of the cluster, and tells log and metrics of it.
 *
 * @param kubeconfig Path of a kubeconfig file; left out, KUBECONFIG or the pod's own service account.
 * @throws {InputError} if there is no cluster to ask.
 */
export function clusterNamespaces(kubeconfig: string | undefined, log: Log, metrics: Metrics): Namespaces {
  const config = connect(kubeconfig);
  let synced = false;
  metrics.namespaceCacheSynced(false);
  return followNamespaces(config, {
    listed(count) {
      metrics.namespaceCacheSynced(true);
      if (synced) log.debug({ count }, 'namespaces listed again');
      else log.info({ count }, 'namespaces listed: ready');
      synced = true;
    },
    restarting(cause, detail) {
      metrics.namespaceWatchRestarted(cause);
      if (detail === null) log.debug({ cause }, 'the watch on namespaces starts again');
      else log.warn({ cause, detail, synced }, 'the watch on namespaces failed and starts again');
    },
  });
}
