import type { Init } from './inits.ts';
import type { PodFacts } from './pod-facts.ts';
import type { RemedyCheck, ZombieGroup } from './report.ts';

/**
 * Says whether what was injected into a pod works: whether PID 1 is the one that it should be, and reaps.
 *
 * @param pod A pod.
 * @param inits PID 1 of each PID namespace that was seen in it.
 * @param groups The zombies in it.
 * @returns Null for a pod that nothing was injected into.
 */
export function checkRemedy(
  pod: PodFacts,
  inits: readonly Init[],
  groups: readonly ZombieGroup[],
): RemedyCheck | null {
  if (pod.injected === null) return null;
  const { remedy, containers } = pod.injected;
  const orphans = groups.filter(({ kind }) => kind === 'orphan');
  const finding =
    remedy === 'tini'
      ? tiniFinding(pod, new Set(containers), inits, orphans)
      : sharingFinding(inits, orphans);
  const { uid: podUid, namespace, name, owner } = pod;
  return { namespace, pod: name, podUid, owner, remedy, ...finding };
}

type Finding = Pick<RemedyCheck, 'works' | 'message'>;

function tiniFinding(
  pod: PodFacts,
  wrapped: ReadonlySet<string>,
  inits: readonly Init[],
  orphans: readonly ZombieGroup[],
): Finding {
  const names = new Map(pod.containers.flatMap(({ id, name }) => (id === null ? [] : [[id, name] as const])));
  const own = inits.flatMap((init) => {
    const name = names.get(init.containerId ?? '');
    return name !== undefined && wrapped.has(name) ? [{ ...init, name }] : [];
  });
  const stranger = own.find(({ role }) => role !== 'reaper');
  if (stranger) {
    return broken(`PID 1 of container ${stranger.name} is ${stranger.comm} (PID ${stranger.pid}), not tini.`);
  }
  const pids = new Set(own.map(({ pid }) => pid));
  const left = orphans.find(
    ({ container, parent }) => pids.has(parent?.pid ?? 0) || wrapped.has(container ?? ''),
  );
  if (left) return broken(`tini has left ${left.count} orphans in container ${left.container ?? 'unknown'}.`);
  return own.length === 0 ? unseen() : works('tini is PID 1, and no orphan is left.');
}

function sharingFinding(inits: readonly Init[], orphans: readonly ZombieGroup[]): Finding {
  const pause = inits.find(({ role }) => role === 'pause');
  const left = orphans.reduce((sum, { count }) => sum + count, 0);
  if (left > 0 && pause) {
    return broken(
      `PID 1 is the pause of the node (PID ${pause.pid}), and it has left ${left} orphans: it does not reap.`,
    );
  }
  const stranger = inits.find(({ role }) => role !== 'pause');
  if (stranger) {
    return broken(
      `${stranger.comm} (PID ${stranger.pid}) is PID 1 of a namespace of its own: it is not shared.`,
    );
  }
  if (left > 0) return broken(`${left} orphans are left.`);
  return pause ? works('pause is PID 1 of the shared namespace, and no orphan is left.') : unseen();
}

function works(message: string): Finding {
  return { works: true, message };
}

function broken(message: string): Finding {
  return { works: false, message };
}

function unseen(): Finding {
  return { works: null, message: 'No PID 1 of it was seen on this node.' };
}
