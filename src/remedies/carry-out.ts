import { type Container, longRunning, type Pod } from '../pod/pod.ts';
import type { Policy } from '../policy/policy.ts';
import { appliesCleanly } from './check-patch.ts';
import type { ContainerFacts } from './facts.ts';
import type { Injection } from './injection.ts';
import { agreedReason, type ContainerDecision, type Operation, type Remedy } from './remedy.ts';
import { sharePid, unsharePid } from './share-pid.ts';
import { removeStatus, statusOperations } from './status.ts';
import { blockedContainers, tini } from './tini.ts';

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
  const attempt = attemptFor(pod, policy, withoutBlocked(pod, remedy, injection), facts, injection);
  if (attempt.operations.length === 0 || appliesCleanly(pod, attempt.operations)) return attempt;
  const containers = remedy.containers.map((decision) =>
    decision.action === 'none' ? decision : unsafe(decision),
  );
  return { remedy: { ...remedy, kind: null, reason: 'patch-unsafe', containers }, operations: [] };
}

/** Takes the containers out whose own mounts leave no room for tini's; the others are wrapped all the same. */
function withoutBlocked(pod: Pod, remedy: Remedy, injection: Injection | null): Remedy {
  if (remedy.kind !== 'tini') return remedy;
  const decisions = decisionsByContainer(pod, remedy);
  const wrapped = [...decisions].flatMap(([container, { action }]) => (action === 'tini' ? [container] : []));
  const blocked = blockedContainers(wrapped, injection);
  if (blocked.size === 0) return remedy;
  const containers = [...decisions].map(([container, decision]) =>
    blocked.has(container) ? unsafe(decision) : decision,
  );
  const kind = blocked.size < wrapped.length ? 'tini' : null;
  const isOfPod = remedy.reason === 'chosen-by-label' && kind !== null;
  const reason = isOfPod || remedy.reason === 'sidecar-arrived' ? remedy.reason : agreedReason(containers);
  return { ...remedy, kind, reason, containers };
}

function unsafe(decision: ContainerDecision): ContainerDecision {
  return { ...decision, action: 'none', reason: 'patch-unsafe' };
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
): CarriedOut {
  if (remedy.kind === 'share-pid') {
    const names = remedy.containers.map(({ name }) => name);
    return { remedy, operations: [...sharePid(pod), ...statusOperations(pod, remedy, names)] };
  }
  const decisions = decisionsByContainer(pod, remedy);
  const wrapped = facts.filter(({ container }) => decisions.get(container)?.action === 'tini');
  const injected = facts.filter((each) => each.injected && decisions.has(each.container));
  const wraps = wrapped.flatMap(({ container, argv }) => (argv ? [{ container, argv: argv.asFields }] : []));
  const wrapping = wraps.length + injected.length > 0 ? tini(pod, wraps, injection, policy.config.tini) : [];
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
