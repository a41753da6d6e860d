import { longRunning, type Pod } from '../pod/pod.ts';
import type { Policy } from '../policy/policy.ts';
import type { Reason } from '../reasons.ts';
import { findInjection } from './injection.ts';
import { statusRemedy } from './status.ts';

/** Controllers of Kubernetes itself, which never compare a pod with their template. */
const nativeControllers = new Set([
  'ReplicaSet.apps',
  'StatefulSet.apps',
  'DaemonSet.apps',
  'Job.batch',
  'ReplicationController',
]);

/**
 * Says why a pod is skipped as a whole, before any container is looked at.
 *
 * @param pod The pod.
 * @param policy What holds for it.
 * @returns The first reason that matches, or null where the containers decide.
 */
export function reasonToSkip(pod: Pod, policy: Policy): Reason | null {
  const auto = policy.strategy === 'auto';
  if (policy.skipped) return policy.skipped;
  if (pod.mirror) return 'mirror-pod';
  if (isWindows(pod)) return 'windows';
  if (auto && hasForeignController(pod, policy)) return 'foreign-controller';
  if (pod.spec.hostPID) return 'host-pid';
  if (pod.spec.shareProcessNamespace && !(auto && sidecarArrived(pod))) return 'already-shared';
  const runtimeClass = pod.spec.runtimeClassName;
  if (runtimeClass && !policy.config.allowedRuntimeClasses.includes(runtimeClass)) return 'runtime-class';
  if (longRunning(pod).length === 0 || pod.lost.some(decidesAboutSafety)) return 'unjudgeable';
  return null;
}

/** Whether a controller may compare the pod with its template and recreate it endlessly. */
export function hasForeignController({ controller }: Pod, { config }: Policy): boolean {
  if (!controller) return false;
  const name = controller.group ? `${controller.kind}.${controller.group}` : controller.kind;
  if (config.excludedControllers.includes(name)) return true;
  return !nativeControllers.has(name) && !config.allowedControllers.includes(name);
}

/**
 * Whether a second container joined a pod whose namespace an earlier round shared because it had only one. The one
 * decision that trusts the status annotation: nothing else tells who set the field.
 */
export function sidecarArrived(pod: Pod): boolean {
  if (!pod.spec.shareProcessNamespace) return false;
  return longRunning(pod).length > 1 && statusRemedy(pod) === 'share-pid';
}

/** Whether an earlier round changed the pod, and it still is so. Of a shared namespace only the annotation tells. */
export function bearsRemedy(pod: Pod): boolean {
  const shares = pod.spec.shareProcessNamespace === true && statusRemedy(pod) === 'share-pid';
  return shares || findInjection(pod) !== null;
}

/** Whether a field that could not be read might have forbidden the remedy; a stranger's label might not. */
function decidesAboutSafety(at: string): boolean {
  return !/\/metadata\/(labels|annotations)\//.test(at);
}

function isWindows({ spec, containers }: Pod): boolean {
  const osKeys = ['kubernetes.io/os', 'beta.kubernetes.io/os'];
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return (
    spec.os?.name === 'windows' ||
    osKeys.some((key) => spec.nodeSelector?.[key] === 'windows') ||
    Object.hasOwn(spec.nodeSelector ?? {}, 'node.kubernetes.io/windows-build') ||
    terms.some(({ matchExpressions }) =>
      matchExpressions?.some(
        ({ key, operator, values }) =>
          osKeys.includes(key) &&
          ((operator === 'In' && values?.includes('windows') === true) ||
            (operator === 'NotIn' && values?.includes('linux') === true)),
      ),
    ) ||
    Boolean(spec.securityContext?.windowsOptions) ||
    containers.some(({ fields }) => Boolean(fields.securityContext?.windowsOptions))
  );
}
