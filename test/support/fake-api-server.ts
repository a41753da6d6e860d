import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificates } from '../../src/commands/certs.ts';

/** What the API server can be asked about namespaces. */
export type RequestKind = 'list' | 'watch' | 'get';

/** Answers one request in place of the well-behaved server. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** An API server that knows namespaces, and misbehaves when told to. */
export interface FakeApiServer {
  /** A kubeconfig file's text for it. */
  readonly kubeconfig: string;
  /** Every request that has arrived. */
  readonly requests: readonly { readonly kind: RequestKind; readonly query: URLSearchParams }[];
  /** Sets a namespace's labels, and tells the watches. */
  set(name: string, labels: Readonly<Record<string, string>>): void;
  delete(name: string): void;
  /** As `set`, but no watch hears of it: as when a connection died without a word. */
  setUnheard(name: string, labels: Readonly<Record<string, string>>): void;
  deleteUnheard(name: string): void;
  /** Sends a line on every open watch. */
  send(line: string): void;
  /** Ends every open watch, as a server does now and then. */
  endWatches(): void;
  /** Answers the next requests of a kind so. */
  script(kind: RequestKind, behaviours: readonly Behaviour[]): void;
  /** Answers all further requests of a kind so; null for well. */
  always(kind: RequestKind, behaviour: Behaviour | null): void;
  /** Cuts every connection. */
  cut(): void;
  count(kind: RequestKind): number;
  /** Resolves when the next request of the kind has arrived. */
  next(kind: RequestKind): Promise<void>;
  close(): Promise<void>;
}

/** Fails with a status, as a real server words it. */
export const failing =
  (code: number): Behaviour =>
  (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ kind: 'Status', status: 'Failure', message: `told to fail with ${code}`, code }),
    );
  };

/** Resets the connection. */
export const resetting: Behaviour = (request) => void request.socket.destroy();

/** Never answers. */
export const silent: Behaviour = () => {};

/** Answers 200 with a text. */
export const answering =
  (text: string): Behaviour =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(text);
  };

/** Accepts a watch, sends lines and ends it. */
export const sending =
  (...lines: readonly string[]): Behaviour =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(lines.map((line) => `${line}\n`).join(''));
  };

/** The event that a watch of too old a version gets. */
export const goneEvent = JSON.stringify({
  type: 'ERROR',
  object: { kind: 'Status', code: 410, reason: 'Expired' },
});

export async function startFakeApiServer(): Promise<FakeApiServer> {
  const { ca, cert, key } = await makeCertificates();
  const namespaces = new Map<string, object>();
  const watches = new Set<ServerResponse>();
  const requests: { kind: RequestKind; query: URLSearchParams }[] = [];
  const scripts: Record<RequestKind, Behaviour[]> = { list: [], watch: [], get: [] };
  const forever: Record<RequestKind, Behaviour | null> = { list: null, watch: null, get: null };
  const waiting = new Set<{ kind: RequestKind; resolve: () => void }>();
  let version = 1;

  const object = (name: string, labels: Readonly<Record<string, string>>) => {
    version += 1;
    return {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, resourceVersion: String(version), labels, uid: `uid of ${name}` },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    };
  };
  const send = (line: string) => {
    for (const watch of watches) watch.write(`${line}\n`);
  };
  const json = (response: ServerResponse, body: object) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const behave: Record<RequestKind, Behaviour> = {
    list: (_request, response) =>
      json(response, {
        apiVersion: 'v1',
        kind: 'NamespaceList',
        metadata: { resourceVersion: String(version) },
        items: [...namespaces.values()],
      }),
    watch: (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      watches.add(response);
      response.once('close', () => watches.delete(response));
    },
    get: (request, response) => {
      const name = decodeURIComponent(request.url?.split('/').at(-1) ?? '');
      const namespace = namespaces.get(name);
      if (namespace) json(response, namespace);
      else failing(404)(request, response);
    },
  };

  const server = createServer({ cert, key }, (request, response) => {
    const { pathname, searchParams: query } = new URL(request.url ?? '', 'https://localhost');
    const kind = pathname !== '/api/v1/namespaces' ? 'get' : query.has('watch') ? 'watch' : 'list';
    if (request.headers.authorization !== 'Bearer the-token') return failing(401)(request, response);
    requests.push({ kind, query });
    (scripts[kind].shift() ?? forever[kind] ?? behave[kind])(request, response);
    for (const wait of waiting) {
      if (wait.kind !== kind) continue;
      waiting.delete(wait);
      wait.resolve();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const setUnheard = (name: string, labels: Readonly<Record<string, string>>) => {
    const namespace = object(name, labels);
    namespaces.set(name, namespace);
    return namespace;
  };
  return {
    kubeconfig: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'fake',
      contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
      clusters: [
        {
          name: 'fake',
          cluster: {
            server: `https://127.0.0.1:${port}`,
            'certificate-authority-data': Buffer.from(ca).toString('base64'),
          },
        },
      ],
      users: [{ name: 'fake', user: { token: 'the-token' } }],
    }),
    requests,
    set(name, labels) {
      const type = namespaces.has(name) ? 'MODIFIED' : 'ADDED';
      send(JSON.stringify({ type, object: setUnheard(name, labels) }));
    },
    setUnheard,
    deleteUnheard: (name) => void namespaces.delete(name),
    delete(name) {
      namespaces.delete(name);
      send(JSON.stringify({ type: 'DELETED', object: object(name, {}) }));
    },
    send,
    endWatches() {
      for (const watch of watches) watch.end();
    },
    script: (kind, behaviours) => void scripts[kind].push(...behaviours),
    always: (kind, behaviour) => {
      forever[kind] = behaviour;
    },
    cut: () => server.closeAllConnections(),
    count: (kind) => requests.filter((request) => request.kind === kind).length,
    next: (kind) => new Promise((resolve) => void waiting.add({ kind, resolve })),
    async close() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
