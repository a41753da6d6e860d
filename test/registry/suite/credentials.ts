import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Server, startServer, user } from '../servers.ts';
import { basic, certificates, opened, servers, token, tokens, webhookWith } from '../stage.ts';
import type { Webhook } from '../webhook.ts';

describe('who may read it', () => {
  let webhook: Webhook;
  const accountsRead: string[] = [];
  before(async () => {
    const secret = (registry: Server, password: string) => ({
      kind: 'Secret',
      type: 'kubernetes.io/dockerconfigjson',
      data: {
        '.dockerconfigjson': Buffer.from(
          JSON.stringify({
            auths: {
              [`https://${registry.host}/v2/`]: {
                auth: Buffer.from(`${user.name}:${password}`).toString('base64'),
              },
            },
          }),
        ).toString('base64'),
      },
    });
    const secrets: Readonly<Record<string, object>> = {
      basic: secret(basic, user.password),
      token: secret(token, user.password),
      'wrong-basic': secret(basic, 'wrong'),
      'wrong-token': secret(token, 'wrong'),
    };
    const accounts: Readonly<Record<string, object>> = {
      default: {},
      builder: { imagePullSecrets: [{ name: 'wrong-basic' }, { name: 'basic' }] },
    };
    const api = opened(
      await startServer(certificates, (request, response) => {
        const [, kind, name = ''] =
          /^\/api\/v1\/namespaces\/shop\/(secrets|serviceaccounts)\/(.+)$/.exec(request.url ?? '') ?? [];
        if (name === 'silent') return;
        if (kind === 'serviceaccounts') accountsRead.push(name);
        const found = (kind === 'secrets' ? secrets : accounts)[name];
        const status = found ? 200 : name === 'forbidden' ? 403 : 404;
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(found ?? { kind: 'Status' }));
      }),
    );
    webhook = await webhookWith({}, api);
  });

  const wrapped = async (image: string, ...secrets: string[]) =>
    (await webhook.admit({ image }, { imagePullSecrets: secrets.map((name) => ({ name })) })).wrapped;

  for (const kind of ['basic', 'token'] as const) {
    it(`whoever has the right ${kind} credential, before and after others have asked`, async () => {
      const image = `${{ basic, token }[kind].host}/team/private:v1`;
      assert.equal(await wrapped(image), false);
      assert.equal(await wrapped(image, `wrong-${kind}`), false);
      assert.equal(await wrapped(image, kind), true);
      assert.equal(await wrapped(image), false);
      assert.equal(await wrapped(image, `wrong-${kind}`), false);
      assert.equal(await wrapped(image, 'absent', `wrong-${kind}`, kind), true);
    });
  }

  it('whoever makes a template whose pods will get the credential from their service account', async () => {
    const containers = [{ name: 'app', image: `${basic.host}/team/private:v1` }];
    const isKnown = async (spec: object) => {
      const { allowed, warnings } = await webhook.validate({ containers, ...spec });
      assert.equal(allowed, true);
      return !warnings.some((warning) => warning.includes('argv-unknown'));
    };
    const all = Array.from({ length: 20 }, () => isKnown({ serviceAccountName: 'builder' }));
    assert.deepEqual(new Set(await Promise.all(all)), new Set([true]));
    assert.deepEqual(accountsRead, ['builder'], 'read once for all');
    assert.equal(await isKnown({ imagePullSecrets: [{ name: 'basic' }] }), true);
    const builder = { serviceAccountName: 'builder', imagePullSecrets: [{ name: 'wrong-basic' }] };
    assert.equal(await isKnown(builder), false, 'it names others itself');
    for (const spec of [
      {},
      ...['absent', 'forbidden', 'silent'].map((serviceAccountName) => ({ serviceAccountName })),
    ]) {
      assert.equal(await isKnown(spec), false, JSON.stringify(spec));
    }
    accountsRead.length = 0;
    assert.equal(await wrapped(`${basic.host}/team/private:v1`), false);
    assert.deepEqual(accountsRead, [], 'a pod has got them already');
  });

  it('everyone, where a token is given to everyone', async () => {
    assert.equal(await wrapped(`${token.host}/public/app:v1`), true);
    assert.equal(await wrapped(`${token.host}/public/app:v1`, 'wrong-token'), true);
  });

  it('nobody gets a credential sent to a realm on another host that is not listed', async () => {
    const hosts = Object.fromEntries([token, tokens].map(({ host }) => [host, { privateAddress: true }]));
    const api = servers.at(-2);
    assert.ok(api);
    const before = tokens.given.filter((name) => name === user.name).length;
    const strict = await webhookWith({ hosts }, api as Server);
    const spec = { imagePullSecrets: [{ name: 'token' }] };
    assert.equal((await strict.admit({ image: `${token.host}/team/private:v1` }, spec)).wrapped, false);
    assert.equal(tokens.given.filter((name) => name === user.name).length, before);
  });
});
