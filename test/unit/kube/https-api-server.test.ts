import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiError, describeError } from '../../../src/kube/api-server.ts';
import { apiServerAt } from '../../../src/kube/https-api-server.ts';
import { inClusterApiServer } from '../../../src/kube/in-cluster.ts';
import { kubeconfigApiServer } from '../../../src/kube/kubeconfig-api-server.ts';
import { version } from '../../../src/version.ts';
import { answering, type Behaviour, failing, resetting, silent } from '../../support/fake-api-server.ts';
import { json, refusing, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

let server: ScriptedServer;
beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const words = (promise: Promise<unknown>) => promise.then(() => 'it was answered', describeError);

describe('a request from a pod', () => {
  it('carries token, name and version, and brings JSON back', async () => {
    server.answer(() => json({ items: [] }));
    const answer = await server.api.request('GET', '/api/v1/pods?limit=5&fieldSelector=a%3Db');
    expect(answer).toEqual({ status: 200, body: { items: [] }, text: '', retryAfterMs: null });
    const [asked] = server.asked;
    expect(asked).toMatchObject({ method: 'GET', path: '/api/v1/pods', body: '' });
    expect(asked?.query.get('fieldSelector')).toBe('a=b');
    expect(asked?.headers).toMatchObject({
      authorization: 'Bearer the-token',
      accept: 'application/json',
      'user-agent': `gravekeeper/${version}`,
    });
    expect(asked?.headers).not.toHaveProperty('content-type');
  });

  it('sends JSON, of the type that is asked for', async () => {
    server.answer(() => json({}));
    await server.api.request('POST', '/a', { ü: 1 });
    await server.api.request(
      'PATCH',
      '/a',
      { b: 2 },
      { contentType: 'application/merge-patch+json', accept: 'x/y' },
    );
    expect(server.asked.map(({ method, body, headers }) => [method, body, headers['content-type']])).toEqual([
      ['POST', '{"ü":1}', 'application/json'],
      ['PATCH', '{"b":2}', 'application/merge-patch+json'],
    ]);
    expect(server.asked[1]?.headers.accept).toBe('x/y');
  });

  it('reads the token anew each time, since it is renewed', async () => {
    server.answer(() => json({}));
    await server.api.request('GET', '/');
    writeFileSync(join(server.folder, 'token'), 'a-newer-token');
    await server.api.request('GET', '/');
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer the-token',
      'Bearer a-newer-token',
    ]);
  });

  it('goes over a connection that is kept', async () => {
    server.answer(() => json({}));
    const api = inClusterApiServer(server.env, server.folder);
    for (let i = 0; i < 5; i += 1) await api.request('GET', '/');
    expect(server.connections()).toBe(1);
  });

  it('finds an API server with an IPv6 address', async () => {
    const six = await startScriptedServer('::1');
    try {
      six.answer(() => json({ six: true }));
      expect(await six.api.request('GET', '/')).toMatchObject({ body: { six: true } });
      expect(six.asked[0]?.headers.host).toBe(`[::1]:${six.port}`);
    } finally {
      await six.close();
    }
  });
});

describe('an answer', () => {
  it.each<[string, Behaviour, object]>([
    ['with an error’s status', failing(403), { status: 403, body: { message: 'told to fail with 403' } }],
    ['that is HTML', refusing(502, {}, '<html>'), { status: 502, body: null, text: '<html>' }],
    ['that is half JSON', answering('{"items": ['), { status: 200, body: null, text: '{"items": [' }],
    ['that is empty', refusing(204), { status: 204, body: null, text: '' }],
    ['that leads elsewhere', refusing(302, { location: 'https://example.org/' }), { status: 302 }],
    ['that asks for patience', refusing(429, { 'retry-after': '7' }), { status: 429, retryAfterMs: 7000 }],
    ['that asks for nonsense', refusing(429, { 'retry-after': 'soon' }), { status: 429, retryAfterMs: null }],
    ['that asks for negative patience', refusing(429, { 'retry-after': '-1' }), { retryAfterMs: null }],
  ])('%s is handed over', async (_, behaviour, answer) => {
    server.answer(() => behaviour);
    expect(await server.api.request('GET', '/')).toMatchObject(answer);
    expect(server.asked).toHaveLength(1);
  });

  it('that is too long is cut off', async () => {
    server.answer(() => answering(JSON.stringify('x'.repeat(5000))));
    const request = server.api.request('GET', '/a', undefined, { maxBytes: 4096 });
    await expect(request).rejects.toThrow(new ApiError(200, '/a is answered with more than 4096 bytes'));
    expect(await server.api.request('GET', '/a', undefined, { maxBytes: 5002 })).toMatchObject({
      status: 200,
    });
  });

  it('of which only the beginning is shown where it is no JSON', async () => {
    server.answer(() => answering('x'.repeat(100_000)));
    expect((await server.api.request('GET', '/')).text).toHaveLength(1024);
  });
});

describe('a request without an answer', () => {
  it.each<[string, Behaviour, RegExp]>([
    ['is reset', resetting, /^no answer from https:\/\/127\.0\.0\.1:\d+: socket hang up$/],
    ['is never answered', silent, /^no answer within 0\.2 s$/],
    [
      'is answered by half',
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"items": [', () => response.destroy());
      },
      /^no answer from https:.*: aborted$/,
    ],
    [
      'is answered for ever',
      (_, response) => {
        response.writeHead(200);
        response.write('{');
      },
      /^no answer within 0\.2 s$/,
    ],
    [
      'gets no HTTP',
      (request) => void request.socket.end('220 mail ready\r\n'),
      /^no answer from .*Parse Error/,
    ],
  ])('%s: it fails in words', async (_, behaviour, message) => {
    server.answer(() => behaviour);
    const timeoutMs = behaviour === resetting ? 30_000 : 200;
    expect(await words(server.api.request('GET', '/', undefined, { timeoutMs }))).toMatch(message);
    server.answer(() => json({}));
    expect(await server.api.request('GET', '/')).toMatchObject({ status: 200 });
  });

  it('fails in words where nobody listens', async () => {
    const gone = createTcpServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port) };
    expect(await words(inClusterApiServer(env, server.folder).request('GET', '/'))).toBe(
      `no answer from https://127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
  });

  it('fails in words where the server cannot be trusted, and sends it no token', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-service-account-'));
    writeFileSync(join(folder, 'token'), 't');
    expect(await words(inClusterApiServer(server.env, folder).request('GET', '/'))).toMatch(
      /^the service account of this pod cannot be read: ENOENT.*ca\.crt'$/,
    );
    const other = await startScriptedServer();
    try {
      writeFileSync(join(folder, 'ca.crt'), other.ca);
      expect(await words(inClusterApiServer(server.env, folder).request('GET', '/'))).toMatch(
        /^no answer from https:.*: .*certificate/,
      );
    } finally {
      await other.close();
      rmSync(folder, { recursive: true });
    }
    expect(server.asked).toEqual([]);
  });

  it('fails in words for a token that is none', async () => {
    writeFileSync(join(server.folder, 'token'), 'two\nlines');
    expect(await words(server.api.request('GET', '/'))).toMatch(
      /^Invalid character in header content \["authorization"\]$/,
    );
  });

  it('ends with the reason of its signal, before and meanwhile', async () => {
    const over = new AbortController();
    server.answer(() => silent);
    const asked = server.next();
    const request = server.api.request('GET', '/', undefined, { signal: over.signal });
    await asked;
    over.abort(new Error('enough'));
    await expect(request).rejects.toThrow('enough');
    await expect(server.api.request('GET', '/', undefined, { signal: over.signal })).rejects.toThrow(
      'enough',
    );
    expect(server.asked).toHaveLength(1);
  });

  it('ends in time also where the credentials never come', async () => {
    const api = apiServerAt(() => new Promise(() => {}));
    expect(await words(api.request('GET', '/', undefined, { timeoutMs: 20 }))).toBe(
      'no answer within 0.02 s',
    );
  });
});

describe('a request by kubeconfig', () => {
  const kubeconfig = (its: { server: string; cluster?: object; user?: object }) => {
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [
        { name: 'c', server: its.server, caData: Buffer.from(server.ca).toString('base64'), ...its.cluster },
      ],
      users: [{ name: 'u', ...its.user }],
      contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
      currentContext: 'x',
    });
    return kubeconfigApiServer(config);
  };

  it('goes to its server, below its path, as its user', async () => {
    server.answer(() => json({}));
    const url = `https://127.0.0.1:${server.port}`;
    const api = kubeconfig({ server: `${url}/k8s/clusters/c-1/`, user: { token: 't' } });
    for (let i = 0; i < 3; i += 1) await api.request('GET', '/api/v1/pods?limit=1');
    await kubeconfig({ server: url, user: { username: 'me', password: 'secret' } }).request('GET', '/api');
    expect(server.asked.slice(2).map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/k8s/clusters/c-1/api/v1/pods', 'Bearer t'],
      ['/api', `Basic ${Buffer.from('me:secret').toString('base64')}`],
    ]);
    expect(server.connections()).toBe(2);
  });

  it('goes through the proxy that it names', async () => {
    const proxy = createServer();
    const tunnels: (string | undefined)[] = [];
    proxy.on('connect', ({ url }, socket) => {
      tunnels.push(url);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    const api = kubeconfig({
      server: 'https://cluster.example',
      cluster: { proxyUrl: `http://127.0.0.1:${port}` },
    });
    expect(await words(api.request('GET', '/'))).toMatch(
      /^no answer from https:\/\/cluster\.example: Bad response: 502/,
    );
    expect(tunnels).toEqual(['cluster.example:443']);
    proxy.close();
  });

  it('goes over plain HTTP where that is allowed', async () => {
    const plain = createServer((_, response) => void response.end('{"plain": true}'));
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const { port } = plain.address() as AddressInfo;
    const api = kubeconfig({ server: `http://127.0.0.1:${port}`, cluster: { skipTLSVerify: true } });
    expect(await api.request('GET', '/')).toMatchObject({ body: { plain: true } });
    plain.closeAllConnections();
    plain.close();
  });

  it('fails in words where a plugin does', async () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/nowhere/to/be/found' };
    const api = kubeconfig({ server: 'https://cluster.example', user: { exec } });
    expect(await words(api.request('GET', '/'))).toMatch(/nowhere.to.be.found/);
  });
});
