import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Makes a copy of a /proc with these files and a `stat` of its own; it goes when the test ends. */
export function copiedTree(files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-proc-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries({ stat: 'cpu 0 0\nbtime 1795181154\nprocesses 1\n', ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

interface Fields {
  readonly ppid?: number;
  readonly comm?: string;
  readonly state?: string;
  readonly threads?: number;
  readonly startTime?: number;
  readonly flags?: number;
}

/** A line of `/proc/PID/stat`. */
export function statLine(pid: number, fields: Fields = {}): string {
  const { ppid = 1, comm = 'sh', state = 'S', threads = 1, startTime = pid * 10, flags = 0 } = fields;
  return `${pid} (${comm}) ${state} ${ppid} 1 1 0 -1 ${flags} 0 0 0 0 0 0 0 0 20 0 ${threads} 0 ${startTime} 0 0\n`;
}
