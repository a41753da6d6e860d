import { createReadStream, globSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { decode } from '../manifest/decode.ts';
import type { AuditProblem } from './report.ts';

/** Something that manifests are read from. */
export interface Source {
  /** As the user named it, or found below what the user named. */
  readonly name: string;
  /** The file's path; null for standard input. */
  readonly path: string | null;
  /** Reads it; it may be read again. It never rejects. */
  read(): Promise<SourceText>;
}

/** The text of a source, or in words why there is none. */
export type SourceText =
  | { readonly text: string; readonly encoding: string; readonly byteOrderMark: boolean }
  | { readonly problem: string };

/** The name of standard input in reports. */
const standardInput = 'stdin';

/** Text becomes up to six times as much memory as objects. */
const mostBytes = 256 * 1024 * 1024;
const tooLarge = `is larger than ${mostBytes / 1024 / 1024} MiB; split it, or name its parts one by one`;
const manifestName = /\.(ya?ml|json)$/i;
const notLookedInto = new Set(['node_modules', '.git']);

/**
 * Finds the files that the user means.
 *
 * @param specs Files, folders (looked into with everything below, for `.yaml`, `.yml` and `.json`), globs, and `-` for
 *   standard input. One file counts once.
 * @param stdin Where `-` is read from.
 * @returns Sources in the order of `specs`, those of a folder by name; and what could not be looked at.
 */
export function findSources(
  specs: readonly string[],
  stdin: Readable = process.stdin,
): { readonly sources: readonly Source[]; readonly problems: readonly AuditProblem[] } {
  const sources = new Map<string, Source>();
  const problems: AuditProblem[] = [];
  const complain = (file: string, message: string) => problems.push({ file, line: null, message });
  const addFile = (name: string) => {
    try {
      const real = realpathSync(name);
      if (!sources.has(real)) sources.set(real, fileSource(name, statSync(name).isFile()));
    } catch (error) {
      complain(name, describe(error));
    }
  };
  const addFolder = (folder: string, above: ReadonlySet<string>) => {
    let names: readonly string[];
    let inside: ReadonlySet<string>;
    try {
      inside = new Set([...above, realpathSync(folder)]);
      names = readdirSync(folder).sort();
    } catch (error) {
      complain(folder, describe(error));
      return;
    }
    for (const name of names) {
      const path = join(folder, name);
      try {
        const found = statSync(path);
        if (found.isDirectory() && !notLookedInto.has(name)) {
          if (above.has(realpathSync(path)) || inside.has(realpathSync(path))) {
            complain(path, 'this symbolic link leads back to a folder above it; not followed');
          } else addFolder(path, inside);
        } else if (found.isFile() && manifestName.test(name)) addFile(path);
      } catch (error) {
        if (manifestName.test(name) || isLoop(error) || isFolderLink(path)) complain(path, describe(error));
      }
    }
  };
  for (const spec of specs) {
    if (spec === '-') {
      if (!sources.has('-'))
        sources.set(
          '-',
          streamSource(standardInput, null, () => stdin),
        );
      continue;
    }
    const found = kindOf(spec);
    if (found === 'folder') addFolder(spec, new Set());
    else if (found === 'other' || !/[*?[{]/.test(spec)) addFile(spec);
    else {
      const matches = globSync(spec).sort();
      if (matches.length === 0) complain(spec, 'no file matches this pattern');
      for (const match of matches) {
        if (kindOf(match) === 'folder') addFolder(match, new Set());
        else addFile(match);
      }
    }
  }
  return { sources: [...sources.values()], problems };
}

/** Whether a path leads to a folder; null where it leads to nothing that can be looked at. */
function kindOf(path: string): 'folder' | 'other' | null {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? null : 'other';
  }
}

function fileSource(name: string, isRegular: boolean): Source {
  // A pipe, such as `<(helm template …)`, can be read only once.
  if (!isRegular) return streamSource(name, name, () => createReadStream(name));
  return {
    name,
    path: name,
    async read() {
      try {
        if (statSync(name).size > mostBytes) return { problem: tooLarge };
        return decode(await readFile(name));
      } catch (error) {
        return { problem: describe(error) };
      }
    },
  };
}

function streamSource(name: string, path: string | null, open: () => Readable): Source {
  let once: Promise<SourceText> | null = null;
  return {
    name,
    path,
    read() {
      once ??= readStream(open);
      return once;
    },
  };
}

async function readStream(open: () => Readable): Promise<SourceText> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of open()) {
      const bytes: Uint8Array = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      size += bytes.length;
      if (size > mostBytes) return { problem: tooLarge };
      chunks.push(bytes);
    }
  } catch (error) {
    return { problem: describe(error) };
  }
  return decode(Buffer.concat(chunks));
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'cannot be read: permission denied',
  EPERM: 'cannot be read: permission denied',
  ELOOP: 'this symbolic link leads to itself',
  EISDIR: 'is a folder',
  ENOTDIR: 'a part of this path is no folder',
};

function describe(error: unknown): string {
  const code = codeOf(error);
  return causes[code] ?? `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function isLoop(error: unknown): boolean {
  return codeOf(error) === 'ELOOP';
}

function isFolderLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
