import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findSources } from '../../../src/audit/sources.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gravekeeper-sources-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string | Uint8Array = 'kind: Pod\n'): string {
  const whole = join(root, path);
  mkdirSync(join(whole, '..'), { recursive: true });
  writeFileSync(whole, content);
  return whole;
}

function found(...specs: readonly string[]) {
  const { sources, problems } = findSources(specs.map((spec) => join(root, spec)));
  return {
    names: sources.map(({ name }) => relative(root, name)),
    problems: problems.map(({ file, message }) => `${relative(root, file)}: ${message}`),
  };
}

describe('findSources', () => {
  it('looks into folders, and takes what is named whatever its name', () => {
    for (const path of [
      'b.yaml',
      'a.yml',
      'x/c.json',
      'x/readme.md',
      '.git/d.yaml',
      'node_modules/e.yaml',
      'odd',
    ]) {
      write(path);
    }
    expect(found('.')).toEqual({ names: ['a.yml', 'b.yaml', 'x/c.json'], problems: [] });
    expect(found('odd', 'x')).toEqual({ names: ['odd', 'x/c.json'], problems: [] });
  });

  it('expands patterns, and takes one file once', () => {
    write('a/1.yaml');
    write('b/1.yaml');
    expect(found('*/1.yaml', 'a/1.yaml', 'a')).toEqual({ names: ['a/1.yaml', 'b/1.yaml'], problems: [] });
    expect(found('*.nothing').problems).toEqual(['*.nothing: no file matches this pattern']);
  });

  it('goes on beside links that lead in circles or nowhere, and what is not there', () => {
    write('a.yaml');
    symlinkSync(root, join(root, 'up'));
    symlinkSync(join(root, 'self.yaml'), join(root, 'self.yaml'));
    symlinkSync(join(root, 'gone'), join(root, 'dangling.yaml'));
    expect(found('.', 'missing.yaml')).toEqual({
      names: ['a.yaml'],
      problems: [
        'dangling.yaml: there is no such file or folder',
        'self.yaml: this symbolic link leads to itself',
        'up: this symbolic link leads back to a folder above it; not followed',
        'missing.yaml: there is no such file or folder',
      ],
    });
  });

  it('follows a link to a folder that is not above', () => {
    write('real/a.yaml');
    mkdirSync(join(root, 'tree'));
    symlinkSync(join(root, 'real'), join(root, 'tree', 'link'));
    expect(found('tree')).toEqual({ names: ['tree/link/a.yaml'], problems: [] });
  });

  it('reads text, and says of everything else what it is', async () => {
    const large = write('large.yaml');
    truncateSync(large, 257 * 1024 * 1024);
    const { sources } = findSources([write('a.yaml'), write('b.yaml', Uint8Array.from([0, 1, 2])), large]);
    rmSync(join(root, 'a.yaml'));
    const texts = await Promise.all(sources.map((source) => source.read()));
    expect(texts).toEqual([
      { problem: 'there is no such file or folder' },
      { problem: 'this file is binary; expected YAML or JSON' },
      { problem: 'is larger than 256 MiB; split it, or name its parts one by one' },
    ]);
  });

  it('reads standard input once, as often as it is asked', async () => {
    const { sources } = findSources(['-', '-'], Readable.from([Buffer.from('kind:'), Buffer.from(' Pod')]));
    expect(sources).toHaveLength(1);
    expect(await sources[0]?.read()).toMatchObject({ text: 'kind: Pod' });
    expect(await sources[0]?.read()).toMatchObject({ text: 'kind: Pod' });
  });
});
