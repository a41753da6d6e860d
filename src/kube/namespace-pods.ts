import type { JsonObject } from '../pod/json.ts';
import type { ApiServer } from './api-server.ts';
import { listFirst } from './list-each.ts';

/** A pod that has ended can collect nothing any more. */
const fieldSelector = 'status.phase!=Succeeded,status.phase!=Failed';

/**
 * Lists the pods of a namespace that have not ended.
 *
 * @param api The API server; its user needs the right to list pods there.
 * @param namespace Its name.
 * @param eachPod Takes a pod while the list arrives, and is waited for before it takes the next and before more is read.
 *   If the list fails, it may have taken some; if it rejects, so does this.
 * @param limits After how many it ends, and what ends it before.
 * @returns Whether there are more.
 * @throws {ApiError} if the status is not 2xx or the answer no list; an error in words if there is no answer. Where the
 *   signal was aborted, its reason.
 */
export function listNamespacePods(
  api: ApiServer,
  namespace: string,
  eachPod: (pod: JsonObject) => Promise<void>,
  { most, signal }: { readonly most: number; readonly signal: AbortSignal },
): Promise<{ readonly more: boolean }> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const arrived: JsonObject[] = [];
  const afterChunk = async () => {
    for (const pod of arrived.splice(0)) await eachPod(pod);
  };
  return listFirst(api, path, { fieldSelector }, most, (pod) => void arrived.push(pod), {
    signal,
    afterChunk,
  });
}
