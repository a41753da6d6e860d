import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Server, startServer, user } from '../servers.ts';
import { basic, certificates, opened, servers, token, tokens, webhookWith } from '../stage.ts';
import type { Webhook } from '../webhook.ts';

describe('who may read it', () => {
  let webhook: Webhook;
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
    const api = opened(
      await startServer(certificates, (request, response) => {
        const found = secrets[request.url?.match(/^\/api\/v1\/namespaces\/shop\/secrets\/(.+)$/)?.[1] ?? ''];
        response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
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
