import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { readPidLimits, tightest } from '../../src/emulate/limits.ts';
import { openProcRoot } from '../../src/proc/root.ts';

/** Many processes, in a PID namespace of their own. */
export interface Population {
  /** Ends them all, and resolves when they have gone. */
  end(): Promise<void>;
}

/** Numbers that are left to everybody else. */
const SPARE = 1_500;

/** A sleeping child of a small C program, with its page tables and its stack in the kernel, takes less. */
const LIVE_BYTES = 200 * 1024;

/** How many of them this machine has room for, and what sets the bound. */
export function roomFor(count: number, kind: 'live' | 'zombie'): { count: number; bound: string } {
  const proc = openProcRoot('/proc');
  const limit = tightest(readPidLimits());
  const free = limit === null ? count : limit.limit - (proc.nodeThreads() ?? 0) - SPARE;
  const available = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(proc.text('meminfo') ?? '')?.[1] ?? 0) * 1024;
  const inMemory = kind === 'live' ? Math.floor((available * 0.75) / LIVE_BYTES) : count;
  const most = Math.min(free, inMemory);
  if (most >= count) return { count, bound: 'as asked' };
  return { count: most, bound: most === free ? `${limit?.name} = ${limit?.limit}` : 'memory' };
}

/**
 * Makes them. They end with this process too, since their PID 1 waits for the end of a pipe.
 *
 * @param program The compiled scan.c.
 */
export async function populate(program: string, count: number, kind: 'live' | 'zombie'): Promise<Population> {
  const words = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', program, 'make'];
  const child = spawn('unshare', [...words, String(count), kind], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const population = { end: () => end(child, closed) };
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), closed]);
  if (line === 'ready') return population;
  await population.end();
  throw new Error(`${count} ${kind} processes could not be made`);
}

async function end(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  child.stdin?.end();
  await closed;
}
