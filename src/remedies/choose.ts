import type { Pod } from '../pod/pod.ts';
import type { Note } from '../policy/note.ts';
import type { Policy } from '../policy/policy.ts';
import type { Reason } from '../reasons.ts';
import { type ContainerFacts, longRunningFacts } from './facts.ts';
import { hasForeignController, sidecarArrived } from './pod-reason.ts';
import { agreedReason, type ContainerDecision, type Remedy, type RemedyKind } from './remedy.ts';

/**
 * Chooses the remedy for a pod: what is done to it and to each container, and why.
 *
 * @param pod The pod.
 * @param policy What holds for it.
 * @param skipped Why the pod is skipped as a whole, or null; `reasonToSkip` says it.
 * @param facts The facts of every container, one-shot init containers included.
 */
export function chooseRemedy(
  pod: Pod,
  policy: Policy,
  skipped: Reason | null,
  facts: readonly ContainerFacts[],
): Remedy {
  const remedy = (
    kind: RemedyKind | null,
    reason: Reason,
    containers: readonly ContainerDecision[],
    notes: readonly Note[] = [],
  ): Remedy => ({
    strategy: policy.strategy,
    kind,
    reason,
    containers,
    notes: policy.strategy ? [...unreadableNotes(pod), ...notes] : notes,
  });
  if (skipped) return remedy(null, skipped, []);
  const running = longRunningFacts(facts);
  switch (policy.strategy) {
    case 'share-pid':
      return shareByLabel(pod, facts, running, remedy);
    case 'tini':
      return wrapByLabel(pod, policy, running, remedy);
    default:
      return chooseForItself(pod, facts, running, remedy);
  }
}

type MakeRemedy = (
  kind: RemedyKind | null,
  reason: Reason,
  containers: readonly ContainerDecision[],
  notes?: readonly Note[],
) => Remedy;

/** The reason that is shown for a container: the first that matches, for the choice of tini. */
export function reasonFor(facts: ContainerFacts, minds: { shells: boolean }): Reason {
  if (facts.skippedByAnnotation) return 'skip-container';
  if (facts.injected) return 'already-injected';
  if (facts.unreadable) return 'unjudgeable';
  if (facts.hasInit) return 'already-init';
  if (facts.needsPid1) return 'needs-pid-1';
  if (facts.pid1 === 'reaps') return 'pid1-reaps';
  if (facts.changesUid) return 'uid-change';
  if (facts.looksAtPid1) return 'uses-pid-1';
  if (facts.localhostProfile) return 'localhost-profile';
  if (facts.setsTiniEnv) return 'tini-env';
  if (facts.shellStays && minds.shells) return 'shell-not-exec';
  return facts.argvKnown ? 'argv-known' : 'argv-unknown';
}

function chooseForItself(
  pod: Pod,
  facts: readonly ContainerFacts[],
  running: readonly ContainerFacts[],
  remedy: MakeRemedy,
): Remedy {
  const arrived = sidecarArrived(pod);
  const bare = pod.controller === null;
  const reasons = running.map((each) => reasonFor(each, { shells: true }));
  const wouldShare = reasons.some((reason) => reason === 'uid-change' || (bare && reason === 'argv-known'));
  if (wouldShare && !arrived && mayShare(facts, running)) {
    const because = reasons.includes('uid-change') ? 'uid-change' : 'bare-pod';
    if (pod.spec.shareProcessNamespace === false) {
      return remedy(
        null,
        'sharing-refused',
        decide(running, () => ['none', 'sharing-refused']),
      );
    }
    return remedy(
      'share-pid',
      because,
      decide(running, () => ['share-pid', because]),
    );
  }
  const decisions = decide(running, (_, index) => {
    const reason = reasons[index] ?? 'argv-unknown';
    if (reason !== 'argv-known') return ['none', reason];
    return bare ? ['none', 'bare-pod'] : ['tini', 'argv-known'];
  });
  return remedy(kindOf(decisions), arrived ? 'sidecar-arrived' : agreedReason(decisions), decisions);
}

function wrapByLabel(
  pod: Pod,
  policy: Policy,
  running: readonly ContainerFacts[],
  remedy: MakeRemedy,
): Remedy {
  const decisions = decide(running, (facts) => {
    const reason = reasonFor(facts, { shells: false });
    return reason === 'argv-known' ? ['tini', 'chosen-by-label'] : ['none', reason];
  });
  const kind = kindOf(decisions);
  const notes: Note[] = [];
  if (kind && pod.controller === null) notes.push(note('bare-pod'));
  if (kind && hasForeignController(pod, policy)) notes.push(note('foreign-controller'));
  running.forEach((facts, index) => {
    if (decisions[index]?.action === 'tini' && facts.shellStays) {
      notes.push(note('shell-not-exec', facts.container.name));
    }
  });
  return remedy(kind, kind ? 'chosen-by-label' : agreedReason(decisions), decisions, notes);
}

function shareByLabel(
  pod: Pod,
  facts: readonly ContainerFacts[],
  running: readonly ContainerFacts[],
  remedy: MakeRemedy,
): Remedy {
  const none = (reason: Reason) =>
    remedy(
      null,
      reason,
      decide(running, () => ['none', reason]),
    );
  if (facts.some((each) => each.needsPid1)) return none('needs-pid-1');
  if (facts.some((each) => each.unreadable)) return none('unjudgeable');
  if (running.some((each) => each.skippedByAnnotation)) return none('skip-container');
  if (running.every((each) => each.injected)) return none('already-injected');
  if (running.every((each) => each.injected || each.hasInit)) return none('already-init');
  const notes: Note[] = running.length > 1 ? [note('shares-secrets')] : [];
  if (pod.controller === null && pod.spec.shareProcessNamespace === false) notes.push(note('bare-pod'));
  for (const { container, looksAtPid1, touchesPid1, shellStays } of running) {
    if (looksAtPid1 || touchesPid1) notes.push(note('uses-pid-1', container.name));
    if (shellStays) notes.push(note('shell-not-exec', container.name));
  }
  return remedy(
    'share-pid',
    'chosen-by-label',
    decide(running, () => ['share-pid', 'chosen-by-label']),
    notes,
  );
}

/**
 * Whether auto may share the PID namespace: one long-running container whose argv is known, in which nothing is or
 * touches PID 1 and no shell would die of its new signals. The one-shot init containers run in the shared
 * namespace too.
 */
function mayShare(facts: readonly ContainerFacts[], running: readonly ContainerFacts[]): boolean {
  const only = running.length === 1 ? running[0] : undefined;
  return (
    only?.argvKnown === true &&
    !only.shellStays &&
    !only.unreadable &&
    facts.every((each) => each.argv && !each.needsPid1 && !each.touchesPid1 && !each.unreadable)
  );
}

function decide(
  running: readonly ContainerFacts[],
  of: (facts: ContainerFacts, index: number) => readonly [ContainerDecision['action'], Reason],
): readonly ContainerDecision[] {
  return running.map((facts, index) => {
    const [action, reason] = of(facts, index);
    return { name: facts.container.name, action, reason };
  });
}

function kindOf(decisions: readonly ContainerDecision[]): RemedyKind | null {
  return decisions.some(({ action }) => action === 'tini') ? 'tini' : null;
}

function unreadableNotes(pod: Pod): readonly Note[] {
  const ofPod = pod.lost.map((at) => ({ ...note('unjudgeable'), detail: lostField(at) }));
  const ofContainers = pod.containers.flatMap(({ name, lost }) =>
    lost.map((at) => ({ ...note('unjudgeable', name), detail: lostField(at) })),
  );
  return [...ofPod, ...ofContainers];
}

function lostField(at: string): string {
  return `${at || 'the object'} does not have the type that the Kubernetes API gives it`;
}

function note(reason: Reason, container: string | null = null): Note {
  return { reason, container, detail: null };
}
