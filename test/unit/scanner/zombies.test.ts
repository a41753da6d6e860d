import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseCgroup } from '../../../src/proc/cgroup.ts';
import { ProcessTable } from '../../../src/proc/table.ts';
import type { Group } from '../../../src/scanner/groups.ts';
import { Kin } from '../../../src/scanner/kin.ts';
import { Zombies } from '../../../src/scanner/zombies.ts';
import { podUid, v2 } from './machine.ts';

interface Living {
  readonly ppid: number;
  readonly startTime: number;
  readonly isZombie: boolean;
}

/** The processes of one look by their PIDs. */
type Look = ReadonlyMap<number, Living>;

/** PID 1 of the machine, and two others that may be parents; they never die. */
const parents = [1, 2, 3];

const look = fc
  .array(
    fc.record({
      pid: fc.constantFrom(4, 5, 6),
      ppid: fc.constantFrom(...parents),
      startTime: fc.constantFrom(0, 1),
      isZombie: fc.constantFrom(true, true, true, false),
    }),
    { maxLength: 5 },
  )
  .map((processes): Look => new Map(processes.map(({ pid, ...living }) => [pid, living])));

function fill(table: ProcessTable, processes: Look): void {
  const all = new Map([...parents.map((pid) => [pid, alive(0)] as const), ...processes]);
  table.clear(all.size);
  for (const pid of [...all.keys()].sort((a, b) => a - b)) {
    const { ppid, startTime, isZombie } = all.get(pid) ?? alive(0);
    const state = isZombie ? 'Z' : 'S';
    table.add({ pid, ppid, startTime, state, threads: 1 }, isZombie ? 'sh' : null);
  }
}

function alive(ppid: number): Living {
  return { ppid, startTime: 0, isZombie: false };
}

/** Each start has a container of its own. */
const containerOf = (startTime: number): string => String(startTime).repeat(64).slice(0, 64);

function kinOf(table: ProcessTable, containerAt: (startTime: number) => string = containerOf): Kin {
  const startOf = (pid: number) => table.startTimeAt(table.indexOf(pid));
  const sigchld = { caught: false, ignored: false, blocked: false, pending: false };
  const rest = { comm: 'sh', state: 'S', threads: 1, flags: 0 };
  return new Kin(
    {
      isHost: () => true,
      cgroup: (pid) => parseCgroup(v2(podUid, containerAt(startOf(pid)))),
      commandLine: () => null,
      pidNamespace: () => null,
      waitChannel: () => null,
      status: (pid) => ({ state: 'S', threads: 1, uid: 0, nspid: [pid], sigchld }),
      stat: (pid) => ({ ...rest, pid, ppid: 0, startTime: startOf(pid) }),
    },
    table,
  );
}

interface Counted {
  readonly count: number;
  readonly certain: boolean;
  readonly settled: number;
}

const keyOf = (ppid: number, container: string | null) => `${ppid} ${container}`;

/** Zombies by parent and container, as somebody would count them who keeps all looks. */
function countedIn(looks: readonly Look[]): Map<string, Counted> {
  const [now, before] = [looks.at(-1) ?? new Map(), looks.at(-2) ?? new Map()];
  const counts = new Map<string, Counted>();
  for (const [pid, { ppid, startTime, isZombie }] of now) {
    const was = before.get(pid);
    if (!isZombie || was?.startTime !== startTime || !was.isZombie) continue;
    // Its life, backwards, as far as every look saw it.
    const since = looks.findLastIndex((each) => each.get(pid)?.startTime !== startTime) + 1;
    const life = looks.slice(since).map((each) => each.get(pid));
    const adopted = life.some((each) => each?.ppid !== ppid);
    const wasThere = since === 0 && life[0]?.isZombie === true;
    const key = keyOf(ppid, containerOf(startTime));
    const group = counts.get(key) ?? { count: 0, certain: true, settled: 0 };
    counts.set(key, {
      count: group.count + 1,
      certain: group.certain && (ppid !== 1 || adopted),
      settled: group.settled + (wasThere || startTime === 0 ? 1 : 0),
    });
  }
  return counts;
}

it('counts what somebody would count who keeps all looks', () => {
  fc.assert(
    fc.property(fc.array(look, { minLength: 1, maxLength: 8 }), (looks) => {
      const zombies = new Zombies();
      let [table, spare] = [new ProcessTable(), new ProcessTable()];
      let groups: readonly Group[] = [];
      for (const [index, processes] of looks.entries()) {
        [table, spare] = [spare, table];
        fill(table, processes);
        groups = zombies.update(table, index === 0 ? null : spare, kinOf(table), (start) => start === 0);
        const counts = groups.map(({ ppid, place, count, kind: { certain }, settled }): [string, Counted] => [
          keyOf(ppid, place.containerId),
          { count, certain, settled },
        ]);
        expect(new Map(counts)).toEqual(countedIn(looks.slice(0, index + 1)));
      }
    }),
    { numRuns: 2000 },
  );
});

it('names the oldest, and the most frequent names first', () => {
  const zombies = new Zombies();
  const processes: Look = new Map(
    [50, 40, 30, 30, 20, 10, 60].map((startTime, index) => [
      10 + index,
      { ppid: 2, startTime, isZombie: true },
    ]),
  );
  const [first, second] = [new ProcessTable(), new ProcessTable()];
  fill(first, processes);
  fill(second, processes);
  const kin = (table: ProcessTable) => kinOf(table, () => containerOf(0));
  zombies.update(first, null, kin(first), () => true);
  const [group] = zombies.update(second, first, kin(second), () => true);
  expect(group).toMatchObject({ count: 7, oldestStart: 10, pids: [15, 14, 12, 13, 11], comms: ['sh'] });
});
