import type { Pod } from '../pod/pod.ts';
import type { Policy } from '../policy/policy.ts';
import { appliesCleanly } from './check-patch.ts';
import { type ContainerFacts, longRunningFacts } from './facts.ts';
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
  const running = longRunningFacts(facts);
  const attempt = attemptFor(pod, policy, withoutBlocked(remedy, running, injection), running, injection);
  if (attempt.operations.length === 0 || appliesCleanly(pod, attempt.operations)) return attempt;
  const containers = remedy.containers.map((decision) =>
    decision.action === 'none' ? decision : unsafe(decision),
  );
  return { remedy: { ...remedy, kind: null, reason: 'patch-unsafe', containers }, operations: [] };
}

/** Takes the containers out whose own mounts leave no room for tini's; the others are wrapped all the same. */
function withoutBlocked(
  remedy: Remedy,
  running: readonly ContainerFacts[],
  injection: Injection | null,
): Remedy {
  if (remedy.kind !== 'tini') return remedy;
  const wrapped = wrappedBy(remedy, running).map(({ container }) => container);
  const blocked = blockedContainers(wrapped, injection);
  if (blocked.size === 0) return remedy;
  const containers = remedy.containers.map((decision, index) => {
    const container = running[index]?.container;
    return container && blocked.has(container) ? unsafe(decision) : decision;
  });
  const kind = blocked.size < wrapped.length ? 'tini' : null;
  const isOfPod = remedy.reason === 'chosen-by-label' && kind !== null;
  const reason = isOfPod || remedy.reason === 'sidecar-arrived' ? remedy.reason : agreedReason(containers);
  return { ...remedy, kind, reason, containers };
}

function unsafe(decision: ContainerDecision): ContainerDecision {
  return { ...decision, action: 'none', reason: 'patch-unsafe' };
}

/** The containers that a remedy puts tini into, of the long-running ones, which its decisions are about in turn. */
function wrappedBy({ containers }: Remedy, running: readonly ContainerFacts[]): readonly ContainerFacts[] {
  return running.filter((_, index) => containers[index]?.action === 'tini');
}

function attemptFor(
  pod: Pod,
  policy: Policy,
  remedy: Remedy,
  running: readonly ContainerFacts[],
  injection: Injection | null,
): CarriedOut {
  if (remedy.kind === 'share-pid') {
    const names = remedy.containers.map(({ name }) => name);
    return { remedy, operations: [...sharePid(pod), ...statusOperations(pod, remedy, names)] };
  }
  const wrapped = wrappedBy(remedy, running);
  const injected = running.filter((each, index) => each.injected && remedy.containers[index] !== undefined);
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
