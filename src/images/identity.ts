import { createHmac, randomBytes } from 'node:crypto';
import type { Credential } from './pull-secrets.ts';

/** Who asks a registry: nobody in particular, or whoever has a credential. */
export interface Identity {
  /** Null for nobody in particular. */
  readonly credential: Credential | null;
  /**
   * The same for the same credential and no other. Whoever bears it has shown the credential itself, so that what was
   * fetched under it may be given to them; it does not tell the credential.
   */
  readonly key: string;
}

/** Nobody in particular; what was fetched so may be given to everyone. */
export const anonymous: Identity = { credential: null, key: 'anonymous' };

const secret = randomBytes(32);

/** The identity of whoever has a credential; an empty one is none. */
export function identityOf(credential: Credential): Identity {
  const { username, password } = credential;
  if (username === '' && password === '') return anonymous;
  const hmac = createHmac('sha256', secret).update(JSON.stringify([username, password]));
  return { credential, key: hmac.digest('base64') };
}
