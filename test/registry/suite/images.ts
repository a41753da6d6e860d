import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { digestIn, push } from '../layout.ts';
import { upload } from '../servers.ts';
import { certificates, folder, images, imagesConfig, layout, open, webhookWith } from '../stage.ts';
import type { Webhook } from '../webhook.ts';

describe('what a registry has', () => {
  let webhook: Webhook;
  before(async () => {
    webhook = await webhookWith();
  });

  const argvOf = async (image: string, spec: object = {}) => {
    const { container, wrapped } = await webhook.admit({ image: `${open.host}/team/${image}` }, spec);
    return wrapped ? (container.args ?? []) : null;
  };

  for (const [name, config] of Object.entries(images)) {
    it(`is put behind tini: ${name}`, async () => {
      const entrypoint = config.Entrypoint?.join() === '' ? [] : (config.Entrypoint ?? []);
      const expected = [...entrypoint, ...(config.Cmd ?? [])].map((word) => word.replaceAll('$', '$$$$'));
      assert.deepEqual(await argvOf(`${name}:v1`), expected.length > 0 ? expected : null);
    });
  }

  it('is put behind tini without the capability to signal others, unless its user is root', async () => {
    const securityContext = { capabilities: { drop: ['ALL'] } };
    const reasonsOf = async (name: string, command: object = {}) => {
      const container = { image: `${open.host}/team/${name}:v1`, securityContext, ...command };
      const { wrapped, answer } = await webhook.admit(container);
      return { wrapped, said: JSON.stringify(answer.auditAnnotations) };
    };
    for (const command of [{}, { command: ['report', 'by the pod'] }]) {
      assert.equal((await reasonsOf('server-not-root', command)).wrapped, true);
      for (const name of ['exec-form', 'named-root']) {
        const { wrapped, said } = await reasonsOf(name, command);
        assert.equal(wrapped, false);
        assert.match(said, /uid-change/);
      }
    }
  });

  it('is found by its digest', async () => {
    const digest = await digestIn(`${open.host}/team/both:v1`);
    assert.deepEqual(await argvOf(`both@${digest}`), ['/bin/report', '-x', 'one', 'two']);
    assert.deepEqual(await argvOf(`both:no-such-tag@${digest}`), ['/bin/report', '-x', 'one', 'two']);
  });

  it('is found with the media types of Docker', async () => {
    assert.deepEqual(await argvOf('docker-types:v1'), ['/bin/report', '-x', 'one', 'two']);
  });

  it('is taken for another architecture where there is no other', async () => {
    assert.deepEqual(await argvOf('arm64-only:v1'), ['report', 'arm']);
  });

  it('is chosen from an index by architecture, attestations left out', async () => {
    assert.deepEqual(await argvOf('index:v1'), ['report', 'amd']);
    assert.deepEqual(await argvOf('index:v1', { nodeSelector: { 'kubernetes.io/arch': 'arm64' } }), [
      'report',
      'arm',
    ]);
  });

  it('is left alone in the first version of the manifest', async () => {
    assert.equal(await argvOf('schema1:v1'), null);
  });

  it('keeps the args of the pod byte for byte, in place of CMD', async () => {
    const { container } = await webhook.admit({
      image: `${open.host}/team/dollars:v1`,
      args: ['$(A)', '$$'],
    });
    assert.deepEqual(container.args, ['report', '$$(A)', '$$$$(A)', '$$$$', '$$', '$(A)', '$$']);
  });

  it('is left alone where there is none', async () => {
    assert.equal(await argvOf('none:v1'), null);
    assert.equal(await argvOf('both:none'), null);
  });

  it('is not read where a config has 100 MiB', async () => {
    await upload(open, certificates.ca, 'team/huge', 'v1', Buffer.alloc(100 * 1024 * 1024, ' '));
    assert.equal(await argvOf('huge:v1'), null);
    assert.match(
      (await webhook.metrics('gravekeeper_image_fetches_total{result="too-large"}')).join(),
      / 1$/,
    );
  });

  it('is told by the command line too', async () => {
    const config = join(folder, 'config.yaml');
    writeFileSync(config, JSON.stringify({ images: imagesConfig() }));
    const words = ['src/main.js', 'image', `${open.host}/team/not-root:v1`, '--config', config, '-o', 'json'];
    const { stdout, stderr, status } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const { argv, user, digest, platform, auto } = JSON.parse(stdout);
    assert.deepEqual(argv, ['report']);
    assert.equal(user, '1000');
    assert.equal(digest, await digestIn(`${open.host}/team/not-root:v1`));
    assert.deepEqual(platform, { os: 'linux', architecture: 'amd64' });
    assert.equal(auto.remedy, 'tini');
  });

  it('is told to audit and fix where they ask', () => {
    const config = join(folder, 'config.yaml');
    writeFileSync(config, JSON.stringify({ images: imagesConfig() }));
    const manifest = join(folder, 'deployments.json');
    const items = ['both', 'server-not-root', 'exec-form', 'none'].map((name) => {
      const securityContext = { capabilities: { drop: ['ALL'] } };
      const containers = [{ name: 'app', image: `${open.host}/team/${name}:v1`, securityContext }];
      const spec = { template: { spec: { containers } } };
      return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec };
    });
    writeFileSync(manifest, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    const run = (...words: string[]) => {
      const options = ['-f', manifest, '--assume', 'inject=auto', '--config', config, '--resolve-images'];
      const all = ['src/main.js', ...words, ...options];
      return spawnSync(process.execPath, all, { encoding: 'utf8' });
    };
    const audit = run('audit', '-o', 'json');
    assert.equal(audit.status, 0, audit.stderr);
    assert.deepEqual(
      JSON.parse(audit.stdout).objects.map(
        ({ remedy }: { remedy: { kind: string; reason: string } }) => `${remedy.kind} ${remedy.reason}`,
      ),
      ['share-pid uid-change', 'tini argv-known', 'share-pid uid-change', 'null uid-change'],
    );
    assert.match(audit.stderr, /^1 of 4 images could not be looked up;.*\n {2}not-found: .*\n.*none:v1\n$/);
    const fix = run('fix');
    assert.equal(fix.status, 0, fix.stderr);
    assert.deepEqual(
      JSON.parse(fix.stdout).items.map(
        ({ spec }: (typeof items)[number]) => 'shareProcessNamespace' in spec.template.spec,
      ),
      [true, false, true, false],
    );
  });

  it('is what a tag has moved to, once what is remembered of the tag is over', async () => {
    const image = `${open.host}/team/moving:v1`;
    await push(layout, 'exec-form', image);
    const forgetful = await webhookWith({ cache: { tagSeconds: 0 } });
    const admitted = async (at: Webhook) => (await at.admit({ image })).container.args;
    assert.deepEqual(await admitted(forgetful), ['/bin/report', 'from the image']);
    assert.deepEqual(await admitted(webhook), ['/bin/report', 'from the image']);
    await push(layout, 'both', image);
    assert.deepEqual(await admitted(forgetful), ['/bin/report', '-x', 'one', 'two']);
    assert.deepEqual(await admitted(webhook), ['/bin/report', 'from the image']);
  });
});
