import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { assume } from '../../../src/commands/audit/options.ts';
import { rabbitmq } from '../audit/audit-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-audit-'));
afterAll(() => rmSync(folder, { recursive: true }));
const bare = rabbitmq.slice(rabbitmq.indexOf('---'));

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

function audit(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/main.js', 'audit', ...args], {
    input,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}

describe('gravekeeper audit', () => {
  it('ends with 0 where all is clean and 1 at findings', () => {
    expect(audit(['-f', '-'], rabbitmq)).toMatchObject({ status: 0, stderr: '' });
    expect(audit(['-f', '-', '--fail-on', 'warning'], rabbitmq).status).toBe(1);
    expect(audit(['-f', '-'], bare).status).toBe(1);
    expect(audit(['-f', '-', '--fail-on', 'never'], bare).status).toBe(0);
    expect(audit(['-f', '-', '--assume', 'inject=auto', '--assume', 'dry-run=false'], bare).status).toBe(0);
  });

  it('ends with 2 where something cannot be read, and reports the rest', () => {
    const good = file('good.yaml', bare);
    const bad = file('bad.yaml', 'a: [\n');
    const { status, stdout } = audit(['-f', good, bad, join(folder, 'missing.yaml'), '-o', 'json']);
    expect(status).toBe(2);
    const { objects, problems } = JSON.parse(stdout);
    expect(objects).toMatchObject([{ name: 'rabbitmq', file: good }]);
    expect(problems).toMatchObject([
      { file: join(folder, 'missing.yaml'), line: null, message: 'there is no such file or folder' },
      { file: bad, line: 2 },
    ]);
  });

  it('accepts what a baseline holds', () => {
    const baseline = file('baseline.json', audit(['-f', '-', '-o', 'json'], bare).stdout);
    expect(audit(['-f', '-', '--baseline', baseline, '--fail-on', 'warning'], bare).status).toBe(0);
  });

  it.each([
    [[], 'there is nothing to read: name files or folders with -f, or - for standard input'],
    [['-f', '-', '--assume', 'inject=always'], 'Expected inject= with one of auto, share-pid, tini, none.'],
    [['-f', '-', '--baseline', join(folder, 'no.json')], 'cannot be read'],
    [['-f', '-', '-o', 'xml'], 'Allowed choices are'],
    [['-f', '-', '--report', 'openreports'], '--report writes into a cluster, so it needs --cluster'],
    [['--cluster', '--report', 'sarif'], 'Allowed choices are openreports, wgpolicyk8s'],
  ])('ends %j with 2 and words', (args, words) => {
    const { status, stdout, stderr } = audit(args, bare);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(words);
  });

  it('takes the rules of a configuration', () => {
    const config = file('config.yaml', 'rules: {rabbitmq-node-health-check: {severity: "off"}}\n');
    expect(audit(['-f', '-', '--config', config], bare).status).toBe(0);
  });

  it.each(['sarif', 'junit', 'html', 'openreports', 'wgpolicyk8s', 'github', 'table'])(
    'prints %s',
    (format) => {
      const { status, stdout, stderr } = audit(['-f', '-', '-o', format], bare);
      expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
      expect(stdout).toContain('rabbitmq-node-health-check');
    },
  );
});

describe('assume', () => {
  it('gathers labels', () => {
    expect(assume('probes=deny', assume('inject=auto'))).toEqual(
      new Map([
        ['gravekeeper.dev/inject', 'auto'],
        ['gravekeeper.dev/probes', 'deny'],
      ]),
    );
  });

  it.each(['inject', 'inject=', 'toString=1', 'x=auto', 'dry-run=yes'])('refuses %j', (text) => {
    expect(() => assume(text)).toThrow(/^Expected /);
  });
});
