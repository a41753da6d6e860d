import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { InputError } from '../../../src/input-error.ts';
import { openApiServer } from '../../../src/kube/open-api-server.ts';
import { type FakeApiServer, startFakeApiServer } from '../../support/fake-api-server.ts';

let api: FakeApiServer;
let folder: string;
let file: string;
beforeAll(async () => {
  api = await startFakeApiServer();
  folder = mkdtempSync(join(tmpdir(), 'gravekeeper-kubeconfig-'));
  file = join(folder, 'config');
  writeFileSync(file, api.kubeconfig);
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

it('asks the cluster of the kubeconfig that is named, or of KUBECONFIG', async () => {
  for (const opened of [
    await openApiServer(file, {}),
    await openApiServer(undefined, { KUBECONFIG: file }),
  ]) {
    const answer = await opened?.request('GET', '/api/v1/namespaces');
    expect(answer).toMatchObject({ status: 200, body: { kind: 'NamespaceList' } });
  }
});

it('is null without a cluster', async () => {
  expect(await openApiServer(undefined, {})).toBeNull();
});

it('refuses a kubeconfig that cannot be used, in words', async () => {
  const opened = openApiServer(join(folder, 'nope'), {});
  await expect(opened).rejects.toThrow(InputError);
  await expect(opened).rejects.toThrow(/^the kubeconfig .*nope cannot be used: ENOENT/);
});
