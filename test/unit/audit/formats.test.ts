import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { auditGithub } from '../../../src/audit/formats/github.ts';
import { auditHtml } from '../../../src/audit/formats/html/page.ts';
import { auditJson } from '../../../src/audit/formats/json.ts';
import { auditJunit } from '../../../src/audit/formats/junit.ts';
import { auditReports, namespaceReports } from '../../../src/audit/formats/openreports.ts';
import { auditSarif } from '../../../src/audit/formats/sarif.ts';
import { auditTable } from '../../../src/audit/formats/table.ts';
import { objectName } from '../../../src/audit/formats/wording.ts';
import { isJsonObject } from '../../../src/pod/json.ts';
import { rules } from '../../../src/rules/index.ts';
import { columnsOf, terminalOf } from '../../../src/terminal.ts';
import { hostileManifest } from '../../audit/hostile-manifest.ts';
import { auditOf, rabbitmq } from './audit-of.ts';

const bare = rabbitmq.slice(rabbitmq.indexOf('---'));
const report = auditOf(bare, { excerpts: true }, 'deploy/my app.yaml');
const unread = auditOf(`${bare}---\na: [\n`);
const clean = auditOf(
  'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: b}]}\n',
);
const hostile = auditOf(hostileManifest, { excerpts: true }, 'a,b:c\n<d>.yaml');
const now = Date.UTC(2026, 10, 20, 12);

function terminal(width: number, colour: boolean) {
  return terminalOf({ isTTY: colour, columns: width }, {});
}

/** The schema of a CustomResourceDefinition; fields that it does not have, which an API server drops, do not fit it. */
function schemaOf(file: string) {
  const text = readFileSync(new URL(`../../cluster/crds/${file}`, import.meta.url), 'utf8');
  const [version] = parse(text).spec.versions;
  const { metadata: _, ...properties } = version.schema.openAPIV3Schema.properties;
  const metadata = { type: 'object', additionalProperties: true };
  const schema = JSON.stringify({ type: 'object', properties: { ...properties, metadata } });
  return z.fromJSONSchema(
    JSON.parse(schema, (_, value) => (isClosed(value) ? { ...value, additionalProperties: false } : value)),
  );
}

function isClosed(schema: unknown): boolean {
  return isJsonObject(schema) && schema.type === 'object' && schema.additionalProperties === undefined;
}

describe('the table', () => {
  it('shows objects with findings, the number of the others, and a summary at the end', () => {
    expect(auditTable(report, terminal(100, false))).toBe(`StatefulSet shop/rabbitmq  deploy/my app.yaml:2
  error    rabbitmq-node-health-check: line 16, liveness of rabbitmq: node_health_check is
           deprecated and may leak 8,640 zombies a day
           → tcpSocket: {port: 5672}, or exec: {command: [rabbitmq-diagnostics, -q, ping]} with
           periodSeconds: 60 and timeoutSeconds: 15
  warning  erlang-cli: line 20, readiness of rabbitmq: rabbitmqctl starts an Erlang VM and may leak
           2,880 zombies a day
           → tcpSocket: {port: 5672}, or keep the command with periodSeconds: 60 and timeoutSeconds:
           15
  warning  shell-with-children: line 20, readiness of rabbitmq: a run killed at timeoutSeconds 1 may
           leak its shell's children
           → timeoutSeconds: 5, or httpGet, tcpSocket or grpc instead of a shell

nothing here has opted in, so nothing would be changed: --assume inject=auto says what would

1 object: 1 error, 2 warnings
`);
    expect(auditTable(clean, terminal(100, false))).toBe(
      `1 object without findings or change

nothing here has opted in, so nothing would be changed: --assume inject=auto says what would

1 object: no findings
`,
    );
    expect(auditTable(unread, terminal(100, false))).toContain('unread  f.yaml:24: not valid YAML');
  });

  it.each([40, 80, 200])('fits %i columns, and shows nothing that a terminal acts on', (width) => {
    for (const each of [report, hostile, unread]) {
      const text = auditTable(each, terminal(width, false));
      expect(text).not.toMatch(/[^\P{C}\n]/u);
      const long = text.split('\n').filter((line) => columnsOf(line) > width);
      // What is one word or one name is not broken.
      const names = each.objects.map(objectName);
      expect(long.filter((line) => !names.includes(line) && !/^\s+\S+$/.test(line))).toEqual([]);
    }
  });

  it('puts the place of an object on a line of its own where it does not fit beside the name', () => {
    const head = (width: number) => auditTable(report, terminal(width, false)).split('\n').slice(0, 2);
    expect(head(80)[0]).toBe('StatefulSet shop/rabbitmq  deploy/my app.yaml:2');
    expect(head(40)).toEqual(['StatefulSet shop/rabbitmq', '  deploy/my app.yaml:2']);
  });

  it('says in words why nothing is done, and in the last line what would be', () => {
    const auto = { assumed: { 'gravekeeper.dev/inject': 'auto' } };
    const unknown = auditTable(
      auditOf(bare.replace(/ *command: \[my-broker\]\n/, ''), auto),
      terminal(200, false),
    );
    expect(unknown).toContain('remedy   nothing (argv-unknown): The command line is not known: ');
    expect(unknown).not.toContain('opted in');
    const twice = bare + bare.replace('name: rabbitmq\n', 'name: second\n');
    expect(auditTable(auditOf(twice, auto), terminal(200, false)).trimEnd()).toMatch(
      /\n2 objects: .*warnings, 2 notes; 2 would get tini$/,
    );
    const one = auditOf('apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: b}]}\n', {
      assumed: { 'gravekeeper.dev/inject': 'share-pid' },
    });
    expect(auditTable(one, terminal(200, false)).trimEnd()).toMatch(
      /\n1 object: no findings; 1 would share its PID namespace$/,
    );
  });

  it('paints where there is colour', () => {
    expect(auditTable(report, terminal(100, true))).toContain('\u001b[');
  });
});

describe('SARIF', () => {
  const sarif = JSON.parse(auditSarif(report));
  const [run] = sarif.runs;

  it('is one run of 2.1.0, with every rule described', () => {
    expect(sarif.version).toBe('2.1.0');
    expect(run.tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(rules.map(({ id }) => id));
    expect(run.invocations[0].executionSuccessful).toBe(true);
  });

  it('points at the line and the column of the source', () => {
    const lines = bare.split('\n');
    expect(run.results).toHaveLength(3);
    for (const { ruleId, ruleIndex, level, message, locations } of run.results) {
      expect(run.tool.driver.rules[ruleIndex].id).toBe(ruleId);
      expect(['error', 'warning', 'note']).toContain(level);
      expect(message.text).not.toBe('');
      const { artifactLocation, region } = locations[0].physicalLocation;
      expect(artifactLocation).toEqual({ uri: 'deploy/my%20app.yaml', uriBaseId: '%SRCROOT%' });
      expect(lines[region.startLine - 1]?.slice(region.startColumn - 1)).toMatch(/^command:/);
    }
  });

  it('gives each finding a fingerprint that survives a move', () => {
    const prints = (text: string) =>
      JSON.parse(auditSarif(auditOf(text))).runs[0].results.map(
        (result: { partialFingerprints: object }) => result.partialFingerprints,
      );
    expect(prints(`# one\n# two\n${bare}`)).toEqual(prints(bare));
    expect(new Set(prints(bare).map((each: object) => JSON.stringify(each))).size).toBe(3);
  });

  it('tells of what could not be read', () => {
    const { invocations } = JSON.parse(auditSarif(unread)).runs[0];
    expect(invocations[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [
        { level: 'error', locations: [{ physicalLocation: { region: { startLine: 24 } } }] },
      ],
    });
  });
});

describe('GitHub annotations', () => {
  it('name file, line and column', () => {
    expect(auditGithub(report).split('\n')[0]).toBe(
      '::error file=deploy/my app.yaml,line=16,col=13,title=gravekeeper rabbitmq-node-health-check::StatefulSet shop/rabbitmq, ' +
        'liveness of rabbitmq: node_health_check is deprecated and may leak 8,640 zombies a day. tcpSocket: {port: 5672}, ' +
        'or exec: {command: [rabbitmq-diagnostics, -q, ping]} with periodSeconds: 60 and timeoutSeconds: 15',
    );
  });

  it('are one line each, whatever names hold', () => {
    const lines = auditGithub(hostile).trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('::'))).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^::warning file=a%2Cb%3Ac <d>\.yaml,line=1,col=\d+,title=gravekeeper background::/,
    );
  });
});

describe('JUnit', () => {
  it('has a failure where a finding counts', () => {
    expect(auditJunit(report, 'error')).toContain('tests="1" failures="1" errors="0"');
    expect(auditJunit(report, 'never')).toContain('failures="0"');
    expect(auditJunit(report, 'never')).toContain('<system-out>error rabbitmq-node-health-check: line 16');
    expect(auditJunit(unread, 'error')).toContain('tests="2" failures="1" errors="1"');
  });

  it('is well-formed, whatever names hold', () => {
    expect(tagsOf(auditJunit(hostile, 'warning'))).toBe('balanced');
  });
});

describe('HTML', () => {
  it('loads nothing and runs nothing, whatever names hold', () => {
    for (const each of [report, hostile, unread, clean]) {
      const html = auditHtml(each, now).replace(/<style>[\s\S]*?<\/style>/, '');
      expect(html).not.toMatch(/<script|<link|<img|url\(|@import|\son\w+=|href=/i);
      expect(tagsOf(html.replace('<!doctype html>', '').replace(/<meta[^>]*>|<wbr>/g, ''))).toBe('balanced');
    }
  });

  it('shows each finding with the probe before and after', () => {
    const html = auditHtml(report, now);
    expect(html).toContain('<pre>livenessProbe:\n  exec:\n    command:\n      - rabbitmqctl');
    expect(html).toContain('2026-11-20 12:00 UTC');
    expect(html).toContain('11,520');
  });
});

it('shows what a remedy changes', () => {
  const html = auditHtml(auditOf(rabbitmq, { excerpts: true }), now);
  expect(html).toContain('StatefulSet shop/rabbitmq · inject tini (argv-known)');
  expect(html).toMatch(/<span class="good">\+ +- \/\S*tini\S*<\/span>/);
  expect(auditHtml(report, now)).not.toContain('class="card changes"');
});

describe('reports for the cluster', () => {
  it('are one for each namespace, with counts', () => {
    const [first, ...others] = namespaceReports(report, 'openreports', now);
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      apiVersion: 'openreports.io/v1alpha1',
      kind: 'Report',
      metadata: { name: 'gravekeeper', namespace: 'shop' },
      summary: { pass: 0, fail: 1, warn: 2, error: 0, skip: 0 },
    });
    expect(first?.results[0]).toMatchObject({
      policy: 'gravekeeper-probes',
      rule: 'rabbitmq-node-health-check',
      result: 'fail',
      severity: 'high',
      timestamp: { seconds: now / 1000, nanos: 0 },
      resources: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: 'shop', name: 'rabbitmq' }],
    });
  });

  it('are YAML that can be applied, in both APIs', () => {
    const [document, ...others] = parseAllDocuments(auditReports(report, 'wgpolicyk8s', now));
    expect(others).toEqual([]);
    expect(document?.toJS()).toMatchObject({ apiVersion: 'wgpolicyk8s.io/v1alpha2', kind: 'PolicyReport' });
    expect(document?.toJS()).not.toHaveProperty('source');
    expect(parseAllDocuments(auditReports(hostile, 'openreports', now))).toHaveLength(1);
  });

  it('stay small enough for the API server, the worst first', () => {
    const many = Array.from({ length: 800 }, (_, index) =>
      bare.replace('name: rabbitmq\n', `name: r${index}\n`),
    );
    const [first] = namespaceReports(auditOf(many.join('')), 'openreports', now);
    expect(first?.results).toHaveLength(1000);
    expect(first?.results.slice(0, 800).every(({ result }) => result === 'fail')).toBe(true);
    expect(first?.summary).toMatchObject({ fail: 800, warn: 1600, skip: 0 });
    expect(first?.results.at(-1)).toMatchObject({
      result: 'skip',
      message:
        '1,401 more results, none of them worse than these, had no room here. They are in the summary.',
      properties: { leftOut: '1401' },
    });
    expect(JSON.stringify(first).length).toBeLessThan(1_000_000);
  });

  it('stay so whatever their results are made of', () => {
    const [first] = auditOf(bare).objects;
    const [finding] = first?.findings ?? [];
    if (!first || !finding) throw new Error('no finding');
    const message = '\u20ac'.repeat(100_000);
    const findings = Array.from({ length: 9 }, () => ({ ...finding, message }));
    const [cut] = namespaceReports({ ...report, objects: [{ ...first, findings }] }, 'openreports', now);
    expect(cut?.summary.fail).toBe(9);
    expect(cut?.results.map(({ properties }) => properties)).toEqual([
      ...Array(3).fill(expect.objectContaining({ probe: 'liveness' })),
      { leftOut: '6' },
    ]);
    expect(Buffer.byteLength(JSON.stringify(cut))).toBeLessThan(1_010_000);
  });

  it('pass nothing that was not looked at', () => {
    const labels = 'labels: {gravekeeper.dev/probes: ignore}';
    const ignoring = `apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, ${labels}}\n${bare}`;
    const exempt = bare.replace('namespace: shop', 'namespace: kube-system');
    const reports = namespaceReports(auditOf(`${ignoring}${exempt}`), 'openreports', now);
    expect(reports).toMatchObject([
      { metadata: { namespace: 'shop' }, summary: { pass: 0, skip: 1 }, results: [] },
    ]);
  });

  it('name the owner of pods and revisions that it replaces, and say the same after it has', () => {
    const ofOwner = (kind: string, name: string, period: number) => `---
apiVersion: ${kind === 'ReplicaSet' ? 'apps/v1' : 'v1'}
kind: ${kind}
metadata:
  name: ${name}
  namespace: shop
  ownerReferences: [{apiVersion: example.com/v1, kind: Broker, name: orders, uid: u, controller: true}]
spec: ${kind === 'ReplicaSet' ? '{template: {spec: ' : ''}{containers: [{name: app, image: x, livenessProbe: {exec: {command: [rabbitmqctl, node_health_check]}, periodSeconds: ${period}}}]}${kind === 'ReplicaSet' ? '}}' : ''}
`;
    // As of a cluster: without files.
    const reportsOn = (text: string) => {
      const objects = auditOf(text).objects.map(({ file: _, ...object }) => object);
      return namespaceReports({ ...report, objects }, 'openreports', now);
    };
    const before = reportsOn(ofOwner('Pod', 'orders-a', 10) + ofOwner('Pod', 'orders-b', 10));
    expect(before[0]?.results).toMatchObject([
      {
        rule: 'rabbitmq-node-health-check',
        resources: [{ apiVersion: 'example.com/v1', kind: 'Broker', namespace: 'shop', name: 'orders' }],
      },
    ]);
    expect(reportsOn(ofOwner('Pod', 'orders-z', 10) + ofOwner('Pod', 'orders-y', 10))).toEqual(before);
    expect(reportsOn(ofOwner('ReplicaSet', 'orders-1', 10))[0]?.results[0]?.resources).toEqual(
      before[0]?.results[0]?.resources,
    );
    // A StatefulSet stays; what is to be mended stands there.
    const kept = ofOwner('ReplicaSet', 'orders', 10).replace('kind: ReplicaSet', 'kind: StatefulSet');
    expect(reportsOn(kept)[0]?.results[0]?.resources).toMatchObject([
      { kind: 'StatefulSet', name: 'orders' },
    ]);
    // While pods of two revisions run, each finding is there, in an order that does not hang on their names.
    const one = reportsOn(ofOwner('Pod', 'orders-a', 10) + ofOwner('Pod', 'orders-b', 20));
    expect(reportsOn(ofOwner('Pod', 'orders-a', 20) + ofOwner('Pod', 'orders-b', 10))).toEqual(one);
    expect(one[0]?.results).toHaveLength(2);
  });

  it('count an owner once, and pass it only if all of its pods do', () => {
    const owned = (text: string, name: string) =>
      text.replace('kind: StatefulSet', 'kind: ReplicaSet').replace(
        'name: rabbitmq\n  namespace: shop',
        `name: ${name}
  namespace: shop
  ownerReferences: [{apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: web, uid: u, controller: true}]`,
      );
    const clean = bare.replace(/ *livenessProbe[\s\S]*/, '');
    const other = clean.replace('spec:\n      containers', 'spec:\n      hostPID: true\n      containers');
    const auto = { assumed: { 'gravekeeper.dev/inject': 'auto' } };
    const summary = (text: string) => namespaceReports(auditOf(text, auto), 'openreports', now)[0]?.summary;
    expect(summary(owned(clean, 'web-1') + owned(other, 'web-2'))).toMatchObject({ pass: 1, fail: 0 });
    expect(summary(owned(clean, 'web-1') + owned(bare, 'web-2'))).toMatchObject({ pass: 0 });
  });

  it('warn of pods that lack what they should have got', () => {
    const [object] = auditOf(rabbitmq.replace(/livenessProbe[\s\S]*/, '')).objects;
    if (!object) throw new Error('no object');
    const notInjected = { pods: 3, likelyCause: 'the webhook slept' };
    const objects = [{ ...object, notInjected }];
    const [first] = namespaceReports({ ...report, objects }, 'openreports', now);
    expect(first?.summary).toEqual({ pass: 0, fail: 0, warn: 1, error: 0, skip: 0 });
    expect(first?.results).toMatchObject([
      {
        policy: 'gravekeeper-injection',
        rule: 'not-injected',
        result: 'warn',
        message: 'inject tini (argv-known): 3 pods run without it: the webhook slept',
      },
    ]);
  });

  it.each([
    ['openreports', 'openreports.io_reports.yaml'],
    ['wgpolicyk8s', 'wgpolicyk8s.io_policyreports.yaml'],
  ] as const)('of %s are what its CustomResourceDefinition describes', (api, file) => {
    const schema = schemaOf(file);
    const [object] = report.objects;
    if (!object) throw new Error('no object');
    const notInjected = { pods: 3, likelyCause: 'the webhook slept' };
    const findings = object.findings.map((each, index) => ({ ...each, accepted: index === 2 }));
    const many = Array.from({ length: 400 }, (_, name) => ({
      ...object,
      name: `${name}`,
      findings,
      notInjected,
    }));
    for (const objects of [[object], many]) {
      for (const each of namespaceReports({ ...report, objects }, api, now, true)) {
        expect(schema.safeParse(each).error).toBeUndefined();
      }
    }
    const [good] = namespaceReports(report, api, now);
    expect(schema.safeParse({ ...good, results: [{ result: 'warn' }] }).success).toBe(false);
    expect(schema.safeParse({ ...good, invented: true }).success).toBe(false);
  });
});

describe('JSON', () => {
  it('is the report, without anything that a terminal acts on', () => {
    expect(JSON.parse(auditJson(hostile))).toEqual(JSON.parse(JSON.stringify(hostile)));
    expect(auditJson(hostile)).not.toMatch(/[^\P{C}\n]/u);
  });
});

/** Whether every tag of a text is closed, in the order of opening; else the tag that is not. */
function tagsOf(markup: string): string {
  const open: string[] = [];
  for (const [tag, closing, name = '', rest = ''] of markup.matchAll(
    /<(\/?)([a-z][\w-]*)((?:"[^"]*"|[^<>"])*)>/gi,
  )) {
    if (closing) {
      if (open.pop() !== name) return `${tag} closes what is not open`;
    } else if (!rest.endsWith('/')) open.push(name);
  }
  const stray = markup.replace(/<\?[^?]*\?>|<(\/?)([a-z][\w-]*)((?:"[^"]*"|[^<>"])*)>/gi, '').match(/[<>]/);
  return open.length > 0 ? `${open.at(-1)} is not closed` : stray ? 'stray bracket' : 'balanced';
}
