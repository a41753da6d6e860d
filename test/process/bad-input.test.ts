import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith, program } from '../support/process.ts';

/*
 * Everything that a folder of manifests may hold besides manifests: an error for each such file, the rest goes on, and
 * the exit code is 2.
 */
const repository = join(import.meta.dirname, '../..');
const megabytes = 100 * 1024 * 1024;

function pod(name: string): string {
  return `apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  containers:
  - {name: a, image: b, livenessProbe: {exec: {command: [rabbitmqctl, node_health_check]}}}
`;
}

/** Ten aliases of ten aliases … of ten words: a billion words. */
const bomb = [...'abcdefghi'].map((name, index) => {
  const member = index === 0 ? 'x' : `*${'abcdefghi'[index - 1]}`;
  return `${name}: &${name} [${Array.from({ length: 10 }, () => member).join(', ')}]\n`;
});

/** What each file holds, and what is to be said of it. */
const bad: Readonly<Record<string, { readonly bytes: string | Uint8Array; readonly says: RegExp }>> = {
  'garbage.yaml': { bytes: ']][[ : : {', says: /^1: not valid YAML/ },
  'garbage-directive.yaml': { bytes: '%!@ ]][[ : : {\n', says: /^1: .*directive/ },
  'binary.yaml': {
    bytes: Uint8Array.from({ length: 4096 }, (_, index) => index % 256),
    says: /^null: .*binary/,
  },
  'latin-1.yaml': { bytes: Buffer.from('kind: Pod # \xe9\n', 'latin1'), says: /^null: .*not text in UTF-8/ },
  'large.yaml': {
    bytes: Buffer.alloc(megabytes, 'key: value\n'),
    says: /^1: .*100 MiB; expected at most 8 MiB/,
  },
  'bomb.yaml': { bytes: bomb.join(''), says: /^1: .*aliases/ },
  'duplicate.yaml': { bytes: `${pod('x')}kind: Job\n`, says: /^7: .*unique/ },
  'duplicate.json': { bytes: '{"kind": "Pod",\n"kind": "Job"}', says: /^2: .*unique/ },
  'tabs.yaml': { bytes: 'kind: Pod\nspec:\n\tcontainers: []\n', says: /^3: .*Tabs/ },
  'one-of-three.yaml': {
    bytes: `${pod('first')}---\na: [\n---\n${pod('third')}`,
    says: /^\d+: not valid YAML/,
  },
  'unreadable.yaml': { bytes: pod('secret'), says: /^null: .*permission denied/ },
};

const good: Readonly<Record<string, string | Uint8Array>> = {
  'plain.yaml': pod('plain'),
  'crlf.yaml': pod('crlf').replaceAll('\n', '\r\n'),
  'bom.yaml': `\ufeff${pod('bom')}`,
  'utf-16.yaml': Buffer.from(`\ufeff${pod('utf-16')}`, 'utf16le'),
  'large.json': `{"kind": "List", "items": [{"kind": "ConfigMap", "data": {"a": "${'x'.repeat(megabytes)}"}},
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "behind"}, "spec": {"containers": [{"name": "a", "image": "b",
    "livenessProbe": {"exec": {"command": ["rabbitmqctl", "node_health_check"]}}}]}}]}`,
};
const goodPods = ['behind', 'bom', 'crlf', 'first', 'plain', 'third', 'utf-16'];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gravekeeper-bad-'));
  for (const [name, { bytes }] of Object.entries(bad)) writeFileSync(join(folder, name), bytes);
  for (const [name, bytes] of Object.entries(good)) writeFileSync(join(folder, name), bytes);
  symlinkSync('loop.yaml', join(folder, 'loop.yaml'));
  symlinkSync('.', join(folder, 'circle'));
  chmodSync(join(folder, 'unreadable.yaml'), 0);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Root may read everything, unless it is without that capability. */
const asSomebody =
  process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] : [];

function gravekeeper(...args: readonly string[]) {
  const [command = '', ...words] = [...asSomebody, process.execPath, 'src/main.js', ...args];
  return spawnSync(command, words, {
    cwd: repository,
    encoding: 'utf8',
    maxBuffer: 512 * 1024 * 1024,
    // What a machine of continuous integration can spare.
    env: { ...process.env, NODE_OPTIONS: '--max-old-space-size=1024' },
  });
}

const expected = [
  ...Object.entries(bad).map(([name, { says }]) => [name, says] as const),
  ['loop.yaml', /^null: .*leads to itself/],
  ['circle', /^null: .*leads back/],
] as const;

describeWith([program('setpriv', 'util-linux')], 'a folder of everything', () => {
  it('is audited as far as it can be, and each file that cannot be read is told', {
    timeout: 120_000,
  }, () => {
    const { status, stdout, stderr } = gravekeeper('audit', '-f', folder, '-o', 'json');
    expect(stderr).toBe('');
    expect(status).toBe(2);
    const { objects, problems } = JSON.parse(stdout);
    expect(objects.map(({ name }: { name: string }) => name).sort()).toEqual(goodPods);
    for (const { findings } of objects) expect(findings).toHaveLength(1);
    const told = new Map<string, string>(
      problems.map(({ file, line, message }: { file: string; line: number | null; message: string }) => [
        basename(file),
        `${line}: ${message}`,
      ]),
    );
    for (const [name, says] of expected) expect(told.get(name), name).toMatch(says);
    expect(problems).toHaveLength(expected.length);
  });

  it('is fixed as far as it can be, and each file that cannot be read is told', { timeout: 120_000 }, () => {
    const { status, stdout, stderr } = gravekeeper(
      'fix',
      '-f',
      folder,
      '--assume',
      'inject=share-pid',
      '--diff',
    );
    expect(status).toBe(2);
    for (const [name] of expected) expect(stderr).toContain(join(folder, name));
    for (const name of goodPods.filter((each) => each !== 'behind' && each !== 'utf-16')) {
      expect(stdout).toContain(` metadata: {name: ${name}}`);
    }
    expect(stderr).toMatch(
      /large\.json:2: Pod default\/behind: .* not written: its document is larger than 8 MiB/,
    );
    // A diff of its text would apply to no file in UTF-16.
    expect(stderr).toMatch(
      /Pod default\/utf-16: .* not written: the file is text in UTF-16LE; save it as UTF-8/,
    );
    expect(stderr).not.toContain('should not happen');
  });
});
