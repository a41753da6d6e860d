import type { ProcRoot } from '../proc/root.ts';
import { ticksPerSecond } from '../proc/stat.ts';
import { ProcessTable } from '../proc/table.ts';
import { adviceFor, type ParentFacts } from './advice.ts';
import { shownCommandLine } from './cmdline.ts';
import { Forecaster } from './forecaster.ts';
import { boundedGroups, type Group } from './groups.ts';
import { HiddenThreads, nodeCounts } from './hidden-threads.ts';
import { Inits } from './inits.ts';
import { Kin } from './kin.ts';
import type { Limits } from './limits.ts';
import { isPause, type Place } from './place.ts';
import type { PodDirectory, PodFacts } from './pod-facts.ts';
import { probeInStep } from './probe-in-step.ts';
import { checkRemedy } from './remedy-check.ts';
import type { Parent, RemedyCheck, ScanReport, ZombieGroup } from './report.ts';
import { Zombies } from './zombies.ts';

/** Time as a scanner needs it; tests bring their own. */
export interface ScanClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Seconds since any fixed moment; it never goes back, whatever is done to the other. */
  seconds(): number;
}

/** The clock of this machine. With `performance` Node loads all that measures it, 1 MiB. */
const systemScanClock: ScanClock = {
  now: () => Date.now(),
  seconds: () => process.uptime(),
};

/** What a scanner looks at. */
export interface ScannerOptions {
  readonly proc: ProcRoot;
  readonly limits: Limits;
  /** The name of the node, null where it has none. */
  readonly node: string | null;
  readonly clock?: ScanClock;
}

/** A scanner of one node, which remembers what it saw. */
export interface Scanner {
  /**
   * Looks at every process.
   *
   * @param pods The pods of the node, as far as their names are known.
   * @returns The zombies that were there at the look before, too. The first look finds none.
   * @throws if the processes cannot be listed.
   */
  look(pods: PodDirectory): ScanReport;
}

/** The period of exec probes that set none, in seconds. */
const defaultProbePeriod = 10;
/** A zombie of so many probe periods is there to stay. */
const settledPeriods = 2;
/** Longer periods than this do not hold a forecast up. */
const longestPeriod = 300;

/**
 * Makes a scanner. It spawns nothing, and needs no root, no capability and no socket of a runtime.
 *
 * @param options What it looks at.
 */
export function createScanner({ proc, limits, node, clock = systemScanClock }: ScannerOptions): Scanner {
  const zombies = new Zombies();
  const inits = new Inits();
  const forecaster = new Forecaster(limits);
  const hidden = new HiddenThreads();
  let [table, spare] = [new ProcessTable(), new ProcessTable()];
  let looks = 0;

  return {
    look(pods) {
      const countsBefore = nodeCounts(proc);
      proc.readTable(spare);
      const counts = nodeCounts(proc);
      [table, spare] = [spare, table];
      const before = looks === 0 ? null : spare;
      looks += 1;
      const kin = new Kin(proc, table);

      const now = clock.now();
      const uptime = proc.uptimeSeconds() ?? now / 1000 - proc.bootTime;
      const ageOf = (startTime: number) => Math.max(0, uptime - startTime / ticksPerSecond);
      const settledAges = new Map<string | null, number>();
      const isSettled = (startTime: number, { podUid }: Place) => {
        const known = settledAges.get(podUid);
        const enough = known ?? settledAge(podUid, pods);
        if (known === undefined) settledAges.set(podUid, enough);
        return ageOf(startTime) >= enough;
      };
      const counted = boundedGroups(zombies.update(table, before, kin, isSettled));
      const unreadable = table.failed + hidden.least(table.threads, countsBefore, counts);
      const nodeThreads = counts.threads ?? table.threads;
      const outlook = forecaster.take(clock.seconds(), counted, pods, { nodeThreads, unreadable });
      const groups = counted
        .map((group) => describe(group, { kin, pods, newPerHour: outlook.growthOf(group), ageOf }))
        .sort((a, b) => b.count - a.count || (b.oldestSeconds ?? 0) - (a.oldestSeconds ?? 0));
      return {
        schemaVersion: 1,
        node,
        time: new Date(now).toISOString(),
        pids: outlook.pids,
        zombies: groups.reduce((sum, { count }) => sum + count, 0),
        groups,
        limits: outlook.limitUses,
        remedies: checkRemedies(pods, groups, () => inits.find(table, kin)),
        notes: notesOn(unreadable, pods),
      };
    },
  };
}

function settledAge(podUid: string | null, pods: PodDirectory): number {
  const probes = (podUid === null ? null : pods.byUid(podUid))?.containers.flatMap(
    (container) => container.probes,
  );
  const period = Math.max(defaultProbePeriod, ...(probes ?? []).map(({ periodSeconds }) => periodSeconds));
  return settledPeriods * Math.min(period, longestPeriod);
}

interface Setting {
  readonly kin: Kin;
  readonly pods: PodDirectory;
  readonly newPerHour: number | null;
  /** Seconds since a process started. */
  readonly ageOf: (startTime: number) => number;
}

function describe(group: Group, { kin, pods, newPerHour, ageOf }: Setting): ZombieGroup {
  const { place, kind, ppid } = group;
  const { pod, container } = namesOf(group, pods);
  const facts = parentFacts(ppid, kin, pods);
  const mayBeProbe = kind.kind === 'orphan' && pod !== null;
  const probe = mayBeProbe ? probeInStep(newPerHour, pod, container) : null;
  return {
    count: group.count,
    kind: kind.kind,
    certain: kind.certain,
    oldestSeconds: Math.round(ageOf(group.oldestStart)),
    newPerHour,
    parent: facts === null ? null : parentOf(facts, kin),
    container,
    containerId: place.containerId,
    pod: pod?.name ?? null,
    podUid: pod?.uid ?? place.podUid,
    namespace: pod?.namespace ?? null,
    owner: pod?.owner ?? null,
    labels: pod?.labels ?? null,
    fixableBy: kind.fixableBy,
    advice: adviceFor({
      kind,
      parent: facts,
      pod,
      inPod: place.podUid !== null,
      container,
      probe,
      parents: group.parents,
    }),
    evidence: place.evidence,
    probe,
    comms: group.comms,
    pids: group.pids,
  };
}

/** Names of what /proc knows by UID and container ID only. */
function namesOf(
  { place: { podUid, containerId } }: Group,
  pods: PodDirectory,
): { pod: PodFacts | null; container: string | null } {
  const known = containerId === null ? null : pods.byContainerId(containerId);
  const pod = known?.pod ?? (podUid === null ? null : pods.byUid(podUid));
  return { pod, container: known?.container.name ?? null };
}

function parentFacts(pid: number, kin: Kin, pods: PodDirectory): ParentFacts | null {
  const process = kin.stat(pid);
  if (process === null) return null;
  const argv = kin.commandLine(pid);
  const { comm, state } = process;
  return {
    pid,
    comm,
    argv,
    state,
    isPause: isPause(pid, kin) && !isContainer(pid, kin, pods),
    isNested: isNestedInit(pid, kin),
    ignoresChildren: ignoresChildren(pid, kin),
  };
}

/** Whether a process is in one of the containers of a known pod: the sandbox is in none of them. */
function isContainer(pid: number, kin: Kin, pods: PodDirectory): boolean {
  const id = kin.podCgroup(pid)?.containerId ?? null;
  return id !== null && pods.byContainerId(id) !== null;
}

/** Whether there is another PID 1 of the same pod above this one. */
function isNestedInit(pid: number, kin: Kin): boolean {
  const podUid = kin.podCgroup(pid)?.podUid ?? null;
  if (podUid === null || kin.isPid1(pid) !== true) return false;
  for (const { pid: above } of kin.above(pid)) {
    if (kin.podCgroup(above)?.podUid !== podUid) return false;
    if (kin.isPid1(above) === true) return true;
  }
  return false;
}

/**
 * A program that neither handles, ignores nor blocks SIGCHLD, and does not wait in the kernel, reaped in no test. An
 * unprivileged reader sees `0` in place of what it waits for.
 */
function ignoresChildren(pid: number, kin: Kin): boolean | null {
  const status = kin.status(pid);
  if (status === null) return null;
  const { caught, ignored, blocked } = status.sigchld;
  if (caught || ignored || blocked) return false;
  const channel = kin.waitChannel(pid);
  if (channel === null) return null;
  return channel !== 'do_wait' && channel !== 'do_sigtimedwait';
}

function parentOf({ pid, comm, argv }: ParentFacts, kin: Kin): Parent {
  return {
    pid,
    comm,
    cmdline: argv === null ? null : shownCommandLine(argv),
    isPid1: kin.isPid1(pid),
    ancestors: kin.ancestors(pid),
  };
}

function checkRemedies(
  pods: PodDirectory,
  groups: readonly ZombieGroup[],
  findInits: () => ReturnType<Inits['find']>,
): RemedyCheck[] {
  const injected = [...pods.all()].filter((pod) => pod.injected !== null);
  if (injected.length === 0) return [];
  const inits = findInits();
  const groupsByPod = Map.groupBy(groups, ({ podUid }) => podUid);
  return injected.flatMap(
    (pod) => checkRemedy(pod, inits.get(pod.uid) ?? [], groupsByPod.get(pod.uid) ?? []) ?? [],
  );
}

/** Runtime classes whose processes run in a guest or a sandbox of their own. */
const sandboxed = /kata|gvisor|runsc|firecracker|confidential/i;

function notesOn(unreadable: number, pods: PodDirectory): string[] {
  const guests = [...pods.all()].filter(({ runtimeClassName }) => sandboxed.test(runtimeClassName ?? ''));
  const classes = [...new Set(guests.map(({ runtimeClassName }) => runtimeClassName))];
  return [
    ...(unreadable > 0
      ? [
          'Some processes could not be looked at: /proc may be mounted with hidepid, or be that of a container.',
        ]
      : []),
    ...(guests.length > 0
      ? [
          `Pods in a sandbox of their own, whose processes are not observable from the node: ${guests.length} ` +
            `(runtime class ${classes.join(', ')}).`,
        ]
      : []),
  ];
}
