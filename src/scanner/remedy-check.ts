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
      : sharingFinding(pod, inits, orphans);
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
  const own = outermost(inits, ({ containerId }) => containerId).flatMap((init) => {
    const name = names.get(init.containerId ?? '');
    return name !== undefined && wrapped.has(name) ? [{ ...init, name }] : [];
  });
  const stranger = own.find(({ role }) => role !== 'reaper');
  if (stranger) {
    return broken(`PID 1 of container ${stranger.name} is ${stranger.comm} (PID ${stranger.pid}), not tini.`);
  }
  const pids = new Set(own.map(({ pid }) => pid));
  const left = orphans.find(({ parent }) => pids.has(parent?.pid ?? 0));
  if (left) return broken(`tini has left ${left.count} orphans in container ${left.container ?? 'unknown'}.`);
  return own.length === 0 ? unseen() : works('tini is PID 1, and no orphan is left.');
}

function sharingFinding(pod: PodFacts, all: readonly Init[], zombies: readonly ZombieGroup[]): Finding {
  const containers = new Set(pod.containers.map(({ id }) => id));
  const inits = outermost(all, () => pod.uid);
  // What pause is called can be configured; but it is in none of the containers.
  const pause = inits.find(({ containerId }) => containerId !== null && !containers.has(containerId));
  const stranger = inits.find((init) => init !== pause);
  if (stranger) {
    return broken(
      `${stranger.comm} (PID ${stranger.pid}) is PID 1 of a namespace of its own: it is not shared.`,
    );
  }
  const left = zombies
    .filter(({ parent }) => parent === null || parent.pid === pause?.pid)
    .reduce((sum, { count }) => sum + count, 0);
  if (left === 0) {
    return pause ? works('pause is PID 1 of the shared namespace, and no orphan is left.') : unseen();
  }
  return pause
    ? broken(
        `PID 1 is the pause of the node (PID ${pause.pid}), and it has left ${left} orphans: it does not reap.`,
      )
    : broken(`${left} orphans are left.`);
}

/** Those that are below no other PID 1 of the same place: what programs make inside of a container is their own. */
function outermost(inits: readonly Init[], placeOf: (init: Init) => string | null): Init[] {
  return [...Map.groupBy(inits, placeOf).values()].flatMap((members) => {
    const least = Math.min(...members.map(({ depth }) => depth));
    return members.filter(({ depth }) => depth === least);
  });
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
