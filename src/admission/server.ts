import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { InputError } from '../input-error.ts';
import type { Log } from './log.ts';
import type { MessageClasses } from './message-classes.ts';
import { type LiveCertificate, secureContextOf } from './tls.ts';

/** Where to listen. */
export interface Address {
  /** 0 for a free one. */
  readonly port: number;
  /** An IP address of this machine; left out, all of them. */
  readonly host?: string;
}

/** Hears of what a server could go on after. */
export interface ErrorLog {
  error(details: object, message: string): void;
}

/** A server that listens. */
export interface Listener {
  /** The port that it listens on. */
  readonly port: number;
  /** Goes on serving, but asks every client to close its connection after the next answer. */
  drain(): void;
  /**
   * Takes no connection any more, closes idle ones and lets requests end.
   *
   * @param graceMs After this many milliseconds what is still open is cut off.
   * @returns When the last connection is closed.
   */
  close(graceMs: number): Promise<void>;
}

const timeouts = {
  /** Above the 90 s after which Go's client closes an idle connection, so that the client is always first. */
  keepAliveTimeout: 120_000,
  /** The API server waits for an answer for 30 s at most. */
  requestTimeout: 30_000,
  headersTimeout: 20_000,
};

const handshakeTimeout = 10_000;
const alertEveryMs = 60_000;

/**
 * Serves HTTPS, TLS 1.2 at least.
 *
 * @param handler Answers requests.
 * @param address Where to listen.
 * @param certificate Every new pair of it is used for new connections.
 * @param log Hears, now and then, of clients that refuse the certificate.
 * @param messageClasses What requests and responses are made with, where the handler has classes of its own.
 * @throws {InputError} if it cannot listen there.
 */
export async function serveHttps(
  handler: RequestListener,
  address: Address,
  certificate: LiveCertificate,
  log: Log,
  messageClasses: Partial<MessageClasses> = {},
): Promise<Listener> {
  const server = createHttpsServer(
    { ...secureContextOf(certificate.current), ...timeouts, handshakeTimeout, ...messageClasses },
    handler,
  );
  certificate.serve(server);
  let lastAlert = Number.NEGATIVE_INFINITY;
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
    if (!error.code?.includes('_ALERT_') || performance.now() - lastAlert < alertEveryMs) return;
    lastAlert = performance.now();
    log.warn(
      { code: error.code, fingerprint: certificate.current.fingerprint },
      'a client refused the certificate; if it is the API server, does caBundle hold the CA of this certificate?',
    );
  });
  return listen(server, 'secureConnection', address, log);
}

/**
 * Serves plain HTTP.
 *
 * @param handler Answers requests.
 * @param address Where to listen.
 * @param log Hears of errors.
 * @throws {InputError} if it cannot listen there.
 */
export async function serveHttp(
  handler: RequestListener,
  address: Address,
  log: ErrorLog,
): Promise<Listener> {
  return listen(createHttpServer(timeouts, handler), 'connection', address, log);
}

/** Answers `GET /metrics` with what a registry holds, in the text format of Prometheus. */
export function metricsHandler(registry: Pick<Registry, 'metrics' | 'contentType'>): RequestListener {
  return (request, response) => {
    const path = request.url?.split('?')[0];
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('there is only GET /metrics here\n');
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () =>
        response.writeHead(500, { 'content-type': 'text/plain' }).end('the metrics could not be collected\n'),
    );
  };
}

/**
 * Ends listeners without losing a request: it waits until nobody is sent here any more, and only then closes. Whoever
 * calls has switched readiness off.
 *
 * @param listeners What is to end.
 * @param times `delayMs`: how long serving goes on, until endpoints were withdrawn everywhere; `graceMs`: how long
 *   requests may then take to end; `hurry`: cuts the delay short.
 * @returns When all are closed.
 */
export async function shutDown(
  listeners: readonly Listener[],
  {
    delayMs,
    graceMs,
    hurry,
  }: { readonly delayMs: number; readonly graceMs: number; readonly hurry?: AbortSignal },
): Promise<void> {
  for (const listener of listeners) listener.drain();
  await delay(delayMs, undefined, hurry ? { signal: hurry } : {}).catch(() => {});
  await Promise.all(listeners.map((listener) => listener.close(graceMs)));
}

async function listen(
  server: Server,
  connectionEvent: 'connection' | 'secureConnection',
  { port, host }: Address,
  log: ErrorLog,
): Promise<Listener> {
  const connections = new Set<Socket>();
  /** Connections that no request has come on: Node counts them as busy, and would wait for them. */
  const unused = new Set<Socket>();
  /**
   * The last response of each connection, while it is under way. Not a set of responses: as entries come and go V8
   * rebuilds it, and every discarded table would keep the requests that it knew until the next full collection.
   */
  const underWay = new Map<Socket, ServerResponse | null>();
  let draining = false;
  let closing = false;

  server.on('connection', (socket) => track(connections, socket));
  server.on(connectionEvent, (socket: Socket) => {
    track(unused, socket);
    socket.once('close', () => underWay.delete(socket));
    if (closing) socket.destroySoon();
  });
  server.prependListener('request', (request, response) => {
    const { socket } = request;
    unused.delete(socket);
    underWay.set(socket, response);
    response.once('close', () => {
      if (underWay.get(socket) === response) underWay.set(socket, null);
    });
    if (draining) response.setHeader('connection', 'close');
  });

  server.listen({ port, ...(host === undefined ? {} : { host }) });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new InputError(cannotListen(error, port, host));
  }
  server.on('error', (error) => log.error({ err: error }, 'the server goes on after an error'));
  const drain = () => {
    draining = true;
    for (const response of underWay.values()) {
      if (response?.headersSent === false) response.setHeader('connection', 'close');
    }
  };
  return {
    port: portOf(server.address()),
    drain,
    async close(graceMs) {
      drain();
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of unused) socket.destroySoon();
      const cutOff = setTimeout(() => {
        for (const socket of connections) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(cutOff);
    },
  };
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port');
  return address.port;
}

function cannotListen(error: unknown, port: number, host: string | undefined): string {
  const where = `port ${port}${host === undefined ? '' : ` of ${host}`}`;
  const code = error instanceof Error && 'code' in error ? error.code : '';
  switch (code) {
    case 'EADDRINUSE':
      return `${where} is in use by another program; choose another one, or 0 for any that is free`;
    case 'EACCES':
      return `${where} needs privileges that this process lacks; choose one from 1024 on`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine`;
    default:
      return `cannot listen on ${where}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
