import type { Pod } from '../pod/pod.ts';
import { createLru } from './lru.ts';
import { pullSecretNames, secretNamesIn, serviceAccountOf } from './pod-images.ts';
import type { PullSecret } from './pull-secrets.ts';

/** Finds the pull secrets of a pod, or of the pods of a template. It never rejects. */
export type SecretsOf = (pod: Pod, namespace: string) => Promise<readonly PullSecret[]>;

/** What a cluster is asked for; both may reject. */
export interface SecretReader {
  /** Reads a Secret; null where there is none. */
  readSecret(namespace: string, name: string): Promise<PullSecret | null>;
  /** Reads the field `imagePullSecrets` of a service account, as it stands. */
  readServiceAccount(namespace: string, name: string): Promise<unknown>;
}

const mostBytes = 8 * 1024 * 1024;

/**
 * Finds pull secrets in a cluster. Each object is read once in a while, whoever asks; one that cannot be read counts as
 * none for as long.
 *
 * @param reader How they are read.
 * @param seconds How long what was read counts: a change is noticed so soon.
 */
export function createPodSecrets(reader: SecretReader, seconds: number): SecretsOf {
  const secretOf = remembering(
    (namespace, name) => reader.readSecret(namespace, name),
    null,
    (secret) => [...(secret?.data.values() ?? [])].reduce((sum, value) => sum + value.length, 0),
    seconds,
  );
  const namesOf = remembering<readonly string[]>(
    async (namespace, name) => secretNamesIn(await reader.readServiceAccount(namespace, name)),
    [],
    (names) => names.join().length,
    seconds,
  );
  return async (pod, namespace) => {
    const account = serviceAccountOf(pod);
    const names = account === null ? pullSecretNames(pod) : await namesOf(namespace, account);
    const secrets = await Promise.all(names.map((name) => secretOf(namespace, name)));
    return secrets.filter((secret) => secret !== null);
  };
}

/** Reads each object once in a while, and once for all who ask at the same time. */
function remembering<T>(
  read: (namespace: string, name: string) => Promise<T>,
  none: T,
  sizeOf: (value: T) => number,
  seconds: number,
): (namespace: string, name: string) => Promise<T> {
  const known = createLru<{ readonly value: T }>(mostBytes);
  const reading = new Map<string, Promise<T>>();
  return async (namespace, name) => {
    const key = `${namespace}/${name}`;
    const remembered = known.get(key);
    if (remembered) return remembered.value;
    const asked =
      reading.get(key) ??
      read(namespace, name)
        .catch(() => none)
        .then((value) => {
          reading.delete(key);
          known.set(key, { value }, seconds, 200 + key.length + sizeOf(value));
          return value;
        });
    reading.set(key, asked);
    return await asked;
  };
}
