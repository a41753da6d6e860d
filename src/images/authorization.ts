import * as z from 'zod';
import { hostSettingsOf, type ImagesConfig, matchesHost } from '../config/images.ts';
import type { Challenge } from './challenge.ts';
import { LookupFailure } from './failure.ts';
import type { GetAnswer } from './guarded-get.ts';
import type { Location } from './location.ts';
import type { Credential } from './pull-secrets.ts';

/** The value of an `Authorization` header, and how long it counts. */
export interface Authorization {
  readonly header: string;
  readonly seconds: number;
}

/** Gets an answer of 2xx, with or without an `Authorization` header. */
type Get = (url: URL, authorization: string | null) => Promise<GetAnswer>;

const longestToken = 12 * 1024;
/** What a token is good for where its realm does not say, by the token specification of the registry. */
const defaultSeconds = 60;
const longestSeconds = 3600;
/** A user name and password stay what they are; that the registry wants them is asked anew now and then. */
const basicSeconds = 300;

const tokenAnswer = z.object({
  token: z.string().nullish(),
  access_token: z.string().nullish(),
  expires_in: z.number().positive().nullish().catch(null),
});

/**
 * Meets the challenge of a registry: with the credential itself, or with a token that its realm gives for it
 * (https://distribution.github.io/distribution/spec/auth/token/).
 *
 * @param challenge What the registry asks for.
 * @param location The registry, and the repository that is to be read.
 * @param credential Null for nobody in particular.
 * @param get Gets from a realm, under the same guards as anything else.
 * @throws {LookupFailure} if the challenge cannot be met, or only by giving the credential to a host it is not for.
 */
export async function authorize(
  challenge: Challenge,
  location: Location,
  credential: Credential | null,
  config: ImagesConfig,
  get: Get,
): Promise<Authorization> {
  const basic =
    credential && `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
  if (challenge.scheme === 'basic') {
    if (basic === null) throw new LookupFailure('denied');
    return { header: basic, seconds: basicSeconds };
  }
  const realm = realmOf(challenge, location);
  if (basic !== null && !mayReceive(realm, location, config)) throw new LookupFailure('foreign-realm');
  const { body } = await get(realm, basic);
  const outcome = tokenAnswer.safeParse(parseJson(body));
  const token = outcome.data?.token || outcome.data?.access_token || '';
  if (!/^[\x21-\x7e]+$/.test(token) || token.length > longestToken) throw new LookupFailure('bad-answer');
  const seconds = Math.min(outcome.data?.expires_in ?? defaultSeconds, longestSeconds);
  // It must not run out on the way.
  return { header: `Bearer ${token}`, seconds: seconds * 0.8 };
}

function realmOf({ parameters }: Challenge, { repository }: Location): URL {
  const text = parameters.get('realm') ?? '';
  if (!URL.canParse(text)) throw new LookupFailure('bad-answer');
  const realm = new URL(text);
  const service = parameters.get('service');
  if (service !== undefined) realm.searchParams.set('service', service);
  // Some registries call a repository otherwise than its path; more than pulling is never asked for.
  const [, named] =
    /^repository:([^\s:]+(?::\d+\/[^\s:]+)?):[a-z*,]+$/.exec(parameters.get('scope') ?? '') ?? [];
  realm.searchParams.set('scope', `repository:${named ?? repository}:pull`);
  return realm;
}

/** Hosts of realms of public registries, by the host of the registry's API. */
const knownTokenHosts: ReadonlyMap<string, readonly string[]> = new Map([
  ['registry-1.docker.io', ['auth.docker.io']],
]);

/**
 * Whether a realm may be sent the credentials of a registry: it is the registry itself, a host below it, the one that it
 * is directly below of (`gitlab.com` of `registry.gitlab.com`), or one that is listed.
 */
function mayReceive(realm: URL, { origin }: Location, config: ImagesConfig): boolean {
  if (origin.protocol === 'https:' && realm.protocol !== 'https:') return false;
  if (realm.host === origin.host) return true;
  const listed = [
    ...(knownTokenHosts.get(origin.host) ?? []),
    ...hostSettingsOf(origin.host, config).tokenHosts,
  ];
  if (matchesHost(realm.host, listed)) return true;
  if (realm.port !== origin.port) return false;
  const parent = origin.hostname.slice(origin.hostname.indexOf('.') + 1);
  return (
    realm.hostname.endsWith(`.${origin.hostname}`) || (realm.hostname === parent && parent.includes('.'))
  );
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
