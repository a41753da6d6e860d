import { isJsonObject, objectAt } from '../pod/json.ts';
import { ApiError, type ApiServer } from './api-server.ts';
import { getJson } from './get-json.ts';

/** A Secret's type and values. */
interface SecretValues {
  readonly type: string;
  /** By key, decoded from base64. */
  readonly data: ReadonlyMap<string, string>;
}

/** A pod waits for it. */
const timeoutMs = 2_000;
/** The API server takes no object of more than 1.5 MiB; base64 and JSON make it longer. */
const maxBytes = 2 * 1024 * 1024;

/**
 * Reads a Secret that images are pulled with.
 *
 * @param api The API server.
 * @param namespace Where the pod is.
 * @param name As the pod's imagePullSecrets have it: a valid name.
 * @returns Null where there is none of that name.
 * @throws {ApiError} if it may not be read; an error in words if nobody answers within 2 s.
 */
export async function readPullSecret(
  api: ApiServer,
  namespace: string,
  name: string,
): Promise<SecretValues | null> {
  const secret = await readNamed(api, namespace, 'secrets', name);
  if (!isJsonObject(secret)) return null;
  const data = new Map<string, string>();
  for (const [key, value] of Object.entries(objectAt(secret, 'data'))) {
    if (typeof value === 'string') data.set(key, Buffer.from(value, 'base64').toString());
  }
  return { type: typeof secret.type === 'string' ? secret.type : '', data };
}

/**
 * Reads which pull secrets a service account gives to pods that name none.
 *
 * @param api The API server.
 * @param namespace Where the pod is.
 * @param name As the pod has it: a valid name.
 * @returns Its field imagePullSecrets as it stands; undefined where there is no such account.
 * @throws {ApiError} if it may not be read; an error in words if nobody answers within 2 s.
 */
export async function readAccountPullSecrets(
  api: ApiServer,
  namespace: string,
  name: string,
): Promise<unknown> {
  const account = await readNamed(api, namespace, 'serviceaccounts', name);
  return isJsonObject(account) ? account.imagePullSecrets : undefined;
}

/** Null where there is no object of that name. */
async function readNamed(
  api: ApiServer,
  namespace: string,
  resource: 'secrets' | 'serviceaccounts',
  name: string,
): Promise<unknown> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${resource}/${encodeURIComponent(name)}`;
  try {
    return await getJson(api, path, { timeoutMs, maxBytes });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
