import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { place } from './place.ts';

/**
 * Runs something synchronous while no other program does so on this machine. What is locked is a folder that is always
 * there, so that nothing is left behind; the lock goes with the program that has it, also at SIGKILL.
 *
 * @throws what the body throws, and if another program does not end with it in two minutes.
 */
export function exclusively<T>(body: () => T): T {
  const folder = openSync(dirname(place.state), 'r');
  try {
    // The lock is one of the open folder, which flock is given: it outlives flock.
    const { status } = spawnSync('flock', ['--wait', '120', '3'], {
      stdio: ['ignore', 'ignore', 'inherit', folder],
    });
    if (status !== 0) throw new Error(`somebody holds a lock on ${dirname(place.state)}: lslocks`);
    return body();
  } finally {
    closeSync(folder);
  }
}
