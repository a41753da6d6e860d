import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { type HostSettings, hostSettingsOf, type ImagesConfig } from '../config/images.ts';
import { version } from '../version.ts';
import { isPublicAddress } from './address.ts';
import { LookupFailure } from './failure.ts';

/** One request; nothing but reading is ever asked for. */
export interface GetRequest {
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  /** The most bytes of a body. */
  readonly maxBytes: number;
  /** Ends the request, also while its answer is read. */
  readonly signal: AbortSignal;
}

/** What was answered, whatever its status. A body is there for 2xx only: nobody has use for that of an error. */
export interface GetAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Gets what a URL stands for; follows no redirection. */
export interface GuardedGet {
  /** @throws {LookupFailure} if the URL may not be asked, nobody answers, or the answer is too large. */
  get(url: URL, request: GetRequest): Promise<GetAnswer>;
  /** Closes connections that are kept. */
  close(): void;
}

/** What may be replaced in tests that need names which resolve. */
interface GuardOptions {
  readonly lookup?: typeof systemLookup;
}

/** Connections to one host at a time; more requests wait for one. */
const mostSockets = 8;
/** Registries and what is before them close connections after a minute or so. */
const idleMs = 15_000;
const longestHeaders = 16 * 1024;

/**
 * Makes the one way in which anything of an image is fetched. The host is chosen by whoever writes the pod, so every
 * request goes through the same guards: HTTPS, unless the host is listed with plainHttp; an address of the public
 * internet at the moment of connecting, unless it is listed with privateAddress; no address in place of a name, unless
 * it is listed by it.
 *
 * @param config What is allowed.
 */
export function createGuardedGet(
  config: ImagesConfig,
  { lookup = systemLookup }: GuardOptions = {},
): GuardedGet {
  const agents = new Map<string, HttpAgent | HttpsAgent>();
  const agentFor = (url: URL, settings: HostSettings): HttpAgent | HttpsAgent => {
    const ca = [config.ca, settings.ca].filter((pem) => pem !== undefined);
    const { privateAddress, skipTlsVerify } = settings;
    const key = JSON.stringify([url.protocol, privateAddress, skipTlsVerify, ca]);
    const known = agents.get(key);
    if (known) return known;
    const common = {
      keepAlive: true,
      maxSockets: mostSockets,
      timeout: idleMs,
      lookup: guardedLookup(lookup, privateAddress),
    };
    const agent =
      url.protocol === 'http:'
        ? new HttpAgent(common)
        : new HttpsAgent({
            ...common,
            rejectUnauthorized: !skipTlsVerify,
            ...(ca.length > 0 ? { secureContext: trusting(ca) } : {}),
          });
    agents.set(key, agent);
    return agent;
  };
  return {
    async get(url, request) {
      const settings = checkUrl(url, config);
      if (request.signal.aborted) throw new LookupFailure('timeout');
      const agent = agentFor(url, settings);
      // Every kept connection may have been closed by the other side just now, but a new one has not.
      for (let attempt = 0; attempt <= mostSockets; attempt += 1) {
        try {
          return await exchange(url, agent, request);
        } catch (error) {
          if (!(error instanceof StaleConnection)) throw error;
        }
      }
      throw new LookupFailure('unreachable');
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

/** @throws {LookupFailure} if one of them is no certificate. */
function trusting(ca: readonly string[]): SecureContext {
  try {
    return createSecureContext({ ca: [...getCACertificates('default'), ...ca] });
  } catch {
    throw new LookupFailure('untrusted-certificate');
  }
}

/** @throws {LookupFailure} if the URL may not be asked at all. */
function checkUrl(url: URL, config: ImagesConfig): HostSettings {
  const settings = hostSettingsOf(url.host, config);
  if (url.protocol === 'http:' && !settings.plainHttp) throw new LookupFailure('http-not-allowed');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new LookupFailure('bad-answer');
  // No name is looked up for an address, so the guard below would never see it.
  if (isIP(bare(url.hostname)) !== 0 && !settings.privateAddress) {
    throw new LookupFailure('address-not-allowed');
  }
  return settings;
}

/** A connection that was kept ended before it brought anything. */
class StaleConnection extends Error {}

/** An error of the guard, told from those of the network. */
class ForbiddenAddress extends Error {}

/** Resolves a name as Node does, and leaves out every address that may not be connected to. */
function guardedLookup(lookup: typeof systemLookup, privateAddress: boolean): LookupFunction {
  return (hostname, options, callback) => {
    const all: LookupOptions & { all: true } = { ...options, all: true };
    lookup(hostname, all, (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => {
      const addresses = error
        ? []
        : found.filter(({ address }) => privateAddress || isPublicAddress(address));
      const [first] = addresses;
      if (error) callback(error, '');
      else if (first === undefined) callback(new ForbiddenAddress(), '');
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function exchange(url: URL, agent: HttpAgent | HttpsAgent, request: GetRequest): Promise<GetAnswer> {
  const { method, headers, maxBytes, signal } = request;
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
    const sent = send(
      {
        agent,
        method,
        protocol: url.protocol,
        hostname: bare(url.hostname),
        port: url.port,
        path: url.pathname + url.search,
        headers: { 'user-agent': `gravekeeper/${version}`, 'accept-encoding': 'identity', ...headers },
        maxHeaderSize: longestHeaders,
        signal,
      },
      (response) => {
        readAnswer(response, method, maxBytes).then(resolve, (error: unknown) => {
          reject(failureOf(error, signal));
          sent.destroy();
        });
      },
    );
    sent.once('error', (error) => {
      const stale = sent.reusedSocket && !signal.aborted && 'code' in error && error.code === 'ECONNRESET';
      reject(stale ? new StaleConnection() : failureOf(error, signal));
    });
    sent.end();
  });
}

async function readAnswer(response: IncomingMessage, method: string, maxBytes: number): Promise<GetAnswer> {
  const { statusCode: status = 0, headers } = response;
  if (method === 'HEAD' || status < 200 || status > 299) {
    drain(response, maxBytes);
    return { status, headers, body: Buffer.alloc(0) };
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw new LookupFailure('bad-answer');
  if (Number(headers['content-length']) > maxBytes) throw new LookupFailure('too-large');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    if (size > maxBytes) throw new LookupFailure('too-large');
    chunks.push(chunk);
  }
  return { status, headers, body: Buffer.concat(chunks) };
}

/** Reads a body that nobody wants, so that the connection can be used again, unless it is long. */
function drain(response: IncomingMessage, maxBytes: number): void {
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) response.destroy();
  });
  response.on('error', () => {});
}

function failureOf(error: unknown, signal: AbortSignal): LookupFailure {
  if (error instanceof LookupFailure) return error;
  if (signal.aborted) return new LookupFailure('timeout');
  if (error instanceof ForbiddenAddress) return new LookupFailure('address-not-allowed');
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_')) return new LookupFailure('bad-answer');
  return new LookupFailure(isAboutTrust(code) ? 'untrusted-certificate' : 'unreachable');
}

/** Codes of OpenSSL's verification, as https://nodejs.org/api/tls.html#x509-certificate-error-codes lists them. */
function isAboutTrust(code: string): boolean {
  return /^(?:UNABLE_TO_|CERT_|CRL_|ERROR_IN_CERT|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/.test(
    code,
  );
}

/** A host of a URL without the brackets of IPv6. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
