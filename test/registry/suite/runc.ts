import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type ContainerFields, environmentOf, executedArgv } from '../../support/kubelet.ts';
import { type Container, runContainer } from '../containers.ts';
import type { ImageConfig } from '../layout.ts';
import { containers, folder, images, open, root, variants, webhookWith } from '../stage.ts';
import type { Webhook } from '../webhook.ts';

const configs: Readonly<Record<string, ImageConfig>> = { ...images, ...variants };

describe('what is put behind tini', () => {
  let webhook: Webhook;
  before(async () => {
    webhook = await webhookWith();
  });

  /** The container as the runtime would run it, without and with what the webhook does. */
  async function bothWays(
    name: string,
    fields: ContainerFields & { readonly securityContext?: object } = {},
  ): Promise<readonly [plain: Container, wrapped: Container]> {
    const config = configs[name] ?? {};
    const image = `${open.host}/team/${name}:v1`;
    const env = [{ name: 'A', value: 'expanded' }, ...(fields.env ?? [])];
    const pod = { ...fields, env };
    const { container, wrapped } = await webhook.admit({ ...pod, image });
    assert.ok(wrapped);
    const ofImage = {
      entrypoint: config.Entrypoint?.join() === '' ? [] : (config.Entrypoint ?? []),
      cmd: config.Cmd ?? [],
    };
    const start = (own: ContainerFields) => {
      const [program = '', ...words] = executedArgv(own, ofImage);
      const started = runContainer(folder, root, {
        argv: [program.endsWith('/tini') ? '/gravekeeper/tini' : program, ...words],
        env: [
          ...(config.Env ?? ['PATH=/bin', 'HOME=/']),
          ...[...environmentOf(own)].map((pair) => pair.join('=')),
        ],
        cwd: own.workingDir ?? (config.WorkingDir || '/'),
        user: config.User === 'root' ? 0 : Number.parseInt(config.User ?? '0', 10),
      });
      containers.push(started);
      return started;
    };
    return [start(pod), start(container)];
  }

  const reporting = [
    'exec-form',
    'shell-form',
    'cmd-only',
    'both',
    'empty-entrypoint',
    'dollars',
    'not-root',
    'named-root',
    ...Object.keys(variants),
  ];
  for (const name of reporting) {
    it(`sees the same argv, environment, working directory and user, and ends the same: ${name}`, async () => {
      const [plain, wrapped] = await bothWays(name);
      const codes = await Promise.all([plain.exited, wrapped.exited]);
      assert.deepEqual(codes, [7, 7], plain.output() + wrapped.output());
      assert.equal(wrapped.output(), plain.output());
      assert.match(plain.output(), /^\/bin\/sh\n/);
    });
  }

  it('sees the same args of the pod', async () => {
    const [plain, wrapped] = await bothWays('dollars', { args: ['$(A)', '$$(A)', '$'] });
    await Promise.all([plain.exited, wrapped.exited]);
    assert.equal(wrapped.output(), plain.output());
    assert.match(plain.output(), /\nexpanded\n\$\(A\)\n\$\n--/);
  });

  it('reacts to TERM in the same way', async () => {
    for (const container of await bothWays('server')) {
      await container.said('ready --flag');
      container.signal('TERM');
      assert.equal(await container.exited, 9);
      assert.match(container.output(), /got TERM/);
    }
  });

  it('reacts to TERM in the same way as another user than root without the capability to signal it', async () => {
    const securityContext = { capabilities: { drop: ['ALL'] } };
    for (const container of await bothWays('server-not-root', { securityContext })) {
      await container.said('ready --flag');
      container.signal('TERM');
      assert.equal(await container.exited, 9);
    }
  });

  it('has no orphans left, where it had them all', async () => {
    const count = (comm: string, state: string) =>
      `for process in /proc/[0-9]*; do read -r _ name state _ < $process/stat && [ "$name $state" = "(${comm}) ${state}" ] && echo; done 2>/dev/null | wc -l`;
    const zombiesOf = async (container: Container) => {
      await container.said('ready');
      const number = (comm: string, state: string) => Number(container.exec(count(comm, state)));
      // tail is there once the three were started; it sleeps, and so do they until they end.
      for (let tries = 0; number('tail', 'S') === 0 || number('sleep', 'S') > 0; tries += 1) {
        assert.ok(tries < 100, 'the three never ended');
        await delay(50);
      }
      return number('sleep', 'Z');
    };
    const [plain, wrapped] = await bothWays('orphans');
    assert.equal(await zombiesOf(plain), 3);
    assert.equal(await zombiesOf(wrapped), 0);
    for (const container of [plain, wrapped]) container.signal('KILL');
    await Promise.all([plain.exited, wrapped.exited]);
  });
});
