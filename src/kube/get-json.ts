import {
  HttpMethod,
  IsomorphicFetchHttpLibrary,
  type KubeConfig,
  RequestContext,
} from '@kubernetes/client-node';
import { isJsonObject } from '../pod/json.ts';

/** The API server answered, but not with what was asked for. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The status of HTTP. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const http = new IsomorphicFetchHttpLibrary();
const longestShown = 300;

/**
 * Gets an object from the API server.
 *
 * @param config The cluster, and how to prove who asks.
 * @param path Path below the server's address, such as `/api/v1/namespaces`.
 * @param signal Ends the request, also while its body is read.
 * @returns Parsed JSON.
 * @throws {ApiError} if the status is not 2xx or the body no JSON; the error of the network if there is no answer.
 */
export async function getJson(config: KubeConfig, path: string, signal: AbortSignal): Promise<unknown> {
  const request = new RequestContext(`${config.getCurrentCluster()?.server}${path}`, HttpMethod.GET);
  request.setSignal(signal);
  await config.applySecurityAuthentication(request);
  const response = await http.send(request).toPromise();
  const text = await response.body.text();
  const { httpStatusCode: status } = response;
  const body = parsed(text);
  if (status < 200 || status > 299) {
    const detail = isJsonObject(body) && typeof body.message === 'string' ? body.message : text;
    throw new ApiError(status, `HTTP ${status} for ${path}: ${detail.slice(0, longestShown)}`);
  }
  if (body === undefined) throw new ApiError(status, `${path} is not answered in JSON: ${text.slice(0, 80)}`);
  return body;
}

/**
 * An error of the API client in words: what fetch hides in `cause`, and nothing of the request's headers.
 *
 * @param error Anything that was thrown.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const status = 'statusCode' in error ? `HTTP ${error.statusCode}: ` : '';
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${status}${error.message}${cause}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
