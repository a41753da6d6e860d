import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder whose files change as those of a mounted Secret or ConfigMap do. */
export interface MountedFiles {
  /** The path of a file. */
  path(name: string): string;
  /** Replaces all files at once, as the kubelet does: a new folder, and the link `..data` moved onto it. */
  publish(files: Readonly<Record<string, string>>): void;
  remove(): void;
}

/** Makes such a folder in the system's folder for temporary files. */
export function mountFiles(files: Readonly<Record<string, string>> = {}): MountedFiles {
  const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-mount-'));
  let version = 0;
  let previous: string | null = null;
  const publish = (contents: Readonly<Record<string, string>>) => {
    version += 1;
    const current = `..version_${version}`;
    mkdirSync(join(folder, current));
    for (const [name, text] of Object.entries(contents)) {
      writeFileSync(join(folder, current, name), text);
      rmSync(join(folder, name), { force: true });
      symlinkSync(join('..data', name), join(folder, name));
    }
    symlinkSync(current, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    if (previous !== null) rmSync(join(folder, previous), { recursive: true });
    previous = current;
  };
  publish(files);
  return {
    path: (name) => join(folder, name),
    publish,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
