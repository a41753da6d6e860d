import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where Debian, Alpine, Fedora and `docker --init` images keep tini; the static build comes first. */
const tiniPlaces = ['/usr/bin/tini-static', '/usr/bin/tini', '/sbin/tini', '/tini'];

/** Whether a path is a file that may be executed. */
function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Finds a program as a shell would: a name with a slash as it stands, any other one in the folders of PATH.
 *
 * @returns Its path, or null.
 */
export function findProgram(name: string, path = process.env.PATH ?? ''): string | null {
  if (name.includes('/')) return isExecutable(name) ? name : null;
  return (
    path
      .split(':')
      .map((folder) => join(folder || '.', name))
      .find(isExecutable) ?? null
  );
}

/** Finds the real tini on this machine, or null. */
export function findTini(): string | null {
  return tiniPlaces.find(isExecutable) ?? findProgram('tini-static') ?? findProgram('tini');
}
