import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { MeddlingProxy } from '../servers.ts';

import { open, proxy, webhookWith } from '../stage.ts';

describe('a registry that misbehaves', () => {
  const cases: readonly (readonly [
    title: string,
    cause: string,
    meddle: Parameters<MeddlingProxy['meddle']>[0],
  ])[] = [
    [
      'lies about a manifest',
      'digest-mismatch',
      (_request, response) => {
        const type = 'application/vnd.oci.image.manifest.v1+json';
        const digest = `sha256:${'0'.repeat(64)}`;
        response.writeHead(200, { 'content-type': type, 'docker-content-digest': digest });
        response.end('{"schemaVersion":2}');
        return true;
      },
    ],
    [
      'lies about a config',
      'digest-mismatch',
      (request, response) => {
        if (!request.url?.includes('/blobs/')) return false;
        response.end('{"os":"linux","config":{"Cmd":["evil"]}}');
        return true;
      },
    ],
    [
      'sends to the metadata service',
      'http-not-allowed',
      (request, response) => {
        if (!request.url?.includes('/blobs/')) return false;
        response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
        return true;
      },
    ],
    [
      'sends to the metadata service over TLS',
      'address-not-allowed',
      (_request, response) => {
        response.writeHead(307, { location: 'https://169.254.169.254/' }).end();
        return true;
      },
    ],
    [
      'sends to a host of the cluster',
      'address-not-allowed',
      (_request, response) => {
        response.writeHead(307, { location: 'https://localhost:1/' }).end();
        return true;
      },
    ],
    [
      'has a realm at the metadata service',
      'http-not-allowed',
      (_request, response) => {
        response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://169.254.169.254/token"' }).end();
        return true;
      },
    ],
    ...(
      [
        [401, 'denied'],
        [403, 'denied'],
        [404, 'not-found'],
        [429, 'rate-limited'],
        [500, 'registry-error'],
      ] as const
    ).map(
      ([status, cause]) =>
        [
          `answers ${status}`,
          cause,
          (_request: unknown, response: import('node:http').ServerResponse) => {
            response.writeHead(status, { 'retry-after': '5' }).end('a secret of the registry');
            return true;
          },
        ] as const,
    ),
    ['never answers', 'timeout', () => true],
    [
      'drips',
      'timeout',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
        const timer = setInterval(() => response.write(' '), 200);
        response.once('close', () => clearInterval(timer));
        return true;
      },
    ],
    [
      'sends without end',
      'too-large',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
        const more = (): void => {
          while (!response.destroyed && response.write(' '.repeat(65_536)));
          response.once('drain', more);
        };
        more();
        return true;
      },
    ],
  ];

  for (const [title, cause, meddle] of cases) {
    it(`${title}: the pod is admitted as it is, and the cause is counted`, async () => {
      proxy.meddle(meddle);
      const webhook = await webhookWith({ deadlineSeconds: 0.5 });
      const { wrapped, answer } = await webhook.admit({ image: `${proxy.host}/team/both:v1` });
      assert.equal(wrapped, false);
      assert.equal(answer.allowed, true);
      assert.deepEqual(answer.patch, []);
      assert.doesNotMatch(JSON.stringify(answer), /secret of the registry/);
      const line = `gravekeeper_image_fetches_total{result="${cause}"} 1`;
      // A look-up goes on behind the deadline of its pod, for five seconds at most.
      for (let tries = 0; !(await webhook.metrics(line)).includes(line); tries += 1) {
        assert.ok(tries < 200, `no ${line}: ${await webhook.metrics('gravekeeper_image')}`);
        await delay(50);
      }
    });
  }

  it('may send to another host that is allowed', async () => {
    proxy.meddle((request, response) => {
      if (!request.url?.includes('/blobs/')) return false;
      response.writeHead(307, { location: `https://${open.host}${request.url}` }).end();
      return true;
    });
    const webhook = await webhookWith();
    assert.equal((await webhook.admit({ image: `${proxy.host}/team/both:v1` })).wrapped, true);
  });

  it('does no harm once it behaves again', async () => {
    proxy.meddle(() => false);
    const webhook = await webhookWith();
    assert.equal((await webhook.admit({ image: `${proxy.host}/team/both:v1` })).wrapped, true);
  });
});
