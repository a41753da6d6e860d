import type { JsonObject } from '../pod/json.ts';
import type { ApiServer } from './api-server.ts';
import { listEach } from './list-each.ts';

const timeoutMs = 30_000;

/**
 * Lists the pods of a node.
 *
 * Any version will do (`resourceVersion=0`): then the API server answers from its own memory, where pods are indexed by
 * node (`spec.nodeName` in kubernetes/pkg/registry/core/pod/strategy.go), and does not read every pod of the cluster
 * from etcd, as it must for an exact answer. That matters when each node of a large cluster asks. Such a list comes in
 * one page whatever limit is set.
 *
 * @param api The API server; its user needs the right to list pods in all namespaces.
 * @param nodeName The name of the Node object.
 * @param read Takes what is needed of a pod, while the list arrives; null for a pod that is to be left out.
 * @param signal Ends the request.
 * @throws {ApiError} if the status is not 2xx or the answer no list; an error in words if there is no answer in 30 s.
 */
export async function listNodePods<T>(
  api: ApiServer,
  nodeName: string,
  read: (pod: JsonObject) => T | null,
  signal?: AbortSignal,
): Promise<readonly T[]> {
  const fieldSelector = `spec.nodeName=${nodeName.replaceAll(/[\\,=]/g, '\\$&')}`;
  const pods: T[] = [];
  await listEach(
    api,
    '/api/v1/pods',
    { fieldSelector, resourceVersion: '0' },
    (raw) => {
      const pod = read(raw);
      if (pod !== null) pods.push(pod);
    },
    { timeoutMs, ...(signal ? { signal } : {}) },
  );
  return pods;
}
