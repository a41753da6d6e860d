import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeWith, type Need, program, root } from '../support/process.ts';

const source = join(dirname(fileURLToPath(import.meta.url)), '../../src/copier/copier.c');
const tini = '/usr/bin/tini-static';

const staticTini: Need = () => (existsSync(tini) ? null : `${tini} is missing: apt-get install tini`);
const mountNamespaces: Need = () =>
  spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'])
    .status === 0
    ? null
    : 'this kernel or container forbids user and mount namespaces: run outside the container';

describeWith([program('gcc', 'gcc'), staticTini], 'copier', () => {
  let build: string;
  let folder: string;
  let copier: string;

  beforeAll(() => {
    build = mkdtempSync(join(tmpdir(), 'gravekeeper-copier-'));
    copier = join(build, 'copier');
    const flags = ['-std=c17', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-Os', '-static'];
    const { status, stderr } = spawnSync('gcc', [...flags, '-o', copier, source], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    chmodSync(build, 0o755);
  });
  afterAll(() => rmSync(build, { recursive: true, force: true }));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gravekeeper-volume-'));
    chmodSync(folder, 0o777);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs the copier without any environment. */
  function copy(...args: string[]) {
    return run([copier, ...args]);
  }

  function run([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env });
    return { status, stdout, stderr };
  }

  /** Runs the copier on a file system of its own that is mounted with these options. */
  function copyToTmpfs(options: string, prepare = ':') {
    const script = `mount -t tmpfs -o ${options} none "$1" && { ${prepare}; } && exec "$2" "$1" "$3"`;
    const flags = ['--user', '--map-root-user', '--mount', '--'];
    return run(['unshare', ...flags, 'sh', '-c', script, 'sh', folder, copier, tini], process.env);
  }

  function expectOneLine(outcome: ReturnType<typeof copy>, pattern: RegExp) {
    expect(outcome.stderr).toMatch(pattern);
    expect(outcome.stderr).toMatch(/^gravekeeper-copier: [^\n]+; [^\n]+\n$/);
    expect(outcome).toMatchObject({ status: 1, stdout: '' });
  }

  it('copies tini, byte for byte, so that all may run it and nobody may write it', () => {
    expect(copy(folder, tini)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readdirSync(folder)).toEqual(['tini']);
    const target = join(folder, 'tini');
    expect(readFileSync(target).equals(readFileSync(tini))).toBe(true);
    expect(statSync(target).mode & 0o7777).toBe(0o555);
    expect(run([target, '-s', '--', 'echo', 'run by tini'], process.env).stdout).toBe('run by tini\n');
  });

  it('may run again: the old file is replaced, also while it runs, and what a killed run left is removed', () => {
    expect(copy(folder, tini).status).toBe(0);
    writeFileSync(join(folder, '.tini.copying'), 'half');
    const before = statSync(join(folder, 'tini')).ino;
    const script = '"$1/tini" -s -- "$2" "$1" "$3"';
    expect(run(['sh', '-c', script, 'sh', folder, copier, tini], process.env)).toMatchObject({
      status: 0,
      stdout: '',
    });
    expect(readdirSync(folder)).toEqual(['tini']);
    expect(statSync(join(folder, 'tini')).ino).not.toBe(before);
  });

  it('sets the mode whatever the umask', () => {
    expect(run(['sh', '-c', 'umask 0777; exec "$@"', 'sh', copier, folder, tini], process.env).status).toBe(
      0,
    );
    expect(statSync(join(folder, 'tini')).mode & 0o7777).toBe(0o555);
  });

  it.each([[[]], [['']], [['/a', '/b', '/c']]])('says how it is used: %j', (args) => {
    expectOneLine(copy(...args), /needs the directory .* usage: copier DIR/);
  });

  it('takes /tini of its image where no other is named', () => {
    if (existsSync('/tini')) return;
    expectOneLine(
      copy(folder),
      /cannot open \/tini: No such file or directory; the image must hold tini there/,
    );
  });

  it('names a directory that is missing, and one that is none', () => {
    const missing = join(folder, 'missing');
    expectOneLine(
      copy(missing, tini),
      /cannot create .*missing\/\.tini\.copying: No such file.*mount a volume there/,
    );
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expectOneLine(copy(file, tini), /file\/\.tini\.copying: Not a directory; mount a volume there/);
  });

  it('names a directory in the way', () => {
    mkdirSync(join(folder, 'tini'));
    expectOneLine(copy(folder, tini), /cannot create .*\/tini: Is a directory; look at the volume/);
  });

  it('runs the copy once: what is no program, or none for this machine, never becomes tini', () => {
    const text = join(folder, 'text');
    writeFileSync(text, 'not a program');
    expectOneLine(
      copy(folder, text),
      /cannot run .*: Exec format error; the image is of another architecture/,
    );
    expectOneLine(
      copy(folder, '/bin/false'),
      /cannot use .*: it ended with exit code 1 when asked for its version/,
    );
    const killed = join(folder, 'killed');
    writeFileSync(killed, '#!/bin/sh\nkill -9 $$\n');
    expectOneLine(copy(folder, killed), /cannot run .*: Killed; a limit or a security profile/);
    expect(existsSync(join(folder, 'tini'))).toBe(false);
  });

  it('leaves a tini that works in place when a later run fails', () => {
    expect(copy(folder, tini).status).toBe(0);
    expect(copy(folder, '/bin/false').status).toBe(1);
    expect(run([join(folder, 'tini'), '--version'], process.env).status).toBe(0);
  });

  describeWith([mountNamespaces], 'on other file systems', () => {
    it('copies to a volume in memory of 4 MiB, twice', () => {
      expect(copyToTmpfs('size=4m', '"$2" "$1" "$3"')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    });

    it('names a volume that is mounted noexec', () => {
      expectOneLine(copyToTmpfs('noexec'), /cannot run .*: Permission denied; the volume is mounted noexec/);
    });

    it('names a volume that is mounted read-only', () => {
      expectOneLine(copyToTmpfs('ro'), /cannot create .*: Read-only file system; .* without readOnly/);
    });

    it('names a volume that is too small', () => {
      expectOneLine(copyToTmpfs('size=64k'), /cannot write .*: No space left on device; .*sizeLimit/);
    });
  });

  describeWith([root, program('setpriv', 'util-linux')], 'as another user', () => {
    const asUser = ['setpriv', '--reuid=12345', '--regid=54321', '--clear-groups', '--no-new-privs', '--'];

    it('copies to a volume that any user may write to', () => {
      expect(run([...asUser, copier, folder, tini], process.env)).toMatchObject({ status: 0, stderr: '' });
      expect(statSync(join(folder, 'tini'))).toMatchObject({ uid: 12345, gid: 54321 });
    });

    it('names a volume that it may not write to', () => {
      chmodSync(folder, 0o755);
      const outcome = run([...asUser, copier, folder, tini], process.env);
      expectOneLine(outcome, /cannot create .*: Permission denied; the volume must let this user write/);
    });

    it('names an image whose tini it may not read', () => {
      const unreadable = join(folder, 'unreadable');
      copyFileSync(tini, unreadable);
      chmodSync(unreadable, 0o700);
      expectOneLine(
        run([...asUser, copier, folder, unreadable], process.env),
        /cannot open .*: Permission denied/,
      );
    });
  });

  describe('the program', () => {
    it('is linked statically and small', () => {
      expect(run(['ldd', copier], process.env)).toMatchObject({ status: 1 });
      expect(statSync(copier).size).toBeLessThan(1024 * 1024);
    });
  });
});
