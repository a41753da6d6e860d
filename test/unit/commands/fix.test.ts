import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gravekeeper-fix-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const before = `apiVersion: apps/v1
kind: Deployment
metadata: {name: db}
spec:
  template:
    spec:
      containers:
      - name: db
        image: postgres:17
        readinessProbe:
          exec: {command: [sh, -c, "pg_isready | grep -q accepting"]} # asks
`;
const after = `${before}          timeoutSeconds: 5\n`;

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

function fix(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/main.js', 'fix', ...args], {
    input,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('gravekeeper fix', () => {
  it('goes from standard input to standard output, and tells on standard error', () => {
    const { status, stdout, stderr } = fix(['-f', '-'], before);
    expect({ status, stdout }).toEqual({ status: 0, stdout: after });
    expect(stderr).toBe(
      'stdin:1: Deployment default/db: readinessProbe of db: timeoutSeconds: 5 (shell-with-children): fixed in the output\n' +
        '1 fixed in the output, 0 left to you\n',
    );
    expect(fix(['-f', '-'], after).stdout).toBe(after);
  });

  it('prints several files as documents of one stream', () => {
    const [one, two] = [file('1.yaml', before), file('2.yaml', 'a: 1')];
    expect(fix(['-f', one, two]).stdout).toBe(`${after}---\na: 1\n`);
  });

  it('prints what would change', () => {
    const path = file('1.yaml', before);
    const { stdout } = fix(['-f', path, '--diff']);
    expect(stdout).toContain('+          timeoutSeconds: 5\n');
    expect(stdout).not.toContain('-  ');
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('changes files, and those alone that need it', () => {
    const path = file('1.yaml', `\ufeff${before}`);
    chmodSync(path, 0o640);
    symlinkSync(path, join(folder, 'link.yaml'));
    const other = file('2.yaml', 'kind: Other\n');
    const { mtimeNs, ino } = lstatSync(other, { bigint: true });
    expect(fix(['-f', join(folder, 'link.yaml'), other, '--write']).status).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe(`\ufeff${after}`);
    expect(lstatSync(path).mode & 0o777).toBe(0o640);
    expect(lstatSync(join(folder, 'link.yaml')).isSymbolicLink()).toBe(true);
    expect(lstatSync(other, { bigint: true })).toMatchObject({ mtimeNs, ino });
    expect(readdirSync(folder).sort()).toEqual(['1.yaml', '2.yaml', 'link.yaml']);
  });

  it('ends with 2 at what it cannot read or write, and does the rest', () => {
    const good = file('good.yaml', before);
    const wide = file('wide.yaml', Buffer.from(`\ufeff${before}`, 'utf16le'));
    const bad = file('bad.yaml', 'a: [\n');
    const { status, stderr } = fix(['-f', bad, wide, good, '--write']);
    expect(status).toBe(2);
    expect(stderr).toContain(`${bad}:2: not valid YAML`);
    expect(stderr).toContain('not written: the file is text in UTF-16LE; save it as UTF-8 first');
    expect(stderr).toContain('1 written, 1 left to you\n');
    expect(readFileSync(good, 'utf8')).toBe(after);
  });

  it('refuses to write standard input', () => {
    expect(fix(['-f', '-', '--write'], before)).toMatchObject({ status: 2, stdout: '' });
  });
});
