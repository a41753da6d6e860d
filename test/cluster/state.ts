import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { place } from './place.ts';
import { identify, isAlive, type ProcessId } from './process-id.ts';

/**
 * Makes the folder of the cluster, and notes that this program will take the cluster down.
 *
 * @throws where the folder is there.
 */
export function claim(): void {
  mkdirSync(place.state, { mode: 0o755 });
  writeState(place.owner, identify(process.pid));
}

/** Leaves the cluster to whoever takes it down. */
export function release(): void {
  rmSync(place.owner);
}

/** Whether a program was to take the cluster down, be it there or not. */
export const isClaimed = (): boolean => existsSync(place.owner);

/** The program that will take the cluster down; null where none will, or none is left. */
export function owner(): ProcessId | null {
  const noted = readState<ProcessId>(place.owner);
  return noted !== null && isAlive(noted) ? noted : null;
}

/** Whether this program will take the cluster down that is there. */
export const isOurs = (): boolean => owner()?.pid === process.pid;

/** Notes something about the cluster, so that a program that is killed meanwhile leaves all of it or nothing. */
export function writeState(path: string, state: unknown): void {
  const unfinished = `${path}.unfinished`;
  writeFileSync(unfinished, JSON.stringify(state));
  renameSync(unfinished, path);
}

/**
 * Reads what was noted about the cluster.
 *
 * @throws where somebody else made the folder: it is in one that anybody may write to.
 */
export function readState<T>(path: string): T | null {
  if (!existsSync(path)) return null;
  if (lstatSync(place.state).uid !== 0) throw new Error(`${place.state} is not root's: remove it`);
  return JSON.parse(readFileSync(path, 'utf8'));
}
