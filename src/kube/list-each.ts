import { isJsonObject, type JsonObject } from '../pod/json.ts';
import { ApiError, type ApiServer, type RequestOptions } from './api-server.ts';
import { getJson } from './get-json.ts';

/** Far more than any cluster has; a server that goes on and on must come to an end. */
const mostPages = 1000;

/** How a list is asked for. */
interface ListOptions extends RequestOptions {
  /** Is waited for before the next page is asked for. */
  readonly afterPage?: () => Promise<void>;
}

/**
 * Lists objects, all pages of them, one object at a time.
 *
 * @param api The API server.
 * @param path Of the collection, such as `/api/v1/nodes`.
 * @param query Its parameters. `limit` sets the size of a page, where the server heeds it.
 * @param eachItem Takes an object; if the list fails, it may have taken some.
 * @returns The version of the collection, from which a watch can go on; null where the server gives none.
 * @throws {ApiError} if the status is not 2xx or the answer no list; an error in words if there is no answer.
 */
export async function listEach(
  api: ApiServer,
  path: string,
  query: Readonly<Record<string, string>>,
  eachItem: (item: JsonObject) => void,
  { afterPage, ...options }: ListOptions = {},
): Promise<string | null> {
  let parameters = new URLSearchParams(query);
  for (let page = 0; page < mostPages; page += 1) {
    const { next, resourceVersion: version } = await listPage(api, path, parameters, eachItem, options);
    await afterPage?.();
    if (next === null) return version;
    // The token holds the version of the first page; the server refuses both together.
    const { resourceVersion: _, ...rest } = query;
    parameters = new URLSearchParams({ ...rest, continue: next });
  }
  throw new ApiError(200, `${path} is answered with more than ${mostPages} pages`);
}

const pageSize = 500;

/**
 * Lists the first objects of a collection, one object at a time.
 *
 * @param api The API server.
 * @param path Of the collection, such as `/api/v1/namespaces/shop/pods`.
 * @param query Its parameters, without `limit`.
 * @param most After how many objects it ends.
 * @param eachItem Takes an object; if the list fails, it may have taken some.
 * @returns Whether there are more.
 * @throws {ApiError} if the status is not 2xx or the answer no list; an error in words if there is no answer.
 */
export async function listFirst(
  api: ApiServer,
  path: string,
  query: Readonly<Record<string, string>>,
  most: number,
  eachItem: (item: JsonObject) => void,
  options: RequestOptions = {},
): Promise<{ readonly more: boolean }> {
  let next: string | null = '';
  for (let seen = 0; next !== null && seen < most; seen += pageSize) {
    const limit = String(Math.min(pageSize, most - seen));
    const parameters = new URLSearchParams({ ...query, limit, ...(next ? { continue: next } : {}) });
    ({ next } = await listPage(api, path, parameters, eachItem, options));
  }
  return { more: next !== null };
}

/** What a page tells beside its objects. */
interface Page {
  /** What asks for the next page; null for the last. */
  readonly next: string | null;
  readonly resourceVersion: string | null;
}

async function listPage(
  api: ApiServer,
  path: string,
  parameters: URLSearchParams,
  eachItem: (item: JsonObject) => void,
  options: RequestOptions,
): Promise<Page> {
  const list = await getJson(api, `${path}?${parameters}`, { ...options, eachItem });
  const { items, metadata } = isJsonObject(list) ? list : {};
  // Go's encoder writes an empty list as null where nobody made one.
  if (!Array.isArray(items) && items !== null) throw new ApiError(200, `${path} is not answered with a list`);
  const { continue: next, resourceVersion } = isJsonObject(metadata) ? metadata : {};
  return { next: textOrNull(next), resourceVersion: textOrNull(resourceVersion) };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
