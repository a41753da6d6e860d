import { setTimeout as delay } from 'node:timers/promises';
import { type Maker, MakerError, makersIn, startMaker, until } from './maker.ts';
import { isIdle, isZombie, type Process, readProcess, readProcesses, treeOf } from './processes.ts';
import { findProgram } from './programs.ts';
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

/** A PID namespace with real zombies in it. It dies with this process, also when that is killed. */
export interface Emulation {
  /** PID 1 of the new namespace, as seen from here. */
  readonly pid1: number;
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
  const { orphans, unreaped, init = null, signal, again = 'npm run -s gravekeeper -- emulate' } = options;
  for (const count of [orphans, unreaped]) {
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`${count} is no number of zombies`);
  }
  signal?.throwIfAborted();
  if (process.platform !== 'linux') return needsLinux(process.platform, again);
  if (findProgram('unshare') === null) return needsProgram('unshare', 'util-linux', again);
  if (init?.[0] !== undefined && findProgram(init[0]) === null) return needsProgram(init[0], 'tini', again);

  const maker = startMaker(init ?? []);
  let emulation: RunningEmulation | null = null;
  const abort = () => void (emulation ? emulation.stop() : endEarly(maker));
  signal?.addEventListener('abort', abort, { once: true });
  void maker.ended.then(() => signal?.removeEventListener('abort', abort));
  try {
    await maker.hear();
    emulation = new RunningEmulation(maker);
    await emulation.fill({ orphans, unreaped });
    return emulation;
  } catch (error) {
    await (emulation ? emulation.stop() : endEarly(maker));
    signal?.throwIfAborted();
    if (!(error instanceof MakerError)) throw error;
    return emulation ? brokeOff(error.message, again) : whyForbidden(error.message, readSetting, again);
  }
}

class RunningEmulation implements Emulation {
  readonly ended: Promise<void>;
  readonly #maker: Maker;
  readonly #root: Process;
  #left: Promise<number> | null = null;

  constructor(maker: Maker) {
    const root = pid1Of(maker);
    if (!root) throw new MakerError('PID 1 of the namespace is not to be seen in /proc');
    this.#maker = maker;
    this.#root = root;
    this.ended = maker.ended;
  }

  get pid1(): number {
    return this.#root.pid;
  }

  zombies(): Zombie[] {
    return this.#tree()
      .filter(isZombie)
      .map(({ pid, ppid, comm }) => ({
        kind: ppid === this.pid1 ? 'orphan' : 'unreaped-child',
        pid,
        ppid,
        comm,
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
    return untilGone(members);
  }

  /** Makes the zombies, and waits until they have died and an idle init has reaped what it will. */
  async fill({ orphans, unreaped }: Count): Promise<void> {
    await until(() => this.#makers() === 1, 'the program in the namespace');
    for (const size of batches(orphans)) await this.#makeBatch(`orphans ${size}`, size);
    for (const size of batches(unreaped)) await this.#makeBatch(`unreaped ${size}`, size);
    await until(() => this.#isSettled() && this.#isSettled(), 'a quiet namespace');
  }

  async #makeBatch(request: string, size: number): Promise<void> {
    this.#maker.tell(request);
    await this.#maker.hear();
    await until(() => this.#makers() === 1 + size, 'the end of the shell that forked the children');
    this.#maker.release(size);
    await until(() => this.#makers() === 1, 'the death of the children');
  }

  #makers(): number {
    return makersIn(this.#liveTree()).length;
  }

  #isSettled(): boolean {
    return this.#liveTree().every((process) => process.state === 'Z' || isIdle(process.pid));
  }

  #liveTree(): Process[] {
    const tree = this.#tree();
    if (tree.length === 0) throw new MakerError('the namespace has ended');
    return tree;
  }

  #tree(): Process[] {
    // Were PID 1 gone, its number could belong to a stranger by now.
    const isAlive = readProcess(this.#root.pid)?.startTime === this.#root.startTime;
    return isAlive ? treeOf(this.#root.pid, readProcesses()) : [];
  }
}

function pid1Of(maker: Maker): Process | undefined {
  return readProcesses().find((process) => process.ppid === maker.pid);
}

/** Ends a maker of which PID 1 may not be known yet. */
async function endEarly(maker: Maker): Promise<void> {
  maker.close();
  const root = pid1Of(maker);
  if (root) kill(root.pid);
  await maker.ended;
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
async function untilGone(processes: readonly Process[]): Promise<number> {
  const end = performance.now() + 5_000;
  for (;;) {
    const left = processes.filter(({ pid, startTime }) => readProcess(pid)?.startTime === startTime).length;
    if (left === 0 || performance.now() > end) return left;
    await delay(5);
  }
}
