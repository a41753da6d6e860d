import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageCommand, knownOf } from '../../../src/commands/image.ts';
import { defaultConfig, parseConfig } from '../../../src/config/config.ts';
import { InputError } from '../../../src/input-error.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';

let registry: FakeRegistry;
let folder: string;
beforeAll(async () => {
  registry = await startFakeRegistry();
  folder = mkdtempSync(join(tmpdir(), 'gravekeeper-image-'));
});
afterAll(async () => {
  await registry.close();
  rmSync(folder, { recursive: true });
});

const image = (rest: string) => `localhost:${registry.port}/${rest}`;

function configText(): string {
  return JSON.stringify({
    images: {
      registries: [`localhost:${registry.port}`],
      hosts: { [`localhost:${registry.port}`]: { privateAddress: true, ca: registry.ca } },
    },
    argv: { redis: { entrypoint: ['docker-entrypoint.sh'], cmd: ['redis-server'] } },
  });
}

const config = () => {
  const outcome = parseConfig(configText(), { ruleIds: [] });
  if ('problems' in outcome) throw new Error(JSON.stringify(outcome.problems));
  return outcome.config;
};

describe('knownOf', () => {
  it('tells all of an image that a registry has', async () => {
    const digest = registry.image('team/app', 'v1', {
      Entrypoint: ['/e', '$(A)'],
      Cmd: ['$$'],
      User: '1000',
    });
    expect(await knownOf(image('team/app:v1'), config(), [], null)).toEqual({
      reference: image('team/app:v1'),
      source: 'registry',
      digest,
      platform: { os: 'linux', architecture: 'amd64' },
      user: '1000',
      entrypoint: ['/e', '$(A)'],
      cmd: ['$$'],
      argv: ['/e', '$(A)', '$$'],
      auto: { remedy: 'tini', reason: 'argv-known', message: expect.any(String) },
    });
  });

  it.each([
    [{ Entrypoint: ['/init'] }, null, 'needs-pid-1'],
    [{ Entrypoint: ['/usr/bin/tini', '--'], Cmd: ['app'] }, null, 'already-init'],
    [{ Cmd: ['nginx', '-g', 'daemon off;'] }, null, 'pid1-reaps'],
    [{ Cmd: ['sh', '-c', 'app; true'] }, null, 'shell-not-exec'],
    [{ Entrypoint: [''], Cmd: ['app'] }, 'tini', 'argv-known'],
    [{}, null, 'argv-unknown'],
  ])('says what auto does with %j', async (fields, remedy, reason) => {
    registry.image('team/app', 'auto', fields);
    expect((await knownOf(image('team/app:auto'), config(), [], null)).auto).toMatchObject({
      remedy,
      reason,
    });
  });

  it('asks nobody about an image that the configuration names', async () => {
    const known = await knownOf('redis:7', config(), [], null);
    expect(known).toMatchObject({
      reference: 'docker.io/library/redis:7',
      source: 'configuration',
      digest: null,
      argv: ['docker-entrypoint.sh', 'redis-server'],
    });
  });

  it('says why an image cannot be looked up', async () => {
    await expect(knownOf('quay.example/a', defaultConfig, [], null)).rejects.toThrow(InputError);
    await expect(knownOf('quay.example/a', defaultConfig, [], null)).rejects.toThrow(
      'quay.example/a cannot be looked up (registry-not-allowed)',
    );
    await expect(knownOf(image('team/none'), config(), [], null)).rejects.toThrow('(not-found)');
    await expect(knownOf('\u001b[31mred', defaultConfig, [], null)).rejects.toThrow('\\x1b[31mred');
  });
});

describe('gravekeeper image', () => {
  it('prints words of strangers so that they cannot do anything to a terminal', async () => {
    registry.image('team/app', 'evil', { Cmd: ['a\u001b[2J\u202e'], User: '\u001b]0;x' });
    const path = join(folder, 'config.json');
    writeFileSync(path, configText());
    const chunks: string[] = [];
    const write = process.stdout.write;
    process.stdout.write = ((chunk: string) => chunks.push(chunk) > 0) as typeof write;
    try {
      await imageCommand().parseAsync([image('team/app:evil'), '--config', path], { from: 'user' });
    } finally {
      process.stdout.write = write;
    }
    const text = chunks.join('');
    expect(text).toContain('team/app:evil');
    expect(text).not.toMatch(/[\u001b\u202e]/);
  });
});
