import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Agent as HttpAgent, get as httpGet, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Registry } from 'prom-client';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/admission/metrics.ts';
import {
  type Listener,
  metricsHandler,
  serveHttp,
  serveHttps,
  shutDown,
} from '../../../src/admission/server.ts';
import { type LiveCertificate, openCertificate } from '../../../src/admission/tls.ts';
import { type Certificates, makeCertificates } from '../../../src/commands/certs.ts';
import { InputError } from '../../../src/input-error.ts';
import { captureLog } from '../../support/captured-log.ts';
import { mountFiles } from '../../support/mounted-files.ts';

const host = '127.0.0.1';
/** No client of Node's says why it hangs up. */
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const { log } = captureLog();
const closers: (() => unknown)[] = [];
let certificates: Certificates;

beforeAll(async () => {
  certificates = await makeCertificates();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function plain(handler: Parameters<typeof serveHttp>[0]): Promise<Listener> {
  const listener = await serveHttp(handler, { port: 0, host }, log);
  closers.push(() => listener.close(0));
  return listener;
}

function liveCertificate(): LiveCertificate {
  const mounted = mountFiles({ 'tls.crt': certificates.cert, 'tls.key': certificates.key });
  const paths = { cert: mounted.path('tls.crt'), key: mounted.path('tls.key') };
  const live = openCertificate(paths, { log, metrics: createMetrics({ version: 'test' }) });
  closers.push(mounted.remove, live.close);
  return live;
}

async function secure(handler: Parameters<typeof serveHttps>[0]): Promise<Listener> {
  const listener = await serveHttps(handler, { port: 0, host }, liveCertificate(), log);
  closers.push(() => listener.close(0));
  return listener;
}

async function answerOf(
  request: ReturnType<typeof httpGet>,
): Promise<{ response: IncomingMessage; body: string }> {
  const [response]: IncomingMessage[] = await once(request, 'response');
  if (!response) throw new Error('no response');
  return { response, body: await text(response) };
}

describe('serveHttps', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s and HTTP/1.1', async (version) => {
    const { port } = await secure((_request, response) => response.end('hello'));
    const agent = new HttpsAgent({
      ca: certificates.ca,
      minVersion: version,
      maxVersion: version,
      keepAlive: true,
    });
    closers.push(() => agent.destroy());
    const request = httpsGet({ port, host, agent, servername: 'localhost' });
    const { response, body } = await answerOf(request);
    expect(body).toBe('hello');
    expect(response.httpVersion).toBe('1.1');
    const socket = request.socket as TLSSocket;
    expect(socket.getProtocol()).toBe(version);
  });

  it('keeps connections open longer than the API server does', async () => {
    const { port } = await secure((_request, response) => response.end());
    const agent = new HttpsAgent({ ca: certificates.ca, keepAlive: true });
    closers.push(() => agent.destroy());
    const { response } = await answerOf(httpsGet({ port, host, agent, servername: 'localhost' }));
    expect(response.headers.connection).toBe('keep-alive');
    expect(response.headers['keep-alive']).toBe('timeout=120');
  });

  it.skipIf(!hasOpenssl)('warns once of clients that refuse the certificate (needs openssl)', async () => {
    const captured = captureLog();
    const certificate = liveCertificate();
    const listener = await serveHttps(
      (_request, response) => response.end(),
      { port: 0, host },
      certificate,
      captured.log,
    );
    closers.push(() => listener.close(0));
    const warned = captured.next('a client refused the certificate');
    for (const version of ['-tls1_2', '-tls1_3']) {
      const client = spawn(
        'openssl',
        ['s_client', '-connect', `${host}:${listener.port}`, version, '-verify_return_error'],
        {
          stdio: 'ignore',
        },
      );
      await once(client, 'exit');
    }
    expect(await warned).toMatchObject({
      level: 'warn',
      code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      fingerprint: certificate.current.fingerprint,
    });
    expect(captured.lines).toHaveLength(1);
  });

  it('survives what is no TLS', async () => {
    const { port } = await secure((_request, response) => response.end('alive'));
    const socket = connectTcp(port, host);
    socket.on('error', () => {});
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await once(socket, 'close');
    const request = httpsGet({ port, host, ca: certificates.ca, servername: 'localhost', agent: false });
    expect((await answerOf(request)).body).toBe('alive');
  });
});

describe('listening', () => {
  it('says that a port is in use', async () => {
    const { port } = await plain((_request, response) => response.end());
    const attempt = serveHttp(() => {}, { port, host }, log);
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow(`port ${port} of 127.0.0.1 is in use by another program`);
  });

  it('says that an address is not one of this machine', async () => {
    const attempt = serveHttp(() => {}, { port: 0, host: '192.0.2.1' }, log);
    await expect(attempt).rejects.toThrow('192.0.2.1 is no address of this machine');
  });
});

describe('metricsHandler', () => {
  it('answers GET /metrics and nothing else', async () => {
    const registry = new Registry();
    const { port } = await plain(
      metricsHandler({ metrics: async () => 'up 1\n', contentType: registry.contentType }),
    );
    const { response, body } = await answerOf(httpGet({ port, host, path: '/metrics?x=1' }));
    expect([response.statusCode, response.headers['content-type'], body]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
      'up 1\n',
    ]);
    expect((await answerOf(httpGet({ port, host, path: '/' }))).response.statusCode).toBe(404);
    const post = httpRequest({ port, host, path: '/metrics', method: 'POST' }).end();
    expect((await answerOf(post)).response.statusCode).toBe(404);
  });

  it('answers 500 when the metrics cannot be collected', async () => {
    const { port } = await plain(
      metricsHandler({
        metrics: () => Promise.reject(new Error('x')),
        contentType: 'text/plain; version=0.0.4; charset=utf-8',
      }),
    );
    expect((await answerOf(httpGet({ port, host, path: '/metrics' }))).response.statusCode).toBe(500);
  });
});

describe('draining and closing', () => {
  /** A server whose answers wait until they are let go. */
  async function slow() {
    const arrived = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const listener = await plain(async (_request, response) => {
      arrived.resolve();
      await answer.promise;
      response.end('done');
    });
    return { listener, arrived: arrived.promise, answer: () => answer.resolve() };
  }
  const keepAlive = () => {
    const agent = new HttpAgent({ keepAlive: true });
    closers.push(() => agent.destroy());
    return agent;
  };

  it('goes on serving while it drains, and asks clients to close, also those it owes an answer', async () => {
    const { listener, arrived, answer } = await slow();
    const { port } = listener;
    const early = answerOf(httpGet({ port, host, agent: keepAlive() }));
    await arrived;
    listener.drain();
    const late = answerOf(httpGet({ port, host, agent: keepAlive() }));
    answer();
    for (const { response, body } of await Promise.all([early, late])) {
      expect([body, response.headers.connection]).toEqual(['done', 'close']);
    }
  });

  it('waits for a request that is under way, and then refuses new ones', async () => {
    const { listener, arrived, answer } = await slow();
    const request = answerOf(httpGet({ port: listener.port, host, agent: keepAlive() }));
    await arrived;
    const closed = listener.close(60_000);
    const refused = connectTcp(listener.port, host);
    const [error] = await once(refused, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    answer();
    expect((await request).body).toBe('done');
    await closed;
  });

  it('cuts off what takes too long', async () => {
    const { listener, arrived } = await slow();
    const request = httpGet({ port: listener.port, host });
    const failed = once(request, 'error');
    await arrived;
    await listener.close(10);
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  it('waits for no connection that is idle, or on which nothing was sent', async () => {
    const listener = await secure((_request, response) => response.end());
    const { port } = listener;
    const agent = new HttpsAgent({ ca: certificates.ca, keepAlive: true });
    closers.push(() => agent.destroy());
    await answerOf(httpsGet({ port, host, agent, servername: 'localhost' }));
    const unused = connectTls({ port, host, ca: certificates.ca, servername: 'localhost' });
    await once(unused, 'secureConnect');
    unused.resume();
    // By the time that another request is answered, the server has seen the end of that handshake too.
    await answerOf(httpsGet({ port, host, agent, servername: 'localhost' }));
    const ended = once(unused, 'close');
    await listener.close(3_600_000);
    await ended;
  });

  it('cuts off a handshake that never ends', async () => {
    const listener = await secure((_request, response) => response.end());
    const silent = connectTcp(listener.port, host);
    await once(silent, 'connect');
    silent.resume();
    const ended = once(silent, 'close');
    await listener.close(10);
    await ended;
  });

  it('drains for the delay, which a signal cuts short', async () => {
    const events: string[] = [];
    const listener: Listener = {
      port: 0,
      drain: () => events.push('drain'),
      close: async (graceMs) => void events.push(`close ${graceMs}`),
    };
    await shutDown([listener, listener], { delayMs: 1, graceMs: 7 });
    expect(events).toEqual(['drain', 'drain', 'close 7', 'close 7']);
    const hurry = new AbortController();
    const ended = shutDown([listener], { delayMs: 3_600_000, graceMs: 8, hurry: hurry.signal });
    expect(events.at(-1)).toBe('drain');
    hurry.abort();
    await ended;
    expect(events.at(-1)).toBe('close 8');
  });
});
