import { createHash, timingSafeEqual } from 'node:crypto';
import type { ImagesConfig } from '../config/images.ts';
import { authorize } from './authorization.ts';
import { readChallenge } from './challenge.ts';
import { LookupFailure } from './failure.ts';
import type { GetAnswer, GetRequest, GuardedGet } from './guarded-get.ts';
import type { Identity } from './identity.ts';
import type { Location } from './location.ts';
import { createLru } from './lru.ts';
import { chooseImage, type ImageDetails, manifestTypes, readImageConfig, readManifest } from './manifest.ts';
import { isDigest } from './reference.ts';

/** An image as a registry has it. */
export interface FoundImage {
  /** Of the index or the manifest that the reference stands for. */
  readonly digest: string;
  readonly details: ImageDetails;
}

/** Reads images of registries. It caches nothing but authorizations. */
export interface RegistryClient {
  /**
   * Asks what a tag stands for, which costs a registry the least.
   *
   * @returns Its digest, or null where the registry does not tell without sending the manifest.
   * @throws {LookupFailure}
   */
  digestOf(location: Location, tag: string, who: Identity, signal: AbortSignal): Promise<string | null>;
  /**
   * Fetches ENTRYPOINT, CMD and USER.
   *
   * @param version A tag, or a digest, which what is sent must have.
   * @param architecture The one that is wanted of an index.
   * @throws {LookupFailure}
   */
  imageOf(
    location: Location,
    version: string,
    architecture: string,
    who: Identity,
    signal: AbortSignal,
  ): Promise<FoundImage>;
}

const longestManifest = 4 * 1024 * 1024;
const longestConfig = 1024 * 1024;
const longestTokenAnswer = 64 * 1024;
const mostRedirects = 5;
const roomForTokens = 2 * 1024 * 1024;
/** A registry that says nothing of how long it wants to be left alone is believed no more than this. */
const longestRetryMs = 5 * 60_000;

const accept = [...manifestTypes.index, ...manifestTypes.image].join(', ');

/**
 * A client of the OCI distribution API (https://github.com/opencontainers/distribution-spec) that can only read images.
 *
 * @param guarded How anything is fetched.
 * @param config What is allowed.
 */
export function createRegistryClient(guarded: GuardedGet, config: ImagesConfig): RegistryClient {
  const authorizations = createLru<string>(roomForTokens);

  /** Gets something of a repository, and meets the challenge if there is one. */
  const ask = async (
    location: Location,
    path: string,
    who: Identity,
    request: Omit<GetRequest, 'headers'> & { readonly accept?: string },
  ): Promise<GetAnswer> => {
    const url = new URL(`/v2/${location.repository}/${path}`, location.origin);
    const { accept, ...rest } = request;
    const plain = { ...rest, headers: accept === undefined ? {} : { accept } };
    const key = `${who.key} ${location.origin.host}/${location.repository}`;
    const known = authorizations.get(key) ?? null;
    const first = await follow(guarded, url, plain, known);
    if (first.answer.status !== 401 || first.elsewhere) return done(first.answer);
    authorizations.delete(key);
    const challenge = readChallenge(first.answer.headers['www-authenticate']);
    if (!challenge) throw new LookupFailure('denied');
    const { header, seconds } = await authorize(
      challenge,
      location,
      who.credential,
      config,
      async (realm, authorization) => {
        const forToken = {
          method: 'GET',
          headers: {},
          maxBytes: longestTokenAnswer,
          signal: request.signal,
        } as const;
        return done((await follow(guarded, realm, forToken, authorization)).answer);
      },
    );
    const second = await follow(guarded, url, plain, header);
    const answer = done(second.answer);
    authorizations.set(key, header, seconds, key.length + header.length);
    return answer;
  };

  const manifest = async (location: Location, version: string, who: Identity, signal: AbortSignal) => {
    const { headers, body } = await ask(location, `manifests/${version}`, who, {
      method: 'GET',
      accept,
      maxBytes: longestManifest,
      signal,
    });
    const digest = isDigest(version) ? version : digestIn(headers['docker-content-digest'], body);
    verify(body, digest);
    return { digest, manifest: readManifest(body, headers['content-type']) };
  };

  return {
    async digestOf(location, tag, who, signal) {
      try {
        const { headers } = await ask(location, `manifests/${tag}`, who, {
          method: 'HEAD',
          accept,
          maxBytes: longestManifest,
          signal,
        });
        const digest = headers['docker-content-digest'];
        return typeof digest === 'string' && isDigest(digest) ? digest : null;
      } catch (error) {
        // Not every registry knows HEAD.
        if (error instanceof LookupFailure && error.failure === 'registry-error') return null;
        throw error;
      }
    },
    async imageOf(location, version, architecture, who, signal) {
      const top = await manifest(location, version, who, signal);
      const own =
        top.manifest.kind === 'image'
          ? top.manifest
          : (await manifest(location, chooseImage(top.manifest.entries, architecture), who, signal)).manifest;
      if (own.kind !== 'image') throw new LookupFailure('unsupported-manifest');
      const { body } = await ask(location, `blobs/${own.config}`, who, {
        method: 'GET',
        maxBytes: longestConfig,
        signal,
      });
      verify(body, own.config);
      return { digest: top.digest, details: readImageConfig(body) };
    },
  };
}

/** Follows redirections; an `Authorization` header never goes to another origin than the first, nor back again. */
async function follow(
  guarded: GuardedGet,
  first: URL,
  request: GetRequest,
  authorization: string | null,
): Promise<{ readonly answer: GetAnswer; readonly elsewhere: boolean }> {
  let url = first;
  let elsewhere = false;
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    const headers =
      authorization === null || elsewhere ? request.headers : { ...request.headers, authorization };
    const answer = await guarded.get(url, { ...request, headers });
    const { location } = answer.headers;
    if (![301, 302, 303, 307, 308].includes(answer.status)) return { answer, elsewhere };
    if (location === undefined || !URL.canParse(location, url.href)) throw new LookupFailure('bad-answer');
    url = new URL(location, url);
    elsewhere ||= url.origin !== first.origin;
  }
  throw new LookupFailure('too-many-redirects');
}

/** @throws {LookupFailure} if the status is none of success. */
function done(answer: GetAnswer): GetAnswer {
  const { status, headers } = answer;
  if (status >= 200 && status <= 299) return answer;
  if (status === 401 || status === 403) throw new LookupFailure('denied');
  if (status === 404) throw new LookupFailure('not-found');
  if (status === 429) throw new LookupFailure('rate-limited', retryAfterMs(headers['retry-after']));
  throw new LookupFailure('registry-error', retryAfterMs(headers['retry-after']));
}

/** Seconds or a date (RFC 9110). */
function retryAfterMs(header: string | undefined): number | null {
  if (header === undefined) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), longestRetryMs);
}

/** What a registry says that a manifest's digest is, or what it is. */
function digestIn(header: string | string[] | undefined, body: Buffer): string {
  return typeof header === 'string' && isDigest(header)
    ? header
    : `sha256:${createHash('sha256').update(body).digest('hex')}`;
}

function verify(body: Buffer, digest: string): void {
  const [algorithm = '', hex = ''] = digest.split(':');
  const found = createHash(algorithm).update(body).digest();
  if (!timingSafeEqual(found, Buffer.from(hex, 'hex'))) throw new LookupFailure('digest-mismatch');
}
