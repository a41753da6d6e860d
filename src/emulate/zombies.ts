import { setTimeout as delay } from 'node:timers/promises';
import { openProcRoot, type ProcRoot } from '../proc/root.ts';
import { ProcessTable } from '../proc/table.ts';
import { type KernelMemory, readKernelMemory, settled } from './kernel-memory.ts';
import { type Maker, MakerError, makersIn, startMaker, until } from './maker.ts';
import { entered, makeOwnCgroup, type OwnCgroup, removeOwnCgroup } from './own-cgroup.ts';
import { findProgram } from './programs.ts';
import { isIdle, type Member, treeOf } from './tree.ts';
import {
  brokeOff,
  needsLinux,
  needsProgram,
  readSetting,
  type Unavailable,
  whyForbidden,
} from './unavailable.ts';

/** How many zombies of each kind. */
export interface Count {
  /** Adopted by PID 1 of the namespace, which does not wait: an init there would have reaped them. */
  readonly orphans: number;
  /** Children of a parent that lives and never waits: no init can reap them. */
  readonly unreaped: number;
}

/** A zombie of an emulation; its PIDs are those seen from here, not from inside the namespace. */
export interface Zombie {
  /** `orphan`: its parent is PID 1, which adopted it. `unreaped-child`: its parent lives and never waits. */
  readonly kind: 'orphan' | 'unreaped-child';
  readonly pid: number;
  readonly ppid: number;
  readonly comm: string;
}

/**
 * An account of the kernel without zombies, and with so many orphans. Unreaped children come after that: their
 * parents live, and would be in the account too.
 */
export interface Measured {
  readonly orphans: number;
  readonly before: KernelMemory;
  readonly after: KernelMemory;
}

/** A PID namespace with real zombies in it. It dies with this process, also when that is killed. */
export interface Emulation {
  /** PID 1 of the new namespace, as seen from here. */
  readonly pid1: number;
  /** The folder of the pids cgroup that was made for it; null where it runs in that of this process. */
  readonly cgroup: string | null;
  /** How many orphans there were when what they cost was measured, and by which account; null if it was not. */
  readonly measured: Measured | null;
  /** The zombies that /proc shows now. */
  zombies(): Zombie[];
  /** How many zombies /proc shows now. */
  count(): Count;
  /** Ends the namespace with everything in it; answers how many of its processes /proc then still shows. */
  stop(): Promise<number>;
  /** Resolves when the namespace has ended, for whatever reason. */
  readonly ended: Promise<void>;
}

/** What to make. */
export interface EmulationOptions extends Count {
  /** The words of an init to put in front, such as `['/usr/bin/tini', '-s', '--']`; left out or null, none. */
  readonly init?: readonly string[] | null;
  /** Whether to measure what they cost the kernel, which takes a moment more. */
  readonly measure?: boolean;
  /** Ends the emulation when aborted. */
  readonly signal?: AbortSignal;
  /** The command that a person would run again once an obstacle is removed. */
  readonly again?: string;
}

/**
 * A child takes about 200 KiB until it dies, so only so many live at a time. Each batch of unreaped children has
 * a parent of its own.
 */
const BATCH = 500;

/** Room in the cgroup for what is there besides zombies and their parents: shells, `unshare` and an init. */
const OTHERS = 32;

/**
 * Makes real zombies in a user and PID namespace of their own, with nothing but `unshare` and a POSIX shell, and
 * waits until all of them have died and an init, if there is one, has reaped what it will.
 *
 * Nothing here needs root. /proc is not mounted anew, which a container's masked /proc would forbid: the
 * processes are looked at from outside.
 *
 * @returns The emulation, or why there can be none here.
 * @throws {RangeError} for a number that is no count.
 * @throws the signal's reason, if it is aborted before all are made.
 */
export async function startZombies(options: EmulationOptions): Promise<Emulation | Unavailable> {
  const { orphans, unreaped, init = null, measure = false, signal } = options;
  const { again = 'npm run -s gravekeeper -- emulate' } = options;
  for (const count of [orphans, unreaped]) {
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`${count} is no number of zombies`);
  }
  signal?.throwIfAborted();
  if (process.platform !== 'linux') return needsLinux(process.platform, again);
  if (findProgram('unshare') === null) return needsProgram('unshare', 'util-linux', again);
  if (init?.[0] !== undefined && findProgram(init[0]) === null) return needsProgram(init[0], 'tini', again);

  const proc = openProcRoot('/proc');
  const cgroup = makeOwnCgroup(orphans + unreaped + Math.ceil(unreaped / BATCH) + OTHERS, proc);
  const maker = startMaker(init ?? [], cgroup);
  const ended = maker.ended.then(() => {
    if (cgroup) removeOwnCgroup(cgroup);
  });
  let emulation: RunningEmulation | null = null;
  const abort = () => void (emulation ? emulation.stop() : endEarly(maker, ended, proc));
  signal?.addEventListener('abort', abort, { once: true });
  void ended.then(() => signal?.removeEventListener('abort', abort));
  try {
    await maker.hear();
    emulation = new RunningEmulation(maker, ended, cgroup, proc);
    await emulation.fill({ orphans, unreaped }, measure);
    return emulation;
  } catch (error) {
    await (emulation ? emulation.stop() : endEarly(maker, ended, proc));
    signal?.throwIfAborted();
    if (!(error instanceof MakerError)) throw error;
    return emulation ? brokeOff(error.message, again) : whyForbidden(error.message, readSetting, again);
  }
}

class RunningEmulation implements Emulation {
  readonly ended: Promise<void>;
  readonly cgroup: string | null;
  measured: Measured | null = null;
  readonly #maker: Maker;
  readonly #proc: ProcRoot;
  readonly #table = new ProcessTable();
  readonly #root: Member;
  /** The folder whose account holds this namespace alone. */
  readonly #account: string | null;
  #left: Promise<number> | null = null;

  constructor(maker: Maker, ended: Promise<void>, cgroup: OwnCgroup | null, proc: ProcRoot) {
    const root = pid1Of(maker, proc);
    if (!root) throw new MakerError('PID 1 of the namespace is not to be seen in /proc');
    const own = entered(cgroup, root.pid, proc);
    this.#maker = maker;
    this.#proc = proc;
    this.#root = root;
    this.#account = own?.memory ?? null;
    this.cgroup = own?.pids ?? null;
    this.ended = ended;
  }

  get pid1(): number {
    return this.#root.pid;
  }

  zombies(): Zombie[] {
    return this.#tree()
      .filter(({ isZombie }) => isZombie)
      .map(({ pid, ppid, comm }) => ({
        kind: ppid === this.pid1 ? 'orphan' : 'unreaped-child',
        pid,
        ppid,
        comm: comm ?? '',
      }));
  }

  count(): Count {
    const zombies = this.zombies();
    const orphans = zombies.filter((zombie) => zombie.kind === 'orphan').length;
    return { orphans, unreaped: zombies.length - orphans };
  }

  stop(): Promise<number> {
    this.#left ??= this.#end();
    return this.#left;
  }

  async #end(): Promise<number> {
    const members = this.#tree();
    this.#maker.close();
    // The closed pipes end a maker; an init in front of it may have reasons of its own to stay.
    if (members.length > 0) kill(this.pid1);
    await this.ended;
    return untilGone(members, this.#proc);
  }

  /** Makes the zombies, and waits until they have died and an idle init has reaped what it will. */
  async fill({ orphans, unreaped }: Count, measure: boolean): Promise<void> {
    await until(() => this.#makers() === 1, 'the program in the namespace');
    const before = measure ? await this.#memory() : null;
    for (const size of batches(orphans)) await this.#makeBatch(`orphans ${size}`, size);
    await this.#untilSettled();
    const after = measure ? await this.#memory() : null;
    if (before && after) this.measured = { orphans: this.count().orphans, before, after };
    for (const size of batches(unreaped)) await this.#makeBatch(`unreaped ${size}`, size);
    await this.#untilSettled();
  }

  #memory(): Promise<KernelMemory | null> {
    return settled(() => readKernelMemory(this.#account));
  }

  async #makeBatch(request: string, size: number): Promise<void> {
    this.#maker.tell(request);
    await this.#maker.hear();
    await until(() => this.#makers() === 1 + size, 'the end of the shell that forked the children');
    this.#maker.release(size);
    await until(() => this.#makers() === 1, 'the death of the children');
  }

  #makers(): number {
    return makersIn(this.#liveTree(), this.#proc).length;
  }

  #untilSettled(): Promise<void> {
    return until(() => this.#isSettled() && this.#isSettled(), 'a quiet namespace');
  }

  #isSettled(): boolean {
    return this.#liveTree().every(({ pid, state }) => state === 'Z' || isIdle(pid, this.#proc));
  }

  #liveTree(): Member[] {
    const tree = this.#tree();
    if (tree.length === 0) throw new MakerError('the namespace has ended');
    return tree;
  }

  #tree(): Member[] {
    const { pid, startTime } = this.#root;
    this.#proc.readTable(this.#table);
    const tree = treeOf(pid, this.#table);
    // Were PID 1 gone, its number could belong to a stranger by now.
    return tree[0]?.startTime === startTime ? tree : [];
  }
}

/** PID 1 of the namespace: `unshare` is the only child of the shell outside, and PID 1 that of `unshare`. */
function pid1Of(maker: Maker, proc: ProcRoot): Member | undefined {
  const table = new ProcessTable();
  proc.readTable(table);
  const tree = treeOf(maker.pid, table);
  const unshare = tree.find(({ ppid }) => ppid === maker.pid);
  return unshare && tree.find(({ ppid }) => ppid === unshare.pid);
}

/** Ends a maker of which PID 1 may not be known yet. */
async function endEarly(maker: Maker, ended: Promise<void>, proc: ProcRoot): Promise<void> {
  maker.close();
  const root = pid1Of(maker, proc);
  if (root) kill(root.pid);
  await ended;
}

function* batches(count: number): Generator<number> {
  for (let left = count; left > 0; left -= BATCH) yield Math.min(left, BATCH);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended in the meantime.
  }
}

/** Waits until none of these processes is left, for five seconds at most; answers how many are. */
async function untilGone(processes: readonly Member[], proc: ProcRoot): Promise<number> {
  const end = performance.now() + 5_000;
  for (;;) {
    const left = processes.filter(({ pid, startTime }) => proc.stat(pid)?.startTime === startTime).length;
    if (left === 0 || performance.now() > end) return left;
    await delay(5);
  }
}
