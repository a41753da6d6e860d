import type { Pid1 } from '../pid1.ts';
import type { Container, Pod } from '../pod/pod.ts';
import { type ContainerFacts, longRunningFacts } from './facts.ts';
import type { Remedy } from './remedy.ts';

/**
 * Says what PID 1 of each container does with orphans once a remedy is carried out.
 *
 * @param remedy The remedy, or null for the pod as it stands.
 * @param pod The pod.
 * @param facts The facts of its containers.
 */
export function pid1With(
  remedy: Remedy | null,
  pod: Pod,
  facts: readonly ContainerFacts[],
): (container: Container) => Pid1 {
  const takenBack = remedy?.reason === 'sidecar-arrived';
  const shared = remedy?.kind === 'share-pid' || (pod.spec.shareProcessNamespace === true && !takenBack);
  const byContainer = new Map(
    longRunningFacts(facts).map(({ container, injected, pid1 }, index) => {
      const wrapped = remedy?.containers[index]?.action === 'tini';
      return [container, shared || pod.spec.hostPID || injected || wrapped ? 'reaps' : pid1] as const;
    }),
  );
  return (container) => byContainer.get(container) ?? 'unknown';
}
