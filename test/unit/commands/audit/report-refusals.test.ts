import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type FakeApiServer, startFakeApiServer } from '../../../support/fake-api-server.ts';

let server: FakeApiServer;
let folder: string;
/** What is refused, by namespace. */
const refusals = new Map<string, { readonly status: number; readonly body: object | string }>();
const written: string[] = [];

const probe = { exec: { command: ['rabbitmqctl', 'node_health_check'] } };
const deployment = (namespace: string) => ({
  metadata: { name: 'queue', namespace },
  spec: { template: { spec: { containers: [{ name: 'app', image: 'x', livenessProbe: probe }] } } },
});
const namespaces = ['first', 'second', 'third'];
const reportPath = /^\/apis\/openreports\.io\/v1alpha1\/namespaces\/([^/]+)\/reports\/gravekeeper$/;

async function answer(request: IncomingMessage): Promise<{ status: number; body: object | string }> {
  const { pathname } = new URL(request.url ?? '', 'https://localhost');
  if (pathname === '/apis/openreports.io/v1alpha1')
    return { status: 200, body: { resources: [{ name: 'reports' }] } };
  const [, namespace] = reportPath.exec(pathname) ?? [];
  if (request.method === 'PATCH' && namespace !== undefined) {
    await text(request);
    const refusal = refusals.get(namespace);
    if (refusal) return refusal;
    written.push(namespace);
    return { status: 201, body: {} };
  }
  const items = pathname === '/apis/apps/v1/deployments' ? namespaces.map(deployment) : [];
  return { status: 200, body: { items } };
}

beforeAll(async () => {
  server = await startFakeApiServer();
  for (const name of namespaces) server.set(name, {});
  server.always('get', (request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, {
        'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
      });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  folder = mkdtempSync(join(tmpdir(), 'gravekeeper-refusals-'));
  writeFileSync(join(folder, 'kubeconfig'), server.kubeconfig);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  refusals.clear();
  written.length = 0;
});

function audit(...words: readonly string[]): Promise<{ status: unknown; stdout: string; stderr: string }> {
  const kubeconfig = join(folder, 'kubeconfig');
  const all = ['audit', '--cluster', '--kubeconfig', kubeconfig, '--report', 'openreports', ...words];
  return new Promise((resolve) => {
    const options = { env: { ...process.env, NO_COLOR: '1' } };
    // Beside this process, which is the server.
    execFile(process.execPath, ['src/main.js', ...all], options, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? 0, stdout, stderr }),
    );
  });
}

const status = (code: number, message: string, details: object = {}) => ({
  status: code,
  body: { kind: 'Status', status: 'Failure', code, message, details },
});

it('ends with 0 where every report is written', async () => {
  const { status, stderr } = await audit('--fail-on', 'never');
  expect({ status, stderr, written }).toEqual({
    status: 0,
    stderr: '3 reports written, 0 unchanged, 0 deleted\n',
    written: namespaces,
  });
});

it.each([
  [
    'a ResourceQuota',
    status(
      403,
      'reports.openreports.io "gravekeeper" is forbidden: exceeded quota: few, requested: count/reports.openreports.io=1, used: count/reports.openreports.io=0, limited: count/reports.openreports.io=0',
    ),
    'HTTP 403: reports.openreports.io "gravekeeper" is forbidden: exceeded quota: few',
  ],
  [
    'a webhook that denies it',
    status(400, 'admission webhook "no.example.com" denied the request: no reports here'),
    'HTTP 400: admission webhook "no.example.com" denied the request: no reports here',
  ],
  [
    'a right that is missing',
    status(403, 'reports.openreports.io "gravekeeper" is forbidden: User "audit" cannot patch resource'),
    'HTTP 403: reports.openreports.io "gravekeeper" is forbidden: User "audit" cannot patch',
  ],
  [
    'a change in between',
    status(409, 'the object has been modified'),
    'HTTP 409: the object has been modified',
  ],
  [
    'a proxy that takes nothing so large',
    { status: 413, body: '<h1>413 Request Entity Too Large</h1>' },
    'HTTP 413: <h1>413 Request Entity Too Large</h1>',
  ],
] as const)(
  'writes the others where %s refuses one, says so, and ends with 2',
  async (_, refusal, reason) => {
    refusals.set('second', refusal);
    const { status, stdout, stderr } = await audit('--fail-on', 'never', '-o', 'json');
    expect(written).toEqual(['first', 'third']);
    const [line = '', last, ...rest] = stderr.split('\n');
    expect(line).toContain(`the report on second was not written: ${reason}`);
    expect([last, ...rest]).toEqual(['2 reports written, 0 unchanged, 0 deleted, 1 failed', '']);
    expect(status).toBe(2);
    // Nothing was wrong with what was read.
    expect(JSON.parse(stdout).problems).toEqual([]);
  },
);

it('passes a namespace over that is about to go', async () => {
  const causes = [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }];
  const message = 'unable to create new content in namespace second because it is being terminated';
  refusals.set('second', status(403, message, { causes }));
  const { status: ended, stderr } = await audit('--fail-on', 'never');
  expect({ ended, stderr, written }).toEqual({
    ended: 0,
    stderr: '2 reports written, 0 unchanged, 0 deleted\n',
    written: ['first', 'third'],
  });
});
