import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../../../src/commands/certs.ts';
import type { ApiServer } from '../../../src/kube/api-server.ts';
import type { Environment } from '../../../src/kube/cluster-source.ts';
import { inClusterApiServer } from '../../../src/kube/in-cluster.ts';
import { answering, type Behaviour } from '../../support/fake-api-server.ts';

/** A request as it arrived. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTPS server that answers what a test says, and a pod's way to reach it. */
export interface ScriptedServer {
  /** Reaches it as a pod in the cluster does. */
  readonly api: ApiServer;
  readonly env: Environment;
  readonly port: number;
  readonly ca: string;
  /** A service account's: `token` and `ca.crt`. */
  readonly folder: string;
  /** Every request that has arrived. */
  readonly asked: readonly Asked[];
  /** Connections that were made. */
  connections(): number;
  /** Answers all further requests so. */
  answer(behave: (asked: Asked) => Behaviour): void;
  /** Resolves with the next request that arrives. */
  next(): Promise<Asked>;
  /** Forgets requests and answers of an earlier test. */
  reset(): void;
  close(): Promise<void>;
}

/** Answers in JSON. */
export const json = (body: unknown): Behaviour => answering(JSON.stringify(body));

/** Fails with a status and headers, with a text that is no JSON. */
export const refusing =
  (status: number, headers: Readonly<Record<string, string>> = {}, text = ''): Behaviour =>
  (_request, response: ServerResponse) =>
    void response.writeHead(status, headers).end(text);

export async function startScriptedServer(host = '127.0.0.1'): Promise<ScriptedServer> {
  const { ca, cert, key } = await makeCertificates();
  const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-service-account-'));
  writeFileSync(join(folder, 'token'), 'the-token\n');
  writeFileSync(join(folder, 'ca.crt'), ca);
  const asked: Asked[] = [];
  const waiting = new Set<(request: Asked) => void>();
  const nothing = () => refusing(404);
  let behave: (request: Asked) => Behaviour = nothing;
  let connections = 0;

  const server = createServer({ cert, key }, async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const { pathname: path, searchParams: query } = new URL(request.url ?? '', 'https://localhost');
    const { method = '', headers } = request;
    const arrived = { method, path, query, headers, body };
    asked.push(arrived);
    behave(arrived)(request, response);
    for (const resolve of waiting) resolve(arrived);
    waiting.clear();
  });
  server.on('secureConnection', () => {
    connections += 1;
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const env = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: String(port) };
  return {
    api: inClusterApiServer(env, folder),
    env,
    port,
    ca,
    folder,
    asked,
    connections: () => connections,
    answer(how) {
      behave = how;
    },
    next: () => new Promise((resolve) => void waiting.add(resolve)),
    reset() {
      asked.length = 0;
      connections = 0;
      behave = nothing;
      writeFileSync(join(folder, 'token'), 'the-token\n');
    },
    async close() {
      rmSync(folder, { recursive: true });
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
