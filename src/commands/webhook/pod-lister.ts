import type { JudgingTools } from '../../admission/judging.ts';
import { InputError } from '../../input-error.ts';
import { listNamespacePods } from '../../kube/namespace-pods.ts';
import { openApiServer } from '../../kube/open-api-server.ts';

/** Pods that are created meanwhile come first, and whoever labels namespaces by the hundred does without previews. */
const mostAtOnce = 2;

/**
 * Opens the cluster's pods.
 *
 * @param kubeconfig Path of a kubeconfig file; left out, KUBECONFIG or the pod's own service account.
 * @returns Runs two previews at a time, each to its end, and refuses a third.
 * @throws {InputError} if there is no cluster to ask.
 */
export async function podLister(
  kubeconfig: string | undefined,
): Promise<NonNullable<JudgingTools['previewPods']>> {
  const api = await openApiServer(kubeconfig);
  if (!api) {
    throw new InputError(
      '--relabel-preview needs a cluster to list pods of: this is no pod with a service account, and neither --kubeconfig nor KUBECONFIG is given',
    );
  }
  let underWay = 0;
  return async (preview) => {
    if (underWay === mostAtOnce) throw new Error(`${mostAtOnce} previews are under way already`);
    underWay += 1;
    try {
      return await preview((namespace, eachPod, limits) =>
        listNamespacePods(api, namespace, eachPod, limits),
      );
    } finally {
      underWay -= 1;
    }
  };
}
