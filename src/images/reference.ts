/** An image reference, every default filled in. */
export interface ImageReference {
  /** Host and port as written: `docker.io`, `registry.example:5000`, `[2001:db8::1]:5000`. */
  readonly registry: string;
  /** Path below it, `library/` included: `library/redis`. */
  readonly repository: string;
  /** Null only where there is a digest, which wins. */
  readonly tag: string | null;
  /** `sha256:…`, `sha384:…` or `sha512:…`. */
  readonly digest: string | null;
}

const alphanumeric = '[a-z0-9]+';
const pathComponent = `${alphanumeric}(?:(?:[._]|__|-+)${alphanumeric})*`;
const hostLabel = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const host = `(?:${hostLabel}(?:\\.${hostLabel})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const tag = '\\w[\\w.-]{0,127}';
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const grammar = new RegExp(
  `^(${host})/(${pathComponent}(?:/${pathComponent})*)(?::(${tag}))?(?:@(${digest}))?$`,
);

const longestRepository = 255;
/** Host, repository, tag and the longest digest; what is longer is refused before the grammar is tried. */
const longestReference = 1024;

/** Characters in the hexadecimal part of a digest, by algorithm. */
const digestLengths: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

/**
 * Reads an image reference as the kubelet does, by the grammar of https://github.com/distribution/reference (0.6).
 *
 * @param text As a pod holds it: `redis`, `ghcr.io/a/b:1@sha256:…`.
 * @returns Null for what is no reference to an image: the kubelet refuses it too.
 */
export function parseReference(text: string): ImageReference | null {
  if (text.length > longestReference || /^[a-f0-9]{64}$/.test(text)) return null;
  const [registry, rest] = splitRegistry(text);
  const [, domain, repository, tagged, digested] = grammar.exec(`${registry}/${rest}`) ?? [];
  if (domain === undefined || repository === undefined || repository.length > longestRepository) return null;
  if (digested !== undefined && !isDigest(digested)) return null;
  return {
    registry: domain,
    repository,
    tag: tagged ?? (digested === undefined ? 'latest' : null),
    digest: digested ?? null,
  };
}

/** Whether a text is a digest by one of the known algorithms, in lower case as they all write it. */
export function isDigest(text: string): boolean {
  const [algorithm = '', hex = '', ...more] = text.split(':');
  return more.length === 0 && digestLengths.get(algorithm) === hex.length && /^[a-f0-9]+$/.test(hex);
}

/** The reference as it is shown, with every default: `docker.io/library/redis:latest`. */
export function referenceText({ registry, repository, tag, digest }: ImageReference): string {
  return `${registry}/${repository}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`;
}

/** The first segment is a host only if it looks like one; else the image is on Docker Hub. */
function splitRegistry(text: string): readonly [registry: string, rest: string] {
  const slash = text.indexOf('/');
  if (slash < 0) return ['docker.io', `library/${text}`];
  const first = text.slice(0, slash);
  const isHost = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  const registry = !isHost || first === 'index.docker.io' ? 'docker.io' : first;
  const rest = isHost ? text.slice(slash + 1) : text;
  return [registry, registry === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest];
}
