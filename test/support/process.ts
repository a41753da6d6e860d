import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { describe } from 'vitest';
import { readPidLimits, tightest } from '../../src/emulate/limits.ts';
import { findProgram, findTini } from '../../src/emulate/programs.ts';
import { readSetting, whyForbidden } from '../../src/emulate/unavailable.ts';

/** A part of the machine that a process test needs: why it is missing and how to get it, or null. */
export type Need = () => string | null;

/** What makes a program PID 1 of namespaces of its own. */
const pidFlags = ['--user', '--map-root-user', '--pid', '--fork'];

/** The same, with a /proc that shows that namespace only. */
const namespaceFlags = [...pidFlags, '--kill-child', '--mount-proc'];

/** User and PID namespaces. */
export const pidNamespaces: Need = () => unshareFails(pidFlags);

/** User, PID and mount namespaces, and the right to mount /proc in them. */
export const privateProc: Need = () => unshareFails(namespaceFlags);

/** The real tini. */
export const tini: Need = () => (findTini() === null ? 'tini is missing: apt-get install tini' : null);

/** Root of the machine itself, whose user IDs and capabilities the kernel takes at face value. */
export const root: Need = () => (process.getuid?.() === 0 ? null : 'root is needed: run the tests with sudo');

/** Room for so many processes in every limit that can be read, and as many again for others. */
export function room(processes: number): Need {
  return () => {
    const limit = tightest(readPidLimits());
    return limit === null || processes <= limit.limit / 2
      ? null
      : `${limit.name} = ${limit.limit} leaves no room for ${processes} processes: raise it`;
  };
}

/** A program of the machine. */
export function program(name: string, aptPackage: string): Need {
  return () => (findProgram(name) === null ? `${name} is missing: apt-get install ${aptPackage}` : null);
}

function unshareFails(flags: readonly string[]): string | null {
  if (process.platform !== 'linux') return `Linux is needed, this is ${process.platform}`;
  if (findProgram('unshare') === null) return 'unshare is missing: apt-get install util-linux';
  const probe = spawnSync('unshare', [...flags, 'true'], { encoding: 'utf8' });
  if (probe.status === 0) return null;
  const { unavailable, retry } = whyForbidden(probe.stderr, readSetting, 'npm test');
  return `${unavailable}: ${retry}`;
}

/**
 * `describe` that runs where everything that it needs is at hand. Elsewhere it skips, and says on stderr what is
 * missing and how to get it, so that a green run cannot hide it.
 */
export function describeWith(needs: readonly Need[], title: string, body: () => void): void {
  let missing: string | null = null;
  for (const need of needs) missing ??= need();
  if (missing !== null) console.warn(`SKIPPED "${title}": ${missing}`);
  describe.skipIf(missing !== null)(title, body);
}

/**
 * Looks again and again until a look finds something.
 *
 * @param look Answers null or false as long as there is nothing to be found.
 * @throws after 20 seconds.
 */
export async function eventually<T>(
  look: () => T | null | false | Promise<T | null | false>,
  what: string,
): Promise<T> {
  const end = performance.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== null && found !== false) return found;
    if (performance.now() > end) throw new Error(`${what} did not come about within 20 s`);
    await delay(5);
  }
}
