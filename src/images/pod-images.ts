import { isJsonObject, objectAt } from '../pod/json.ts';
import type { Pod } from '../pod/pod.ts';

/** More pull secrets than any pod has; each of them is read. */
const mostSecrets = 16;

/** Names of the Secrets that the pod's images are pulled with, in the order in which the kubelet tries them. */
export function pullSecretNames({ raw }: Pod): readonly string[] {
  return secretNamesIn(objectAt(raw, 'spec').imagePullSecrets);
}

/**
 * The names in a field `imagePullSecrets`, of a pod or of a service account.
 *
 * @param list What the field holds.
 */
export function secretNamesIn(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return [];
  const names = list.flatMap((entry: unknown) =>
    isJsonObject(entry) && typeof entry.name === 'string' && isName(entry.name) ? [entry.name] : [],
  );
  return [...new Set(names)].slice(0, mostSecrets);
}

/**
 * The service account whose pull secrets the pods of a template will be pulled with: where a pod names none, admission
 * gives it those of its service account (Kubernetes, plugin/pkg/admission/serviceaccount). A pod has been through that.
 *
 * @returns Null where the template names pull secrets itself, or is a pod.
 */
export function serviceAccountOf({ raw, base }: Pod): string | null {
  const { imagePullSecrets, serviceAccountName, serviceAccount } = objectAt(raw, 'spec');
  if (base === '' || (Array.isArray(imagePullSecrets) && imagePullSecrets.length > 0)) return null;
  // The second is the old name of the field.
  const name = serviceAccountName || serviceAccount || 'default';
  return typeof name === 'string' && isName(name) ? name : null;
}

/** Names go into paths of the API server: what is none is not asked for. */
function isName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name);
}

/** The architecture of the nodes that a pod asks for; null where it does not say. */
export function architectureOf({ spec }: Pod): string | null {
  const architecture = spec.nodeSelector?.['kubernetes.io/arch'] ?? requiredArchitecture(spec);
  return architecture && /^[a-z0-9]{1,20}$/.test(architecture) ? architecture : null;
}

/** The one that every term of the required node affinity names alone. */
function requiredArchitecture({ affinity }: Pod['spec']): string | null {
  const terms =
    affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const named = terms.map(({ matchExpressions }) => {
    const expression = matchExpressions?.find(
      ({ key, operator, values }) =>
        key === 'kubernetes.io/arch' && operator === 'In' && values?.length === 1,
    );
    return expression?.values?.[0] ?? null;
  });
  const [first = null] = named;
  return named.every((architecture) => architecture === first) ? first : null;
}
