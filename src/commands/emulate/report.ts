import type { PidLimit } from '../../emulate/limits.ts';
import type { Unavailable } from '../../emulate/unavailable.ts';
import type { Count, Zombie } from '../../emulate/zombies.ts';
import { escapeText, table, terminalOf } from '../../terminal.ts';
import { type Memory, memoryLine } from './memory.ts';

/** A cgroup that was made for the zombies alone. */
export interface OwnCgroup {
  readonly path: string;
  /** What it counts: all of its processes and threads, zombies included. */
  readonly processes: number | null;
  /** The most it lets there be. */
  readonly limit: number | null;
}

/** What there is to see once the zombies are there. */
export interface Scene {
  readonly pid1: number;
  readonly init: string | null;
  readonly asked: Count;
  readonly there: Count;
  readonly zombies: readonly Zombie[];
  /** Null where they run in the cgroup of this command. */
  readonly cgroup: OwnCgroup | null;
  /** The limit on processes that is reached first. */
  readonly limit: PidLimit | null;
  readonly memory: Memory;
}

/** What is there once they are gone. */
export interface End {
  /** Processes of the namespace that /proc still shows. */
  readonly left: number;
  /** The cgroup, if it could not be removed. */
  readonly cgroupLeft: string | null;
}

/** How the events of the command are told; each answers what to print. */
export interface Report {
  /** @param name Answers the PID and the name of a process. */
  started(scene: Scene, seconds: number, name: (pid: number) => string): string;
  interrupted(): string;
  unavailable(obstacle: Unavailable): string;
  ended(end: End): string;
}

export const jsonReport: Report = {
  started: ({ cgroup, ...scene }) => jsonLine({ event: 'started', ...scene, cgroup: cgroup?.path ?? null }),
  interrupted: () => jsonLine({ event: 'interrupted' }),
  unavailable: (obstacle) => jsonLine({ event: 'unavailable', ...obstacle }),
  ended: (end) => jsonLine({ event: 'ended', ...end }),
};

function jsonLine(value: object): string {
  return `${JSON.stringify({ schemaVersion: 1, ...value })}\n`;
}

export const textReport: Report = {
  started: (scene, seconds, name) =>
    [
      `PID 1 of the new namespace is ${name(scene.pid1)}.`,
      cgroupLine(scene.cgroup),
      ...kindLines(scene),
      '',
      ...zombieTable(scene.zombies, name),
      ...(scene.zombies.length > 0 ? ['', `The same with ps: ${psCommand(scene.zombies)}`] : []),
      memoryLine(scene.memory, scene.there),
      `They stay for ${seconds} s; Ctrl-C ends it sooner.`,
      '',
    ].join('\n'),
  interrupted: () => 'Interrupted before all of them were made; the namespace has ended.\n',
  // What is said on stderr is enough for people.
  unavailable: () => '',
  ended: ({ left, cgroupLeft }) =>
    `The namespace has ended. Left of its processes in /proc: ${left}.\n` +
    (cgroupLeft === null ? '' : `The cgroup ${cgroupLeft} could not be removed: remove it with rmdir.\n`),
};

function cgroupLine(cgroup: OwnCgroup | null): string {
  if (cgroup === null) return 'It runs in the cgroup of this command: none of its own can be made here.';
  const { path, processes, limit } = cgroup;
  return `Its cgroup ${path} counts ${processes ?? '?'} processes and allows ${limit ?? '?'}.`;
}

function kindLines({ asked, there, init }: Scene): string[] {
  const orphans =
    init === null
      ? 'PID 1 adopted them and never waits; an init in its place would reap them (--init tini).'
      : 'PID 1 is tini, which reaps what it adopts.';
  const unreaped = 'their parent lives and never waits, so no init can reap them.';
  return [
    ...(asked.orphans > 0 ? [`${there.orphans} of ${asked.orphans} orphans are there: ${orphans}`] : []),
    ...(asked.unreaped > 0
      ? [`${there.unreaped} of ${asked.unreaped} unreaped children are there: ${unreaped}`]
      : []),
  ];
}

const SHOWN = 20;

function zombieTable(zombies: readonly Zombie[], name: (pid: number) => string): string[] {
  if (zombies.length === 0) return ['No zombie is there.'];
  const parents = new Map(zombies.map(({ ppid }) => [ppid, name(ppid)]));
  const rows = zombies
    .slice(0, SHOWN)
    .map(({ kind, pid, ppid, comm }) => [kind, String(pid), escapeText(comm), parents.get(ppid) ?? '']);
  const more = zombies.length - SHOWN;
  return [
    table([['KIND', 'PID', 'COMMAND', 'PARENT'], ...rows], terminalOf(process.stdout)).trimEnd(),
    ...(more > 0 ? [`… and ${more} more`] : []),
  ];
}

function psCommand(zombies: readonly Zombie[]): string {
  const parents = new Set(zombies.map(({ ppid }) => ppid));
  return `ps -o pid,ppid,stat,comm --ppid ${[...parents].join(',')}`;
}
