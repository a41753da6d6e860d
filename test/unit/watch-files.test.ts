import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileState, readFiles, type WatchOptions, watchFiles } from '../../src/watch-files.ts';
import { mountFiles } from '../support/mounted-files.ts';

let folder: string;
const closers: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gravekeeper-watch-'));
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(folder, { recursive: true, force: true });
});

const never = 3_600_000;

/** Watches, and hands out one change after the other. */
function watching(paths: readonly string[], options: WatchOptions = {}) {
  const changes = new EventEmitter();
  const queue: (readonly FileState[])[] = [];
  const watch = watchFiles(
    readFiles(paths),
    (files) => {
      queue.push(files);
      changes.emit('change');
    },
    { settleMs: 10, recheckMs: never, ...options },
  );
  closers.push(() => watch.close());
  const next = async (): Promise<(string | undefined)[]> => {
    if (queue.length === 0) await once(changes, 'change');
    return (queue.shift() ?? []).map(({ content, error }) => content?.toString() ?? error?.code);
  };
  return { next, queue };
}

describe('readFiles', () => {
  it('reads what is there and says why the rest is not', () => {
    writeFileSync(join(folder, 'a'), 'A');
    const [a, b, c] = readFiles([join(folder, 'a'), join(folder, 'b'), folder]);
    expect(a?.content?.toString()).toBe('A');
    expect(b).toMatchObject({ content: null, error: { code: 'ENOENT' } });
    expect(c).toMatchObject({ content: null, error: { code: 'EISDIR' } });
  });
});

describe('watchFiles', () => {
  it('notices a file that is overwritten and one that is replaced', async () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, 'one');
    const { next } = watching([file]);
    writeFileSync(file, 'two');
    expect(await next()).toEqual(['two']);
    writeFileSync(`${file}.new`, 'three');
    renameSync(`${file}.new`, file);
    expect(await next()).toEqual(['three']);
  });

  it('notices that Kubernetes moved the link ..data, and hands over all files', async () => {
    const mounted = mountFiles({ 'tls.crt': 'cert 1', 'tls.key': 'key 1' });
    closers.push(mounted.remove);
    const { next } = watching([mounted.path('tls.crt'), mounted.path('tls.key')]);
    mounted.publish({ 'tls.crt': 'cert 2', 'tls.key': 'key 2' });
    expect(await next()).toEqual(['cert 2', 'key 2']);
  });

  it('notices that a file went and came back', async () => {
    const file = join(folder, 'a');
    writeFileSync(file, '1');
    const { next } = watching([file]);
    rmSync(file);
    expect(await next()).toEqual(['ENOENT']);
    writeFileSync(file, '1');
    expect(await next()).toEqual(['1']);
  });

  it('says nothing where the content stays the same', async () => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    writeFileSync(a, 'same');
    const { next, queue } = watching([a, b]);
    writeFileSync(a, 'same');
    writeFileSync(join(folder, 'unrelated'), 'x');
    writeFileSync(b, 'now');
    expect(await next()).toEqual(['same', 'now']);
    expect(queue).toEqual([]);
  });

  it('counts a change that came between the reading and the watching', async () => {
    const file = join(folder, 'a');
    writeFileSync(file, '1');
    const known = readFiles([file]);
    writeFileSync(file, '2');
    const seen: (string | undefined)[] = [];
    const watch = watchFiles(known, ([state]) => seen.push(state?.content?.toString()), { recheckMs: never });
    watch.close();
    expect(seen).toEqual(['2']);
  });

  it('notices by looking again what no directory tells of', async () => {
    const elsewhere = join(folder, 'elsewhere');
    const here = join(folder, 'here');
    mkdirSync(elsewhere);
    mkdirSync(here);
    writeFileSync(join(elsewhere, 'a'), '1');
    symlinkSync(join(elsewhere, 'a'), join(here, 'a'));
    const { next } = watching([join(here, 'a')], { recheckMs: 20 });
    writeFileSync(join(elsewhere, 'a'), '2');
    expect(await next()).toEqual(['2']);
  });

  it('copes with a directory that is missing, appears and is replaced', async () => {
    const inner = join(folder, 'inner');
    const file = join(inner, 'a');
    const troubles: string[] = [];
    const { next } = watching([file], { recheckMs: 20, onTrouble: (message) => troubles.push(message) });
    expect(troubles[0]).toMatch(/inner cannot be watched and is read every 0.02 s instead: ENOENT/);
    mkdirSync(inner);
    writeFileSync(file, '1');
    expect(await next()).toEqual(['1']);
    expect(troubles).toHaveLength(1);
    renameSync(inner, `${inner}.old`);
    expect(await next()).toEqual(['ENOENT']);
    mkdirSync(inner);
    writeFileSync(file, '2');
    expect(await next()).toEqual(['2']);
  });

  it('is silent after it was closed', async () => {
    const file = join(folder, 'a');
    writeFileSync(file, '1');
    const seen: unknown[] = [];
    const watch = watchFiles(readFiles([file]), (files) => seen.push(files), { settleMs: 1, recheckMs: 1 });
    watch.close();
    const { next } = watching([file]);
    writeFileSync(file, '2');
    expect(await next()).toEqual(['2']);
    expect(seen).toEqual([]);
  });
});
