import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixText } from '../../../src/audit/fix-text.ts';
import { auditOf, contextOf, rabbitmq } from './audit-of.ts';

const probe = (fields: string, image = 'postgres:17') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: db}
spec:
  template:
    spec:
      containers:
      - name: db
        image: ${image}
        readinessProbe: # asks
          exec:
            command: ${fields}
`;

function fix(text: string, assumed: Readonly<Record<string, string>> = {}) {
  return fixText(text, 'f.yaml', contextOf(text, assumed));
}

const sharing = { 'gravekeeper.dev/inject': 'share-pid' };

describe('fixText', () => {
  it('raises timeoutSeconds where that alone ends a finding', async () => {
    const before = probe('[sh, -c, "pg_isready | grep -q accepting"]');
    expect(await fix(before)).toEqual({
      text: `${before}          timeoutSeconds: 5\n`,
      fixes: [
        'f.yaml:1: Deployment default/db: readinessProbe of db: timeoutSeconds: 5 (shell-with-children)',
      ],
      lines: [],
      unfixed: 0,
      unread: 0,
    });
  });

  it('gives an inner timeout the second that it needs', async () => {
    const before = probe('[timeout, "5", pg_isready]\n          timeoutSeconds: 5 # as inside');
    expect((await fix(before)).text).toBe(before.replace('timeoutSeconds: 5', 'timeoutSeconds: 6'));
  });

  it('does not make a probe last longer than its period', async () => {
    const before = probe('[timeout, "15", pg_isready]\n          periodSeconds: 10');
    expect(await fix(before)).toMatchObject({ text: before, fixes: [], unfixed: 1 });
  });

  it('never changes a period, and says so', async () => {
    const { text, lines } = await fix(probe('[nodetool, status]'));
    expect(text).toBe(probe('[nodetool, status]'));
    expect(lines).toEqual([
      'f.yaml:1: Deployment default/db: not written: jvm-cli of db: yours to decide: tcpSocket: {port: 9042}, or keep the command with periodSeconds: 60',
    ]);
  });

  it('shares the PID namespace where that is the remedy', async () => {
    const before = probe('[pg_isready]');
    const { text } = await fix(before, sharing);
    expect(text).toBe(
      before.replace('      containers:', '      shareProcessNamespace: true\n      containers:'),
    );
    expect(
      (await fix(before.replace('    spec:', '    spec:\n      shareProcessNamespace: false'), sharing)).text,
    ).toContain('shareProcessNamespace: true');
  });

  it('never writes tini', async () => {
    const { text, lines, unfixed } = await fix(rabbitmq);
    expect(text).not.toContain('tini');
    // One line is about tini, which the webhook puts in, and one about a probe that is left to its author.
    expect([lines.length, unfixed]).toEqual([2, 1]);
    expect(lines.join('\n')).toContain(
      'not written: tini: the webhook puts tini into rabbitmq when the pod is created',
    );
  });

  it('leaves to the author what an anchor would carry elsewhere', async () => {
    const shared = `${probe('&check [sh, -c, "a | b"]')}      - name: other
        image: x
        livenessProbe: {exec: {command: *check}, timeoutSeconds: 9}
`;
    expect((await fix(shared)).fixes).toHaveLength(1);
    const whole = probe('[a]').replace(
      /readinessProbe:[\s\S]*$/,
      'readinessProbe: &p {exec: {command: [sh, -c, "a | b"]}}\n        startupProbe: *p\n',
    );
    const { text, unfixed, lines } = await fix(whole);
    expect(text).toBe(whole);
    expect(unfixed).toBe(1);
    expect(lines[0]).toContain('write it by hand');
  });

  it('keeps documents that it cannot read', async () => {
    const text = `a: [\n---\n${probe('[sh, -c, "a | b"]')}`;
    const fixed = await fix(text);
    expect(fixed).toMatchObject({ text: `${text}          timeoutSeconds: 5\n`, unread: 1 });
    expect(fixed.fixes).toEqual([expect.stringContaining('timeoutSeconds: 5')]);
    expect(fixed.lines).toEqual([expect.stringContaining('f.yaml:2: not valid YAML')]);
  });
});

const fixtures = [
  join('test', 'rules'),
  join('test', 'remedies'),
  join('test', 'audit'),
  join('manifests', 'demo'),
].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => join(folder, file)),
);

describe.each([
  ['as it is', {}],
  ['with auto', { 'gravekeeper.dev/inject': 'auto' }],
  ['with share-pid', sharing],
])('every fixture %s', (_, assumed) => {
  it.each(fixtures)('%s: fixing again changes nothing, and what was fixed is gone', async (file) => {
    const before = readFileSync(file, 'utf8');
    const once = await fix(before, assumed);
    const twice = await fix(once.text, assumed);
    expect(twice.text).toBe(once.text);
    expect(twice.fixes).toEqual([]);
    const found = (text: string) =>
      auditOf(text, { assumed })
        .objects.flatMap(({ findings }) => findings)
        .filter(({ severity }) => severity !== 'info').length;
    expect(found(once.text)).toBeLessThanOrEqual(found(before));
    const shared = auditOf(once.text, { assumed }).objects.filter(
      ({ remedy }) => remedy.kind === 'share-pid',
    );
    expect(shared).toEqual([]);
  });
});
