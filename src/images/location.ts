import { hostSettingsOf, type ImagesConfig, matchesHost } from '../config/images.ts';
import { LookupFailure } from './failure.ts';
import type { ImageReference } from './reference.ts';

/** Where an image is asked for: its registry, or the mirror of it. */
export interface Location {
  /** As pull secrets name it. */
  readonly registry: string;
  readonly repository: string;
  /** Where the registry's API is. */
  readonly origin: URL;
}

/** The name of Docker Hub in references, and the host that answers for it. */
const dockerHub = { name: 'docker.io', host: 'registry-1.docker.io' };

/**
 * Says where to ask for an image.
 *
 * @throws {LookupFailure} if its registry is not allowed. A mirror is: the administrator has named it.
 */
export function locate(reference: ImageReference, config: ImagesConfig): Location {
  const mirrored = mirrorOf(reference, config);
  const { registry, repository } = mirrored ?? reference;
  if (!mirrored && !matchesHost(registry, config.registries)) throw new LookupFailure('registry-not-allowed');
  const host = registry === dockerHub.name ? dockerHub.host : registry;
  const scheme = hostSettingsOf(host, config).plainHttp ? 'http' : 'https';
  const address = `${scheme}://${host}`;
  if (!URL.canParse(address)) throw new LookupFailure('invalid-reference');
  return { registry, repository, origin: new URL(address) };
}

/** The longest entry of the map that a reference begins with, put in its place. */
function mirrorOf(
  { registry, repository }: ImageReference,
  { mirrors }: ImagesConfig,
): { registry: string; repository: string } | null {
  const name = `${registry}/${repository}`;
  const [best] = Object.entries(mirrors)
    .filter(([key]) => name.startsWith(`${key}/`))
    .sort(([one], [other]) => other.length - one.length);
  if (!best) return null;
  const [key, mirror] = best;
  const slash = mirror.indexOf('/');
  const host = slash < 0 ? mirror : mirror.slice(0, slash);
  const folder = slash < 0 ? '' : `${mirror.slice(slash + 1).replace(/\/$/, '')}/`;
  return { registry: host, repository: folder + name.slice(key.length + 1) };
}
