import { describe, expect, it } from 'vitest';
import { imagesSchema } from '../../../src/config/images.ts';
import { LookupFailure } from '../../../src/images/failure.ts';
import { locate } from '../../../src/images/location.ts';
import { parseReference } from '../../../src/images/reference.ts';

function placeOf(image: string, config: object = {}): string {
  const reference = parseReference(image);
  if (!reference) throw new Error('no reference');
  try {
    const { registry, repository, origin } = locate(reference, imagesSchema.parse(config));
    return `${registry}/${repository} at ${origin.href}`;
  } catch (error) {
    if (error instanceof LookupFailure) return error.failure;
    throw error;
  }
}

describe('locate', () => {
  it.each([
    ['redis', {}, 'docker.io/library/redis at https://registry-1.docker.io/'],
    ['ghcr.io/a/b', {}, 'ghcr.io/a/b at https://ghcr.io/'],
    ['europe-docker.pkg.dev/p/r/i', {}, 'europe-docker.pkg.dev/p/r/i at https://europe-docker.pkg.dev/'],
    ['r.example:5000/a', {}, 'registry-not-allowed'],
    ['ghcr.io:8443/a', {}, 'registry-not-allowed'],
    ['registry-1.docker.io/library/redis', {}, 'registry-not-allowed'],
    ['r.example:5000/a', { registries: ['r.example:5000'] }, 'r.example:5000/a at https://r.example:5000/'],
    [
      'r.example:5000/a',
      { registries: ['*'], hosts: { 'r.example:5000': { plainHttp: true } } },
      'r.example:5000/a at http://r.example:5000/',
    ],
    ['r.example:99999/a', { registries: ['*'] }, 'invalid-reference'],
    ['redis', { registries: [] }, 'registry-not-allowed'],
  ])('finds %s under %j: %s', (image, config, place) => {
    expect(placeOf(image, config)).toBe(place);
  });

  const mirrors = {
    'docker.io': 'mirror.example/hub',
    'docker.io/library': 'mirror.example:5000',
    'quay.io': 'mirror.example/quay/',
  };
  it.each([
    ['redis', 'mirror.example:5000/redis at https://mirror.example:5000/'],
    ['team/app', 'mirror.example/hub/team/app at https://mirror.example/'],
    ['library-like/app', 'mirror.example/hub/library-like/app at https://mirror.example/'],
    ['quay.io/a', 'mirror.example/quay/a at https://mirror.example/'],
    ['ghcr.io/a', 'ghcr.io/a at https://ghcr.io/'],
  ])('asks the mirror for %s: %s', (image, place) => {
    expect(placeOf(image, { mirrors })).toBe(place);
  });
});
