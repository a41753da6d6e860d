import { type Container, longRunning, type Pod } from '../pod/pod.ts';
import type { Policy } from '../policy/policy.ts';
import { appliesCleanly } from './check-patch.ts';
import type { ContainerFacts } from './facts.ts';
import type { Injection } from './injection.ts';
import type { ContainerDecision, Operation, Remedy } from './remedy.ts';
import { sharePid, unsharePid } from './share-pid.ts';
import { removeStatus, statusOperations } from './status.ts';
import { tini } from './tini.ts';

/** A remedy and the operations that carry it out, below the pod's own object. */
export interface CarriedOut {
  readonly remedy: Remedy;
  readonly operations: readonly Operation[];
}

/**
 * Writes a remedy as operations and tries them in-process. A patch that would not apply cleanly, or would clash
 * with a name or a mount of the pod, is withdrawn with the reason `patch-unsafe`.
 *
 * @param pod The pod.
 * @param policy What holds for it.
 * @param remedy What was chosen.
 * @param facts The facts of its containers.
 * @param injection What an earlier round injected, or null; what is missing of it is put back.
 */
export function carryOut(
  pod: Pod,
  policy: Policy,
  remedy: Remedy,
  facts: readonly ContainerFacts[],
  injection: Injection | null,
): CarriedOut {
  const attempt = attemptFor(pod, policy, remedy, facts, injection);
  if (attempt && (attempt.operations.length === 0 || appliesCleanly(pod, attempt.operations))) return attempt;
  const containers = remedy.containers.map(
    (decision): ContainerDecision =>
      decision.action === 'none' ? decision : { ...decision, action: 'none', reason: 'patch-unsafe' },
  );
  return { remedy: { ...remedy, kind: null, reason: 'patch-unsafe', containers }, operations: [] };
}

/** The decision on each long-running container; empty where the pod was skipped as a whole. */
export function decisionsByContainer(pod: Pod, remedy: Remedy): ReadonlyMap<Container, ContainerDecision> {
  const running = longRunning(pod);
  return new Map(
    remedy.containers.flatMap((decision, index) => {
      const container = running[index];
      return container ? [[container, decision] as const] : [];
    }),
  );
}

function attemptFor(
  pod: Pod,
  policy: Policy,
  remedy: Remedy,
  facts: readonly ContainerFacts[],
  injection: Injection | null,
): CarriedOut | null {
  if (remedy.kind === 'share-pid') {
    const names = remedy.containers.map(({ name }) => name);
    return { remedy, operations: [...sharePid(pod), ...statusOperations(pod, remedy, names)] };
  }
  const decisions = decisionsByContainer(pod, remedy);
  const wrapped = facts.filter(({ container }) => decisions.get(container)?.action === 'tini');
  const injected = facts.filter((each) => each.injected && decisions.has(each.container));
  const wraps = wrapped.flatMap(({ container, argv }) => (argv ? [{ container, argv: argv.asFields }] : []));
  const wrapping = wraps.length + injected.length > 0 ? tini(pod, wraps, injection, policy.config.tini) : [];
  if (wrapping === null) return null;
  const unsharing = remedy.reason === 'sidecar-arrived' ? unsharePid() : [];
  if (wrapping.length === 0) {
    return { remedy, operations: unsharing.length > 0 ? [...unsharing, ...removeStatus(pod)] : [] };
  }
  const carried: Remedy = { ...remedy, kind: 'tini' };
  const names = [...injected, ...wrapped].map(({ container }) => container.name);
  return {
    remedy: carried,
    operations: [...unsharing, ...wrapping, ...statusOperations(pod, carried, names)],
  };
}
