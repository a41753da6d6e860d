import type { LookupAddress } from 'node:dns';
import { type ImagesConfig, imagesSchema } from '../../../src/config/images.ts';
import { type FailureCause, LookupFailure } from '../../../src/images/failure.ts';
import { createGuardedGet, type GuardedGet } from '../../../src/images/guarded-get.ts';
import type { FakeRegistry } from '../../support/fake-registry.ts';

/** A configuration under which the fake registry may be asked by the name registry.test. */
export function configFor({ port, ca }: FakeRegistry, more: object = {}, hosts: object = {}): ImagesConfig {
  const allowed = { privateAddress: true };
  return imagesSchema.parse({
    registries: [`registry.test:${port}`],
    ca,
    hosts: { [`registry.test:${port}`]: allowed, ...hosts },
    ...more,
  });
}

/** Everything that ends in .test is this machine, whatever it calls itself; `addresses` says otherwise. */
export function guardedFor(
  config: ImagesConfig,
  addresses: Readonly<Record<string, readonly string[]>> = {},
): GuardedGet {
  return createGuardedGet(config, {
    lookup: ((
      name: string,
      _options: object,
      callback: (error: Error | null, found: LookupAddress[]) => void,
    ) => {
      const found = (addresses[name] ?? ['127.0.0.1']).map((address) => ({
        address,
        family: address.includes(':') ? 6 : 4,
      }));
      callback(null, found);
    }) as never,
  });
}

/** Why something failed; fails itself if it did not. */
export async function causeOf(work: Promise<unknown>): Promise<FailureCause> {
  try {
    await work;
  } catch (error) {
    if (error instanceof LookupFailure) return error.failure;
    throw error;
  }
  throw new Error('it did not fail');
}
