import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificates } from '../../src/commands/certs.ts';

/** A request as it arrived; `host` as the client called the server. */
export interface Arrived {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly authorization: string | undefined;
}

/** Answers a request, or leaves it to the registry by returning false. */
type Behaviour = (arrived: Arrived, response: ServerResponse, request: IncomingMessage) => boolean;

/** The config of an image, as far as it matters. */
export interface ImageFields {
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly User?: string;
}

/** An HTTPS server on 127.0.0.1 that speaks the distribution protocol from memory, and can be made to misbehave. */
export interface FakeRegistry {
  readonly port: number;
  readonly ca: string;
  /** Every request since the last reset. */
  readonly arrived: readonly Arrived[];
  /** Stores bytes; returns their digest. */
  blob(bytes: string | Buffer): string;
  /** Stores a manifest under its digest and, if given, a tag; returns its digest. */
  manifest(repository: string, tag: string | null, body: object | string, type: string): string;
  /** Stores an image of one platform; returns the digest of its manifest. */
  image(
    repository: string,
    tag: string | null,
    fields: ImageFields,
    platform?: { os?: string; architecture?: string },
  ): string;
  /** Asked before the registry answers by itself. */
  behave(behaviour: Behaviour): void;
  reset(): void;
  close(): Promise<void>;
}

export const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
export const ociIndex = 'application/vnd.oci.image.index.v1+json';
export const ociConfig = 'application/vnd.oci.image.config.v1+json';
export const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';
export const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const dockerConfig = 'application/vnd.docker.container.image.v1+json';

export const sha256 = (bytes: string | Buffer) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export async function startFakeRegistry(): Promise<FakeRegistry> {
  const { ca, cert, key } = await makeCertificates({
    names: ['registry.test', 'auth.registry.test', 'cdn.test', 'other.test', 'mirror.test'],
  });
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<
    string,
    { readonly body: Buffer; readonly type: string; readonly digest: string }
  >();
  const arrived: Arrived[] = [];
  let behaviour: Behaviour = () => false;

  const answer = ({ method, path }: Arrived, response: ServerResponse) => {
    const [, repository, kind, version = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/?]+)$/.exec(path) ?? [];
    const manifest = kind === 'manifests' ? manifests.get(`${repository}:${version}`) : undefined;
    const body = manifest?.body ?? (kind === 'blobs' ? blobs.get(version) : undefined);
    if (!body) return void response.writeHead(404).end('{"errors":[]}');
    response.writeHead(200, {
      'content-type': manifest?.type ?? 'application/octet-stream',
      'content-length': body.length,
      'docker-content-digest': manifest?.digest ?? version,
    });
    response.end(method === 'HEAD' ? undefined : body);
  };

  const server = createServer({ cert, key }, (request, response) => {
    const { method = '', url: path = '', headers } = request;
    const one = { method, path, host: headers.host ?? '', authorization: headers.authorization };
    arrived.push(one);
    if (!behaviour(one, response, request)) answer(one, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const registry: FakeRegistry = {
    port,
    ca,
    arrived,
    blob(bytes) {
      const digest = sha256(bytes);
      blobs.set(digest, Buffer.from(bytes));
      return digest;
    },
    manifest(repository, tag, body, type) {
      const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      const digest = sha256(bytes);
      for (const version of [digest, ...(tag === null ? [] : [tag])]) {
        manifests.set(`${repository}:${version}`, { body: bytes, type, digest });
      }
      return digest;
    },
    image(repository, tag, config, { os = 'linux', architecture = 'amd64' } = {}) {
      const digest = registry.blob(
        JSON.stringify({ os, architecture, config, rootfs: { type: 'layers', diff_ids: [] } }),
      );
      const manifest = {
        schemaVersion: 2,
        mediaType: ociManifest,
        config: { mediaType: ociConfig, digest, size: 1 },
        layers: [],
      };
      return registry.manifest(repository, tag, manifest, ociManifest);
    },
    behave(next) {
      behaviour = next;
    },
    reset() {
      arrived.length = 0;
      behaviour = () => false;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return registry;
}
