import { escapeText } from '../terminal.ts';
import { ApiError, type ApiServer, describeRefusal, isDone, type RequestOptions } from './api-server.ts';

/**
 * Gets an object from the API server.
 *
 * @param api The API server.
 * @param path Path and query below the server's address, escaped.
 * @returns Parsed JSON; never null.
 * @throws {ApiError} if the status is not 2xx or the answer no JSON; an error in words if there is no answer.
 */
export async function getJson(api: ApiServer, path: string, options: RequestOptions = {}): Promise<unknown> {
  const answer = await api.request('GET', path, undefined, options);
  const { status, body, text, retryAfterMs } = answer;
  if (!isDone(answer)) throw new ApiError(status, describeRefusal(answer, path), retryAfterMs);
  if (body === null) {
    throw new ApiError(status, `${path} is not answered in JSON: ${escapeText(text.slice(0, 80))}`);
  }
  return body;
}
