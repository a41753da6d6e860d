import type { JsonObject } from '../pod/json.ts';
import { escapeText } from '../terminal.ts';

/** The methods of HTTP that this program uses on the API server. */
export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** How one request differs from the plain one. */
export interface RequestOptions {
  /** Ends the request, also while its answer is read. */
  readonly signal?: AbortSignal;
  /** Of the body that is sent; `application/json` if left out. */
  readonly contentType?: string;
  /** What is asked for; `application/json` if left out. */
  readonly accept?: string;
  /** Milliseconds until the whole answer must be there; 30,000 if left out. */
  readonly timeoutMs?: number;
  /** The most bytes that an answer may have; 64 MiB if left out, and no end to those of a watch. */
  readonly maxBytes?: number;
  /**
   * Takes the objects of a list one at a time while it arrives; the body of the answer has no items then. An answer that
   * breaks off has handed some of them over. What it throws ends the request.
   */
  readonly eachItem?: (item: JsonObject) => void;
  /**
   * Is waited for after each piece of the answer, some ten KiB, before more is read. Its rejection ends the request.
   */
  readonly afterChunk?: () => Promise<void>;
  /** Hears of the events of a watch while the answer lasts, which has no body then. */
  readonly watch?: WatchListener;
}

/** Hears of a watch. What its functions throw ends the request. */
export interface WatchListener {
  /** The server took the request; events follow, or none for a long time. */
  opened(): void;
  /** @param event As the server sent it, `{"type": …, "object": {…}}`. */
  event(event: JsonObject): void;
}

/** What the API server answered, whatever its status. */
export interface Answer {
  /** The status of HTTP. */
  readonly status: number;
  /** Parsed JSON; null where the answer is no JSON. */
  readonly body: unknown;
  /** The beginning of an answer that is no JSON; empty otherwise. */
  readonly text: string;
  /** How long the server wants to be left alone, in milliseconds; null where it does not say. */
  readonly retryAfterMs: number | null;
}

/** An API server, and the proof of who asks. */
export interface ApiServer {
  /**
   * @param method A method of HTTP.
   * @param path Path and query below the server's address, escaped, such as `/api/v1/nodes?limit=500`.
   * @param body Sent as JSON; undefined for none.
   * @throws {Error} in words if there is no whole answer in time: the network, the certificate, credentials that cannot
   *   be read. Where `signal` was aborted, it throws that signal's reason.
   */
  request(method: Method, path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
}

/** The API server answered, but not with what was asked for. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The status of HTTP. */
  readonly status: number;
  /** How long the server wants to be left alone, in milliseconds; null where it does not say. */
  readonly retryAfterMs: number | null;

  constructor(status: number, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

const longestShown = 300;

/** Whether a request was done. */
export function isDone({ status }: Pick<Answer, 'status'>): boolean {
  return status >= 200 && status <= 299;
}

/**
 * Why a request was not done, in the API server's words where it has any: `HTTP 403 for /api/v1/pods: pods is
 * forbidden: …`.
 *
 * @param answer An answer with an error's status.
 * @param path What was asked for, if that should be said.
 */
export function describeRefusal(
  { status, body, text }: Pick<Answer, 'status' | 'body' | 'text'>,
  path?: string,
): string {
  const message = typeof body === 'object' && body !== null ? Reflect.get(body, 'message') : undefined;
  const detail = escapeText((typeof message === 'string' ? message : text).trim().slice(0, longestShown));
  return `HTTP ${status}${path === undefined ? '' : ` for ${path}`}${detail === '' ? '' : `: ${detail}`}`;
}

/**
 * An error of the API client in words: what Node and fetch hide in `cause` and `errors`, and nothing of the request's
 * headers.
 *
 * @param error Anything that was thrown.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const status = 'statusCode' in error ? `HTTP ${error.statusCode}: ` : '';
  // A host with several addresses: one error for each, and none for the whole.
  const parts = error instanceof AggregateError ? error.errors.map(describeError).join('; ') : '';
  const cause = error.cause instanceof Error ? `: ${describeError(error.cause)}` : '';
  return `${status}${error.message || parts || error.name}${cause}`;
}
