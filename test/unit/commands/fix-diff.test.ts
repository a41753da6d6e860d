import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder = '';
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gravekeeper-diff-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

const main = resolve('src/main.js');

function manifest(lineEnd = '\n', end = lineEnd): string {
  const lines = [
    'apiVersion: v1',
    'kind: Pod',
    'metadata: {name: db}',
    'spec:',
    '  containers:',
    '  - name: db',
    '    image: postgres:17',
    '    readinessProbe:',
    '      exec: {command: [sh, -c, "pg_isready | grep -q accepting"]}',
  ];
  return lines.join(lineEnd) + end;
}

const inOneLine = `${JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'db' },
  spec: {
    containers: [
      {
        name: 'db',
        image: 'postgres:17',
        readinessProbe: { exec: { command: ['sh', '-c', 'pg_isready | grep -q accepting'] } },
      },
    ],
  },
})}\n`;

function write(name: string, content = manifest()): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

function fix(args: readonly string[], { cwd = folder, input = '' } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'fix', ...args], {
    cwd,
    input,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** The two programs that people apply a diff with, and how they are asked to. */
const appliers = [
  ['patch -p1', 'patch', ['-p1', '--binary', '--fuzz=0']],
  ['git apply', 'git', ['apply', '--whitespace=nowarn']],
] as const;

const isThere = (program: string) => spawnSync(program, ['--version']).status === 0;

/** Applies a diff below a folder, and says what the program says. */
function apply(program: string, args: readonly string[], cwd: string, input: string) {
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(folder) };
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, input, env, encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}

const files: readonly (readonly [string, string, string])[] = [
  ['a file', 'db.yaml', manifest()],
  ['a file in a folder', 'deploy/db.yaml', manifest()],
  ['a name with blanks', 'my deploy/the db.yaml', manifest()],
  ['a name with quotes and umlauts', 'dä "b".yaml', manifest()],
  ['lines that end in CRLF', 'crlf.yaml', manifest('\r\n')],
  ['a last line without an end', 'open.yaml', manifest('\n', '')],
  ['a byte order mark in the line that changes', 'mark.yaml', `\ufeff${inOneLine}`],
];

describe.each(appliers)('%s takes what fix --diff prints', (_, program, args) => {
  it.skipIf(!isThere(program)).each(files)('of %s', (_, name, content) => {
    const path = write(name, content);
    const { stdout } = fix(['-f', name, '--diff']);
    const copy = join(folder, 'copy');
    mkdirSync(copy);
    cpSync(join(folder, name.split('/')[0] ?? ''), join(copy, name.split('/')[0] ?? ''), { recursive: true });
    expect(apply(program, args, copy, stdout)).toMatchObject({ status: 0 });
    fix(['-f', name, '--write']);
    expect(readFileSync(path, 'utf8')).not.toBe(content);
    expect(readFileSync(join(copy, name), 'utf8')).toBe(readFileSync(path, 'utf8'));
  });

  it.skipIf(!isThere(program))('of a folder by its absolute path, where it is below this one', () => {
    const path = write('deploy/db.yaml');
    write('deploy/more/other.yaml');
    const { stdout } = fix(['-f', join(folder, 'deploy'), '--diff']);
    expect(apply(program, args, folder, stdout)).toMatchObject({ status: 0 });
    expect(readFileSync(path, 'utf8')).toContain('timeoutSeconds: 5');
    expect(readFileSync(join(folder, 'deploy/more/other.yaml'), 'utf8')).toContain('timeoutSeconds: 5');
  });

  it.skipIf(!isThere(program))('of a file elsewhere, in the root of the file system', () => {
    const path = write('elsewhere/db.yaml');
    mkdirSync(join(folder, 'here'));
    for (const name of [path, '../elsewhere/db.yaml']) {
      const { stdout } = fix(['-f', name, '--diff'], { cwd: join(folder, 'here') });
      expect(stdout).toContain(`--- a${path}\n+++ b${path}\n`);
      const dry = program === 'git' ? ['--check'] : ['--dry-run'];
      expect(apply(program, [...args, ...dry], '/', stdout)).toMatchObject({ status: 0 });
    }
  });
});

describe('gravekeeper fix --diff', () => {
  it('begins with the names, and says of nothing that it was written', () => {
    write('db.yaml');
    const { status, stdout, stderr } = fix(['-f', 'db.yaml', '--diff']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^--- a\/db\.yaml\n\+\+\+ b\/db\.yaml\n@@ /);
    expect(stderr).toBe(
      'db.yaml:1: Pod default/db: readinessProbe of db: timeoutSeconds: 5 (shell-with-children): would be written\n' +
        '1 would be written, 0 left to you\n',
    );
  });

  it('names standard input', () => {
    const { stdout } = fix(['-f', '-', '--diff'], { input: manifest() });
    expect(stdout).toMatch(/^--- a\/stdin\n\+\+\+ b\/stdin\n@@ /);
  });

  it('shows no change of a file that --write would refuse', () => {
    writeFileSync(join(folder, 'wide.yaml'), Buffer.from(`\ufeff${manifest()}`, 'utf16le'));
    const { status, stdout, stderr } = fix(['-f', 'wide.yaml', '--diff']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe(
      'wide.yaml:1: Pod default/db: readinessProbe of db: timeoutSeconds: 5 (shell-with-children): not written: ' +
        'the file is text in UTF-16LE; save it as UTF-8 first\n' +
        '0 would be written, 1 left to you\n',
    );
  });
});
