import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions as NodeOptions } from 'node:https';
import { version } from '../version.ts';
import { type Answer, ApiError, type ApiServer, isDone, type RequestOptions } from './api-server.ts';
import { eventsBody, listBody, wholeBody } from './read-body.ts';

/** Where an API server is, and how to prove who asks. */
export interface Endpoint {
  readonly server: URL;
  /** Certificates, headers and whatever else Node's request takes; an agent of its own beats the one of here. */
  readonly options: NodeOptions;
}

const defaultTimeoutMs = 30_000;
const defaultMaxBytes = 64 * 1024 * 1024;
/** Shorter than the API server keeps an idle connection (90 s), so that none is closed at the moment of its use. */
const idleMs = 30_000;

/**
 * Talks to an API server over Node's own HTTPS (plain HTTP where its address says so), on connections that it keeps
 * for half a minute. It follows no redirection.
 *
 * @param endpointOf Asked before every request, since tokens and certificates are renewed while this runs. What it
 *   throws is thrown by the request.
 */
export function apiServerAt(endpointOf: () => Promise<Endpoint>): ApiServer {
  const kept = { keepAlive: true, timeout: idleMs };
  const agents = { 'http:': new HttpAgent(kept), 'https:': new HttpsAgent(kept) };
  return {
    request(method, path, body, options = {}) {
      return within(options.timeoutMs ?? defaultTimeoutMs, options.signal, async (over) => {
        const { server, options: own } = await endpointOf();
        const protocol = server.protocol === 'http:' ? 'http:' : 'https:';
        const payload = body === undefined ? null : JSON.stringify(body);
        const nodeOptions: NodeOptions = {
          agent: agents[protocol],
          ...own,
          method,
          protocol,
          // Node takes an IPv6 address without the brackets that it has in a URL.
          hostname: server.hostname.replace(/^\[(.*)\]$/, '$1'),
          port: server.port,
          path: server.pathname.replace(/\/$/, '') + path,
          headers: { ...own.headers, ...headersOf(payload, options) },
          signal: over,
        };
        return await exchange(server, nodeOptions, payload, options);
      });
    },
  };
}

function headersOf(payload: string | null, { accept, contentType }: RequestOptions): Record<string, string> {
  return {
    accept: accept ?? 'application/json',
    'user-agent': `gravekeeper/${version}`,
    ...(payload === null
      ? {}
      : {
          'content-type': contentType ?? 'application/json',
          'content-length': String(Buffer.byteLength(payload)),
        }),
  };
}

/** Sends a request and reads the whole answer. */
function exchange(
  server: URL,
  options: NodeOptions,
  payload: string | null,
  {
    eachItem,
    afterChunk,
    watch,
    maxBytes = watch ? Number.POSITIVE_INFINITY : defaultMaxBytes,
  }: RequestOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const noAnswer = (cause: unknown) => reject(new Error(`no answer from ${server.origin}`, { cause }));
    const send = options.protocol === 'http:' ? httpRequest : httpsRequest;
    const request = send(options, (response) => {
      const { statusCode: status = 0, headers } = response;
      const reader =
        watch && isDone({ status }) ? eventsBody(watch.event) : eachItem ? listBody(eachItem) : wholeBody();
      let size = 0;
      // A paused stream still ends when its last piece was taken.
      let afterLast: Promise<void> = Promise.resolve();
      const fail = (error: unknown) => {
        reject(error);
        request.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBytes) {
          return fail(new ApiError(status, `${options.path} is answered with more than ${maxBytes} bytes`));
        }
        try {
          reader.write(chunk);
        } catch (error) {
          return fail(error);
        }
        if (afterChunk) {
          response.pause();
          afterLast = afterChunk().then(() => void response.resume(), fail);
        }
      });
      if (watch && isDone({ status })) watch.opened();
      response.once('end', async () => {
        await afterLast;
        resolve({ status, ...reader.end(), retryAfterMs: retryAfterMs(headers) });
      });
      response.once('error', noAnswer);
    });
    request.once('error', noAnswer);
    request.end(payload);
  });
}

function retryAfterMs(headers: IncomingHttpHeaders): number | null {
  const seconds = Number.parseInt(headers['retry-after'] ?? '', 10);
  return seconds >= 0 ? seconds * 1000 : null;
}

/**
 * Lets work end in time: it rejects when the time is up or the outer signal aborts, also where the work does not heed
 * its own signal. AbortSignal.any would leave something behind at a long-lived outer signal each time.
 */
async function within<T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (over: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const over = new AbortController();
  const ended = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    ended.reject(reason);
    over.abort(reason);
  };
  const timer = setTimeout(() => end(timeout(timeoutMs)), timeoutMs);
  const onAbort = () => end(outer?.reason);
  outer?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work(over.signal), ended.promise]);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', onAbort);
  }
}

function timeout(ms: number): Error {
  const error = new Error(`no answer within ${ms / 1000} s`);
  error.name = 'TimeoutError';
  return error;
}
