import { describe, expect, it } from 'vitest';
import { longestBody } from '../../../src/admission/app.ts';
import { container, pod, review, start } from './harness.ts';

const paths = ['/mutate', '/validate', '/mutate/namespace-inject', '/validate/namespaces'];

describe('what is no review', () => {
  it.each([
    ['not JSON', '{"apiVersion": ', 400, 'the body is not JSON: '],
    ['no JSON at all', 'hello', 400, 'the body is not JSON: '],
    ['a list', '[]', 400, 'the body is an array'],
    ['null', 'null', 400, 'the body is null'],
    ['an object of another kind', '{"apiVersion":"v1","kind":"Pod"}', 400, 'kind is "Pod"'],
    [
      'another version',
      '{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{"uid":"u"}}',
      400,
      'apiVersion is "admission.k8s.io/v1beta1"; expected an AdmissionReview of admission.k8s.io/v1',
    ],
    [
      'no request',
      '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
      400,
      'request is missing',
    ],
    [
      'no uid',
      '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{}}',
      400,
      'request.uid is missing',
    ],
    ['nothing', '', 400, 'expected an AdmissionReview of admission.k8s.io/v1'],
  ])('refuses %s', async (_what, body, status, text) => {
    for (const path of paths) {
      const app = start();
      const response = await app.post(path, body);
      expect(response.status).toBe(status);
      expect(response.text).toContain(text);
      expect(response.text.split('\n')).toHaveLength(2);
      expect(response.headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(app.logged()).toMatchObject([{ level: 'warn', status }]);
      const webhook = path.split('/')[1];
      expect(await app.counted()).toEqual([
        `gravekeeper_admission_requests_total{webhook="${webhook}",outcome="rejected"} 1`,
      ]);
    }
  });

  it.each([
    undefined,
    'text/plain',
    'application/json-patch+json',
    'application/x-www-form-urlencoded',
    'application/yaml',
    'nonsense',
  ])('refuses content type %s', async (type) => {
    const { http } = start();
    const request = http.post('/mutate');
    if (type !== undefined) request.set('content-type', type);
    const response = await request.send(Buffer.from(JSON.stringify(review('Pod', pod([container])))));
    expect(response.status).toBe(415);
    expect(response.text).toContain('expected content type application/json');
  });

  it('takes parameters of the content type', async () => {
    const { http } = start();
    const request = http.post('/mutate').set('content-type', 'application/json; charset=UTF-8');
    expect((await request.send(JSON.stringify(review('Pod', pod([container]))))).status).toBe(200);
  });

  it('reads over a byte order mark', async () => {
    const { http } = start();
    const body = `\uFEFF${JSON.stringify(review('Pod', pod([container])))}`;
    const answer = await http.post('/mutate').set('content-type', 'application/json').send(body);
    expect(answer.status).toBe(200);
  });

  it('refuses a charset that it cannot read, and compressed bodies', async () => {
    const { http } = start();
    const latin = http.post('/mutate').set('content-type', 'application/json; charset=iso-8859-1');
    expect(await latin.send('{}')).toMatchObject({ status: 415, text: 'expected a body in UTF-8\n' });
    const packed = http
      .post('/mutate')
      .set('content-type', 'application/json')
      .set('content-encoding', 'gzip');
    expect(await packed.send('{}')).toMatchObject({
      status: 415,
      text: 'expected a body without content encoding\n',
    });
  });

  it('reads bodies of up to 8 MiB and refuses larger ones', async () => {
    const app = start();
    const filled = (bytes: number) => {
      const empty = JSON.stringify(review('Pod', pod([container], { annotations: { fill: '' } })));
      return empty.replace('"fill":""', `"fill":"${'x'.repeat(bytes - empty.length)}"`);
    };
    expect((await app.post('/mutate', filled(longestBody))).status).toBe(200);
    expect((await app.post('/mutate', filled(longestBody + 1))).status).toBe(413);
    const response = await app.post('/mutate', filled(12 * 1024 * 1024));
    expect(response).toMatchObject({
      status: 413,
      text: 'the body is larger than 8388608 bytes, the most that is read\n',
    });
    expect((await app.http.get('/healthz')).status).toBe(200);
  });
});

describe('routes', () => {
  it('says that it lives and whether it is ready', async () => {
    const ready = start({ ready: () => true }).http;
    expect(await ready.get('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await ready.get('/readyz')).toMatchObject({ status: 200, text: 'ok\n' });
    const notReady = start({ ready: () => false }).http;
    expect((await notReady.get('/healthz')).status).toBe(200);
    expect(await notReady.get('/readyz')).toMatchObject({ status: 503, text: 'not ready\n' });
    expect((await notReady.head('/readyz')).status).toBe(503);
  });

  it.each([
    ['get', '/mutate', 'POST'],
    ['put', '/validate/namespaces', 'POST'],
    ['delete', '/mutate/pod-label', 'POST'],
    ['options', '/mutate', 'POST'],
    ['post', '/healthz', 'GET, HEAD'],
    ['post', '/readyz', 'GET, HEAD'],
  ] as const)('answers %s %s with 405 and what is allowed', async (method, path, allowed) => {
    const response = await start().http[method](path);
    expect(response.status).toBe(405);
    expect(response.headers.allow).toBe(allowed);
    expect(response.text).toBe(`expected ${allowed}\n`);
  });

  it.each([
    '/',
    '/mutate/namespaces',
    '/mutate/nonsense',
    '/validate/x',
    '/metrics',
    '/MUTATE/..',
    '/__proto__',
  ])('has nothing at %s', async (path) => {
    const response = await start().post(path, review('Pod', pod([container])));
    expect(response.status).toBe(404);
    expect(response.text).toContain('expected /mutate, /validate, /healthz or /readyz');
  });

  it('answers even what fails outside a review, without a stack', async () => {
    const app = start({
      ready: () => {
        throw new Error('a secret of the cache');
      },
    });
    expect(await app.http.get('/readyz')).toMatchObject({ status: 500, text: 'internal error\n' });
    expect(app.logged()).toMatchObject([{ level: 'error', err: { message: 'a secret of the cache' } }]);
  });

  it('tells nothing of what it is made of, and caches nothing', async () => {
    const { headers } = await start().post('/mutate', review('Pod', pod([container])));
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('etag');
    expect(headers['content-type']).toBe('application/json');
  });
});
