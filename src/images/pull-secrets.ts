import { isJsonObject, type JsonObject } from '../pod/json.ts';
import { matchesGlob } from './glob.ts';

/** A user name and a password for a registry. */
export interface Credential {
  readonly username: string;
  readonly password: string;
}

/** What matters of a Secret of v1. */
export interface PullSecret {
  readonly type: string;
  /** Values by key, decoded from base64. */
  readonly data: ReadonlyMap<string, string>;
}

/** Entries of a docker configuration by location, in the order of the file. */
type DockerConfig = readonly (readonly [location: string, credential: Credential])[];

const formats = [
  { type: 'kubernetes.io/dockerconfigjson', key: '.dockerconfigjson', entriesOf: entriesOfDockerConfigJson },
  { type: 'kubernetes.io/dockercfg', key: '.dockercfg', entriesOf: entriesOfDockercfg },
] as const;

/** The key of Docker Hub's credentials, once `/v1/` is off. */
const dockerHubKey = 'index.docker.io';

/**
 * The credentials that the kubelet would try for an image, in its order.
 *
 * The rules are those of Kubernetes 1.36 (pkg/credentialprovider/keyring.go): entries of all secrets together, the
 * more specific keys first (reverse order of their text), and those of a key in the order of the secrets. A key
 * matches where the ports are equal, the hosts have as many labels, each label matches as a shell pattern, and its path
 * is the beginning of the image's. Where none does, an image of Docker Hub gets what stands under `index.docker.io`.
 *
 * @param secrets The pull secrets of the pod, in its order. One that cannot be read is passed over.
 * @param name Registry and repository: `docker.io/library/redis`.
 */
export function credentialsFor(secrets: readonly PullSecret[], name: string): readonly Credential[] {
  const byKey = new Map<string, Credential[]>();
  for (const secret of secrets) {
    for (const [location, credential] of entriesOf(secret)) {
      const key = keyOf(location);
      if (key === null) continue;
      const known = byKey.get(key);
      if (known) known.push(credential);
      else byKey.set(key, [credential]);
    }
  }
  const image = locationOf(name);
  if (image === null) return [];
  const found = [...byKey]
    .filter(([key]) => matchesImage(key, image))
    .sort(([one], [other]) => compareBytes(other, one))
    .flatMap(([, credentials]) => credentials);
  if (found.length > 0) return found;
  return image.host === 'docker.io' || image.host === dockerHubKey ? (byKey.get(dockerHubKey) ?? []) : [];
}

function entriesOf({ type, data }: PullSecret): DockerConfig {
  const format = formats.find((known) => known.type === type);
  const text = format && data.get(format.key);
  return (text && format.entriesOf(parseJson(text))) || [];
}

/** `.dockerconfigjson`: `{"auths": {"registry.example": {…}}}`. Null for what Go would not unmarshal. */
function entriesOfDockerConfigJson(json: unknown): DockerConfig | null {
  if (!isJsonObject(json)) return null;
  const auths = member(json, 'auths');
  return auths === undefined || auths === null ? [] : entriesOfDockercfg(auths);
}

/** `.dockercfg`: `{"registry.example": {…}}`. Null for what Go would not unmarshal: one bad entry loses the file. */
function entriesOfDockercfg(json: unknown): DockerConfig | null {
  if (!isJsonObject(json)) return null;
  const entries: (readonly [string, Credential])[] = [];
  for (const [location, entry] of Object.entries(json)) {
    const credential = entry === null ? { username: '', password: '' } : credentialOf(entry);
    if (credential === null) return null;
    entries.push([location, credential]);
  }
  return entries;
}

/** An entry: `auth`, the base64 of `user:password`, beats `username` and `password`. */
function credentialOf(entry: unknown): Credential | null {
  if (!isJsonObject(entry)) return null;
  const [username, password, email, auth] = ['username', 'password', 'email', 'auth'].map((name) =>
    stringMember(entry, name),
  );
  if (username === undefined || password === undefined || email === undefined || auth === undefined) {
    return null;
  }
  if (auth === '') return { username, password };
  // Go's decoder skips line breaks, and takes padding only where the text ends with it.
  const encoded = auth.replace(/[\r\n]/g, '');
  const padded = auth.trim().endsWith('=');
  if (!(padded ? /^[A-Za-z0-9+/]*={1,2}$/ : /^[A-Za-z0-9+/]*$/).test(encoded)) return null;
  if (padded ? encoded.length % 4 !== 0 : encoded.length % 4 === 1) return null;
  const decoded = Buffer.from(encoded, 'base64').toString();
  const colon = decoded.indexOf(':');
  return colon < 0 ? null : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** A member by its name, or as Go does where none has just this one: by its name in any case. */
function member(object: JsonObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const key = Object.keys(object).findLast((other) => other.toLowerCase() === name);
  return key === undefined ? undefined : object[key];
}

/** Empty where it is absent or null, undefined where it is no string. */
function stringMember(object: JsonObject, name: string): string | undefined {
  const value = member(object, name) ?? '';
  return typeof value === 'string' ? value : undefined;
}

/** Host with port, and path, of a location that may have a scheme. */
interface Location {
  readonly host: string;
  readonly path: string;
}

/**
 * Splits a location as Go's net/url does, without the normalization of the WHATWG's: upper case and default ports stay.
 * Null where Go refuses it.
 */
function locationOf(text: string): Location | null {
  const [, authority = '', path = ''] = /^([^/?#]*)([^?#]*)/s.exec(text) ?? [];
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (/[\0-\x20\x7f"%^`{|}\\]/.test(host) || /[\0-\x1f\x7f]/.test(text)) return null;
  const port = /^(?:\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(host);
  if (!port) return null;
  const decoded = unescaped(path);
  return decoded === null ? null : { host, path: decoded };
}

function unescaped(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** What an entry's location is sorted and matched by; null where it is none. */
function keyOf(location: string): string | null {
  const parsed = locationOf(location.replace(/^https?:\/\//, ''));
  if (parsed === null) return null;
  const path = /^\/v[12]\//.test(parsed.path) ? parsed.path.slice(3) : parsed.path;
  return path === '/' ? parsed.host : parsed.host + path;
}

function matchesImage(key: string, image: Location): boolean {
  const glob = locationOf(key);
  if (glob === null || !image.path.startsWith(glob.path)) return false;
  const [globHost, globPort] = splitPort(glob.host);
  const [host, port] = splitPort(image.host);
  if (globPort !== port) return false;
  const patterns = globHost.split('.');
  const labels = host.split('.');
  return (
    patterns.length === labels.length &&
    patterns.every((pattern, index) => matchesGlob(pattern, labels[index] ?? ''))
  );
}

function splitPort(host: string): readonly [host: string, port: string] {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:]*)):(\d*)$/.exec(host) ?? [];
  return port === undefined ? [host, ''] : [bracketed ?? plain ?? '', port];
}

/** Go compares strings by their bytes. */
function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
