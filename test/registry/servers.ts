import { spawn } from 'node:child_process';
import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Certificates } from '../../src/commands/certs.ts';
import { freePort } from '../support/free-port.ts';

/** A server on localhost that will be ended. */
export interface Server {
  /** `localhost:5000` */
  readonly host: string;
  close(): Promise<void>;
}

/** The one who may push and pull; the hash is bcrypt of the password. */
export const user = {
  name: 'alice',
  password: 'secret',
  bcrypt: '$2b$04$QaOTzOlaPiboFGNMNq43oO07ePGbYNRLdJiB9CJr5HpFLYI/3AWEi',
};

/** How a registry is to be run. */
interface RegistryOptions {
  readonly folder: string;
  readonly certificates: Certificates;
  /** Left out, everyone may do everything. */
  readonly auth?: object;
}

/** Starts Debian's docker-registry, with the API of distribution 2, over TLS. */
export async function startRegistry(
  name: string,
  { folder, certificates, auth }: RegistryOptions,
): Promise<Server> {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  const file = (file: string, text: string) => {
    writeFileSync(join(home, file), text, { mode: 0o600 });
    return join(home, file);
  };
  const port = await freePort();
  const config = {
    version: 0.1,
    log: { accesslog: { disabled: false }, level: 'info' },
    storage: { filesystem: { rootdirectory: join(home, 'data') } },
    http: {
      addr: `127.0.0.1:${port}`,
      tls: { certificate: file('tls.crt', certificates.cert), key: file('tls.key', certificates.key) },
    },
    compatibility: { schema1: { enabled: true } },
    ...(auth ? { auth } : {}),
  };
  const log = openSync(join(home, 'log'), 'w');
  const child = spawn('docker-registry', ['serve', file('config.yml', JSON.stringify(config))], {
    stdio: ['ignore', log, log],
    env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: 'none' },
  });
  closeSync(log);
  const exited = once(child, 'exit');
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (child.exitCode !== null || tries > 200)
      throw new Error(`docker-registry does not serve: ${readFileSync(join(home, 'log'), 'utf8')}`);
    await delay(50);
  }
  return {
    host: `localhost:${port}`,
    async close() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

export function basicAuth(folder: string): object {
  const path = join(folder, 'htpasswd');
  writeFileSync(path, `${user.name}:${user.bcrypt}\n`);
  return { htpasswd: { realm: 'Registry', path } };
}

/** A token server, and how a registry is told to trust it. */
export interface TokenServer extends Server {
  readonly auth: object;
  /** Tokens that were given out, to whom. */
  readonly given: string[];
}

/**
 * Gives out tokens of the distribution protocol: everything to the user, and to everyone to pull what is below
 * `public/`.
 */
export async function startTokenServer(folder: string, certificates: Certificates): Promise<TokenServer> {
  const given: string[] = [];
  const { host, close } = await startServer(certificates, (request, response) => {
    const url = new URL(request.url ?? '', 'https://localhost');
    const expected = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
    const known = request.headers.authorization === expected;
    if (request.headers.authorization && !known) return void response.writeHead(401).end();
    const access = url.searchParams.getAll('scope').flatMap((scope) => {
      const [type = '', name = '', actions = ''] = scope.split(':');
      const wanted = actions.split(',');
      return [{ type, name, actions: known ? wanted : name.startsWith('public/') ? ['pull'] : [] }];
    });
    given.push(known ? user.name : 'anonymous');
    response.end(JSON.stringify({ token: tokenFor(access, certificates), expires_in: 300 }));
  });
  const rootcertbundle = join(folder, 'token-ca.crt');
  writeFileSync(rootcertbundle, certificates.ca);
  const auth = { token: { realm: `https://${host}/token`, service: 'test', issuer: 'test', rootcertbundle } };
  return { host, close, auth, given };
}

function tokenFor(access: readonly object[], { cert, key }: Certificates): string {
  const [own = ''] = cert.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/) ?? [];
  const der = new X509Certificate(own).raw.toString('base64');
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'test',
    sub: 'x',
    aud: 'test',
    exp: now + 300,
    nbf: now - 10,
    iat: now,
    jti: String(now),
    access,
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${part({ typ: 'JWT', alg: 'ES256', x5c: [der] })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(body), {
    key: createPrivateKey(key),
    dsaEncoding: 'ieee-p1363',
  });
  return `${body}.${signature.toString('base64url')}`;
}

/** What a proxy does with a request: nothing of its own where it returns false. */
type Meddle = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A registry with something in between that meddles with what is sent. */
export interface MeddlingProxy extends Server {
  meddle(meddle: Meddle): void;
  /** `GET /v2/…`, in order of arrival. */
  readonly arrived: string[];
}

export async function startProxy(registry: Server, certificates: Certificates): Promise<MeddlingProxy> {
  const arrived: string[] = [];
  let meddle: Meddle = () => false;
  const { host, close } = await startServer(certificates, (request, response) => {
    arrived.push(`${request.method} ${request.url}`);
    if (meddle(request, response)) return;
    const onward = httpsRequest(
      `https://${registry.host}${request.url}`,
      { method: request.method ?? 'GET', headers: request.headers, ca: certificates.ca },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  return {
    host,
    close,
    arrived,
    meddle(next) {
      meddle = next;
    },
  };
}

/** Serves over TLS on a free port of localhost. */
export async function startServer(
  { cert, key }: Certificates,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createHttpsServer({ cert, key }, handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: `localhost:${port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = httpsRequest(
      { host: '127.0.0.1', port, path: '/v2/', rejectUnauthorized: false, timeout: 500 },
      (answer) => {
        answer.resume();
        resolve(true);
      },
    );
    request.once('error', () => resolve(false));
    request.end();
  });
}

/** Uploads a blob and a manifest as they are, past what skopeo would let through. */
export async function upload(
  registry: Server,
  ca: string,
  repository: string,
  tag: string,
  config: Buffer,
): Promise<void> {
  const digest = `sha256:${createHash('sha256').update(config).digest('hex')}`;
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const started = await send('POST', `https://${registry.host}/v2/${repository}/blobs/uploads/`, ca);
  const { location = '' } = started.headers;
  await send('PUT', `${location}&digest=${digest}`, ca, config, 'application/octet-stream');
  const manifest = {
    schemaVersion: 2,
    mediaType: type,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: config.length },
    layers: [],
  };
  const url = `https://${registry.host}/v2/${repository}/manifests/${tag}`;
  await send('PUT', url, ca, Buffer.from(JSON.stringify(manifest)), type);
}

function send(
  method: string,
  url: string,
  ca: string,
  body?: Buffer,
  type?: string,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': body?.length ?? 0, ...(type ? { 'content-type': type } : {}) };
    const request = httpsRequest(url, { method, ca, headers }, (answer) => {
      answer.resume();
      const status = answer.statusCode ?? 0;
      if (status > 299) reject(new Error(`${method} ${url}: ${status}`));
      else resolve(answer);
    });
    request.once('error', reject);
    request.end(body);
  });
}
