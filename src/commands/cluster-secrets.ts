import { createPodSecrets, type SecretsOf } from '../images/pod-secrets.ts';
import type { ApiServer } from '../kube/api-server.ts';
import { readAccountPullSecrets, readPullSecret } from '../kube/secrets.ts';

/** Something that pull secrets come from and that could not be read. */
export interface UnreadSecret {
  readonly namespace: string;
  readonly kind: 'Secret' | 'ServiceAccount';
  readonly name: string;
}

/**
 * Finds the pull secrets of pods in a cluster; those that cannot be read are left out.
 *
 * @param api The API server.
 * @param seconds How long what was read counts.
 * @param failed Hears of what could not be read.
 */
export function clusterSecrets(
  api: ApiServer,
  seconds: number,
  failed: (unread: UnreadSecret, error: unknown) => void,
): SecretsOf {
  const telling =
    <T>(kind: UnreadSecret['kind'], read: (api: ApiServer, namespace: string, name: string) => Promise<T>) =>
    async (namespace: string, name: string): Promise<T> => {
      try {
        return await read(api, namespace, name);
      } catch (error) {
        failed({ namespace, kind, name }, error);
        throw error;
      }
    };
  return createPodSecrets(
    {
      readSecret: telling('Secret', readPullSecret),
      readServiceAccount: telling('ServiceAccount', readAccountPullSecrets),
    },
    seconds,
  );
}
