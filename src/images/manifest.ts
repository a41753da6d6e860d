import * as z from 'zod';
import { LookupFailure } from './failure.ts';
import { isDigest } from './reference.ts';

/** The media types that a registry is asked for. */
export const manifestTypes = {
  index: [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
  ],
  image: [
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ],
} as const;

const configTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** One image of an index. */
export interface IndexEntry {
  readonly digest: string;
  readonly os: string;
  readonly architecture: string;
}

/** What a manifest says: the images of an index, or where the config of one image is. */
export type Manifest =
  | { readonly kind: 'index'; readonly entries: readonly IndexEntry[] }
  | { readonly kind: 'image'; readonly config: string };

/** Characters of ENTRYPOINT, CMD and USER as JSON; they are kept in memory, and go into a pod. */
const longestWords = 64 * 1024;

const digest = z.string().refine(isDigest);
const text = z.string().nullish().catch(null);
const mediaType = z.object({ schemaVersion: z.unknown(), mediaType: z.string().nullish() });
const index = z.object({
  manifests: z.array(
    z.object({
      digest,
      platform: z.object({ os: text, architecture: text }).nullish(),
    }),
  ),
  config: z.undefined().optional(),
  layers: z.undefined().optional(),
});
const image = z.object({
  config: z.object({ digest, mediaType: z.string() }),
  manifests: z.undefined().optional(),
});

/**
 * Reads a manifest.
 *
 * @param body As the registry sent it.
 * @param contentType As the registry calls it. The two must agree: a document that can be read in two ways means one
 *   thing to us and another to the node (CVE-2021-41190).
 * @throws {LookupFailure} for the first version of the format, for what is no image, and for what is malformed.
 */
export function readManifest(body: Buffer, contentType: string | undefined): Manifest {
  const json = parseJson(body);
  const head = mediaType.safeParse(json);
  if (!head.success) throw new LookupFailure('bad-answer');
  if (head.data.schemaVersion !== 2) throw new LookupFailure('unsupported-manifest');
  const ofHeader = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  const type = isManifestType(ofHeader) ? ofHeader : (head.data.mediaType ?? '');
  if (head.data.mediaType && head.data.mediaType !== type) throw new LookupFailure('bad-answer');
  if (includes(manifestTypes.index, type)) {
    const { manifests } = parsed(index, json);
    return {
      kind: 'index',
      entries: manifests.map(({ digest, platform }) => ({
        digest,
        // An entry without a platform is told by its config.
        os: platform ? (platform.os ?? '') : 'linux',
        architecture: platform?.architecture ?? '',
      })),
    };
  }
  if (!includes(manifestTypes.image, type)) throw new LookupFailure('unsupported-manifest');
  const { config } = parsed(image, json);
  if (!configTypes.has(config.mediaType)) throw new LookupFailure('unsupported-manifest');
  return { kind: 'image', config: config.digest };
}

/**
 * Chooses the image of an index: that of the architecture, else the first one for Linux. Attestations, whose platform
 * is `unknown/unknown`, are no images.
 *
 * @param architecture As Kubernetes and Go name it: `amd64`.
 * @returns Its digest.
 * @throws {LookupFailure} if there is none for Linux.
 */
export function chooseImage(entries: readonly IndexEntry[], architecture: string): string {
  const linux = entries.filter(({ os, architecture }) => os === 'linux' && architecture !== 'unknown');
  const chosen = linux.find((entry) => entry.architecture === architecture) ?? linux[0];
  if (!chosen) throw new LookupFailure('no-linux-image');
  return chosen.digest;
}

/** What matters of an image's config. */
export interface ImageDetails {
  readonly entrypoint: readonly string[] | null;
  readonly cmd: readonly string[] | null;
  /** As the image says: a name, a number, either with a group; empty for root. */
  readonly user: string;
  readonly os: string;
  readonly architecture: string;
}

/** No word of a process can hold a NUL. */
const words = z.array(z.string().regex(/^[^\0]*$/)).nullish();
const imageConfig = z.object({
  os: text,
  architecture: text,
  config: z.object({ Entrypoint: words, Cmd: words, User: text }).nullish(),
});

/**
 * Reads the config of an image.
 *
 * @throws {LookupFailure} if it is malformed, or that of another system than Linux.
 */
export function readImageConfig(body: Buffer): ImageDetails {
  const { os, architecture, config } = parsed(imageConfig, parseJson(body));
  if (os && os !== 'linux') throw new LookupFailure('no-linux-image');
  const { Entrypoint: entrypoint = null, Cmd: cmd = null, User: user } = config ?? {};
  if (JSON.stringify([entrypoint, cmd, user]).length > longestWords) throw new LookupFailure('too-large');
  return { entrypoint, cmd, user: user ?? '', os: os || 'linux', architecture: architecture ?? '' };
}

function parsed<T>(schema: z.ZodType<T>, json: unknown): T {
  const outcome = schema.safeParse(json);
  if (!outcome.success) throw new LookupFailure('bad-answer');
  return outcome.data;
}

function isManifestType(type: string): boolean {
  return /^application\/vnd\.(?:oci\.image|docker\.distribution)\.(?:manifest|index)\b/.test(type);
}

function includes(types: readonly string[], type: string): boolean {
  return types.includes(type);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new LookupFailure('bad-answer');
  }
}
