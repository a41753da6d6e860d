import { describe, expect, it } from 'vitest';
import { readBaseline } from '../../../src/audit/baseline.ts';
import { auditJson } from '../../../src/audit/formats/json.ts';
import { exitCodeOf } from '../../../src/audit/report.ts';
import { auditOf, rabbitmq } from './audit-of.ts';

const pod = (metadata: string, spec = '') =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: p${metadata}}\nspec:\n  containers:\n  - {name: app, image: x, command: [app]}\n${spec}`;

describe('an audit', () => {
  it('reports as the contract says, each finding with its place', () => {
    const { summary, objects, ...rest } = auditOf(rabbitmq);
    expect(rest).toEqual({ schemaVersion: 1, problems: [] });
    expect(summary).toEqual({
      objects: 1,
      findings: { error: 0, warning: 2, info: 1 },
      accepted: 0,
      remedies: { tini: 1, 'share-pid': 0, none: 0 },
      zombiesPerDay: 0,
    });
    expect(objects).toMatchObject([
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        namespace: 'shop',
        name: 'rabbitmq',
        file: 'f.yaml',
        line: 8,
        policy: { strategy: 'auto', probes: 'warn', dryRun: false },
        remedy: {
          strategy: 'auto',
          kind: 'tini',
          reason: 'argv-known',
          message: 'The command line is known and nothing speaks against tini.',
          containers: [{ name: 'rabbitmq', action: 'tini', reason: 'argv-known' }],
        },
        findings: [
          {
            rule: 'rabbitmq-node-health-check',
            severity: 'warning',
            container: 'rabbitmq',
            probe: 'liveness',
            pointer: '/spec/template/spec/containers/0/livenessProbe/exec/command',
            line: 22,
            column: 13,
          },
          { rule: 'erlang-cli', line: 26, column: 13 },
          { rule: 'shell-with-children', severity: 'info', line: 26 },
        ],
      },
    ]);
  });

  it('judges what has not opted in as it stands, with findings and no remedy', () => {
    const [object] = auditOf(rabbitmq.replace('auto', 'none')).objects;
    expect(object?.remedy).toMatchObject({ kind: null, reason: 'opted-out', strategy: null });
    const withoutNamespace = rabbitmq.slice(rabbitmq.indexOf('---'));
    const { objects, summary } = auditOf(withoutNamespace);
    expect(objects[0]?.remedy).toMatchObject({ kind: null, reason: 'not-opted-in' });
    expect(objects[0]?.findings.map(({ severity }) => severity)).toEqual(['error', 'warning', 'warning']);
    expect(summary.zombiesPerDay).toBe(8640 + 2880);
  });

  it('judges under dry run what is, and says what would be', () => {
    const dry = rabbitmq.replace('inject: auto', 'inject: auto\n    gravekeeper.dev/dry-run: "true"');
    const [object] = auditOf(dry).objects;
    expect(object?.remedy.kind).toBe('tini');
    expect(object?.findings[0]?.severity).toBe('error');
  });

  it('takes assumed labels for those that a namespace lacks, not for those that it has', () => {
    const bare = rabbitmq.slice(rabbitmq.indexOf('---'));
    const assumed = { 'gravekeeper.dev/inject': 'share-pid' };
    expect(auditOf(bare, { assumed }).objects[0]?.remedy.kind).toBe('share-pid');
    expect(auditOf(rabbitmq, { assumed }).objects[0]?.remedy.kind).toBe('tini');
  });

  it('finds nothing in namespaces that ignore probes or are exempt', () => {
    const ignoring = rabbitmq.replace('inject: auto', 'probes: ignore');
    expect(auditOf(ignoring).objects[0]?.findings).toEqual([]);
    expect(auditOf(rabbitmq.replaceAll('shop', 'kube-system')).objects[0]?.findings).toEqual([]);
  });

  it('knows the namespace of a Namespace that stands behind', () => {
    const [namespace = '', workload = ''] = rabbitmq.split('---\n');
    expect(auditOf(`${workload}---\n${namespace}`).objects[0]?.remedy.kind).toBe('tini');
  });

  it('leaves out what its owner speaks for', () => {
    const owned = (kind: string, name: string, label = '') =>
      pod(
        `${label}, ownerReferences: [{apiVersion: ${kind === 'Rollout' ? 'argoproj.io/v1' : 'apps/v1'}, kind: ${kind}, name: ${name}, controller: true}]`,
      );
    const deployment =
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: a, image: b}]}}}\n';
    const names = (text: string) => auditOf(text).objects.map(({ kind }) => kind);
    const byHash = ', labels: {pod-template-hash: 5f6}';
    expect(names(`${owned('ReplicaSet', 'web-5f6', byHash)}---\n${deployment}`)).toEqual(['Deployment']);
    expect(names(`${owned('ReplicaSet', 'other-5f6', byHash)}---\n${deployment}`)).toEqual([
      'Pod',
      'Deployment',
    ]);
    expect(names(owned('Rollout', 'web'))).toEqual(['Pod']);
  });

  it('names the owner of an owner, as far as names tell', () => {
    const owned = (labels: string, reference: string) =>
      auditOf(pod(`, labels: ${labels}, ownerReferences: [{${reference}, controller: true}]`)).objects[0]
        ?.owner;
    const replicaSet = 'apiVersion: apps/v1, kind: ReplicaSet, name: web-5f6';
    expect([
      owned('{pod-template-hash: 5f6}', replicaSet),
      owned('{rollouts-pod-template-hash: 5f6}', replicaSet),
      owned('{}', replicaSet),
      owned('{}', 'apiVersion: batch/v1, kind: Job, name: backup-29384756'),
      owned('{}', 'apiVersion: batch/v1, kind: Job, name: backup'),
      owned('{}', 'apiVersion: v1, kind: Node, name: n1'),
    ]).toEqual([
      'Deployment/web',
      'Rollout/web',
      'ReplicaSet/web-5f6',
      'CronJob/backup',
      'Job/backup',
      undefined,
    ]);
  });

  it('goes on after what it cannot read', () => {
    const { objects, problems } = auditOf(`a: [\n---\n${pod('')}---\nkind: Service\napiVersion: v1\n`);
    expect(objects).toHaveLength(1);
    expect(problems).toMatchObject([{ file: 'f.yaml', line: 2 }]);
  });

  it('says once of a chart’s template what it is', () => {
    const { problems } = auditOf('a: {{ .Values.a }}\nb: {{ .Values.b }}\n---\nc: {{ .Values.c }}\n  d: [\n');
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain('helm template');
  });
});

describe('exit codes', () => {
  it('are 0, 1 at or above the severity that fails, and 2 before both', () => {
    const warned = auditOf(rabbitmq);
    const failed = auditOf(rabbitmq.slice(rabbitmq.indexOf('---')));
    const unread = auditOf(`${rabbitmq}---\na: [\n`);
    expect([exitCodeOf(warned, 'error'), exitCodeOf(warned, 'warning'), exitCodeOf(failed, 'error')]).toEqual(
      [0, 1, 1],
    );
    expect([exitCodeOf(failed, 'never'), exitCodeOf(unread, 'never')]).toEqual([0, 2]);
  });

  it('leave out what the baseline holds, wherever it has moved', () => {
    const bare = rabbitmq.slice(rabbitmq.indexOf('---'));
    const baseline = readBaseline(auditJson(auditOf(bare)), 'baseline.json');
    const report = auditOf(`# moved\n${bare.replace('apps/v1', 'apps/v2')}`, { baseline });
    expect(report.summary).toMatchObject({ accepted: 3, findings: { error: 0, warning: 0, info: 0 } });
    expect(exitCodeOf(report, 'warning')).toBe(0);
    const renamed = auditOf(bare.replace('name: rabbitmq\n        image', 'name: other\n        image'), {
      baseline,
    });
    expect(exitCodeOf(renamed, 'error')).toBe(1);
  });

  it.each(['', '[]', '{"schemaVersion": 2, "objects": []}', '{"schemaVersion": 1, "objects": [{}]}'])(
    'of a baseline %j is 2, with words',
    (text) => {
      expect(() => readBaseline(text, 'b.json')).toThrow(
        /^b\.json: expected a report of gravekeeper audit -o json/,
      );
    },
  );
});
