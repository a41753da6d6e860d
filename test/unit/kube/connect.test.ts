import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/input-error.ts';
import { connect } from '../../../src/kube/connect.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gravekeeper-kubeconfig-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function kubeconfig(name: string, context: string | null = name): string {
  const path = join(folder, name);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    ...(context === null ? {} : { 'current-context': context }),
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server: `https://${name}.example` } }],
    users: [{ name, user: { token: name } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}
const serverOf = (...args: Parameters<typeof connect>) => connect(...args).getCurrentCluster()?.server;

describe('connect', () => {
  it('takes the file that is named before those of KUBECONFIG', () => {
    const [a, b] = [kubeconfig('a'), kubeconfig('b')];
    expect(serverOf(a, { KUBECONFIG: b })).toBe('https://a.example');
    expect(serverOf(undefined, { KUBECONFIG: b })).toBe('https://b.example');
  });

  it('merges the files of KUBECONFIG, and the first context counts', () => {
    const [a, b] = [kubeconfig('a'), kubeconfig('b')];
    expect(serverOf(undefined, { KUBECONFIG: `${b}:${a}` })).toBe('https://b.example');
  });

  it.each<[string, () => Parameters<typeof connect>, RegExp]>([
    ['nothing', () => [undefined, {}], /there is no cluster .* --kubeconfig FILE, or --namespaces FILE/],
    ['an empty KUBECONFIG', () => [undefined, { KUBECONFIG: '' }], /there is no cluster/],
    ['a missing file', () => [join(folder, 'nope'), {}], /the kubeconfig .*nope cannot be used: ENOENT/],
    [
      'no current context',
      () => [kubeconfig('c', null), {}],
      /c has no current context .* kubectl config use-context/,
    ],
    ['an unknown context', () => [kubeconfig('d', 'other'), {}], /d has no current context/],
    ['a broken file', () => [broken(), {}], /the kubeconfig .*broken cannot be used/],
  ])('refuses %s in words', (_, args, message) => {
    const attempt = () => connect(...args());
    expect(attempt).toThrow(InputError);
    expect(attempt).toThrow(message);
  });
});

function broken(): string {
  const path = join(folder, 'broken');
  writeFileSync(path, 'clusters: [');
  return path;
}
