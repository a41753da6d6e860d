import { createPrivateKey } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/admission/metrics.ts';
import { certificateOf, openCertificate, secureContextOf } from '../../../src/admission/tls.ts';
import { type Certificates, makeCertificates } from '../../../src/commands/certs.ts';
import { InputError } from '../../../src/input-error.ts';
import { captureLog } from '../../support/captured-log.ts';
import { type MountedFiles, mountFiles } from '../../support/mounted-files.ts';

let first: Certificates;
let second: Certificates;
beforeAll(async () => {
  [first, second] = await Promise.all([makeCertificates(), makeCertificates()]);
});

const paths = { cert: 'tls.crt', key: 'tls.key' };
const states = (cert: string, key: string) =>
  [cert, key].map((text, index) => ({
    path: index === 0 ? paths.cert : paths.key,
    content: Buffer.from(text),
    error: null,
  }));

describe('certificateOf', () => {
  it('accepts a pair, also with intermediate certificates behind it', () => {
    const certificate = certificateOf(states(first.cert + first.ca, first.key), paths);
    expect(certificate.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(certificate.expires.getTime()).toBeGreaterThan(Date.now());
    expect(secureContextOf(certificate)).toMatchObject({ minVersion: 'TLSv1.2' });
  });

  it.each<[string, () => [string, string], RegExp]>([
    [
      'a key of another certificate',
      () => [first.cert, second.key],
      /the key tls\.key does not belong to the certificate tls\.crt$/,
    ],
    [
      'the wrong order',
      () => [second.cert + first.cert, first.key],
      /belongs to certificate 2 of tls\.crt; the server's own must be the first$/,
    ],
    [
      'swapped files',
      () => [first.key, first.cert],
      /tls\.crt holds a private key; expected a certificate\. Are .* swapped\?$/,
    ],
    [
      'two certificates',
      () => [first.cert, first.cert],
      /tls\.key holds a certificate; expected a private key\. Are .* swapped\?$/,
    ],
    [
      'an empty certificate',
      () => ['', first.key],
      /tls\.crt is no certificate in PEM: .* gravekeeper certs --out certs$/,
    ],
    ['a key that is no PEM', () => [first.cert, 'secret'], /tls\.key is no private key in PEM/],
    [
      'half a certificate',
      () => [first.cert.slice(0, 300), first.key],
      /tls\.crt holds no readable certificate: .* Is it complete\?$/,
    ],
    [
      'half a key',
      () => [first.cert, first.key.slice(0, 80)],
      /tls\.key holds no readable private key: .* Is it complete\?$/,
    ],
    [
      'an encrypted key',
      () => [first.cert, encrypted(first.key)],
      /tls\.key is encrypted; expected a key without a passphrase\. To decrypt it: openssl pkey/,
    ],
  ])('refuses %s, in words that do not show the key', (_, pair, message) => {
    const [cert, key] = pair();
    const attempt = () => certificateOf(states(cert, key), paths);
    expect(attempt).toThrow(InputError);
    expect(attempt).toThrow(message);
    const secrets = [first.key, second.key].map((pem) => pem.split('\n')[1] ?? pem);
    for (const secret of secrets) expect(attempt).not.toThrow(secret);
  });
});

function encrypted(key: string): string {
  return createPrivateKey(key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();
}

describe('openCertificate', () => {
  const closers: (() => void)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  function open(pair: Certificates) {
    const mounted = mountFiles({ 'tls.crt': pair.cert, 'tls.key': pair.key });
    const captured = captureLog();
    const metrics = createMetrics({ version: 'test' });
    const live = openCertificate(
      pathsIn(mounted),
      { log: captured.log, metrics },
      { settleMs: 5, recheckMs: 3_600_000 },
    );
    closers.push(live.close, mounted.remove);
    const served: SecureContextOptions[] = [];
    live.serve({ setSecureContext: (context) => void served.push(context) });
    const counted = async () =>
      (await metrics.registry.metrics()).split('\n').filter((line) => /^gravekeeper_certificate_/.test(line));
    return { mounted, captured, live, served, counted };
  }
  const pathsIn = (mounted: MountedFiles) => ({
    cert: mounted.path('tls.crt'),
    key: mounted.path('tls.key'),
  });

  it('hands a new pair to the server, and says when it expires', async () => {
    const { mounted, captured, live, served, counted } = open(first);
    const reloaded = captured.next('certificate reloaded');
    mounted.publish({ 'tls.crt': second.cert, 'tls.key': second.key });
    expect(await reloaded).toMatchObject({ level: 'info', fingerprint: live.current.fingerprint });
    expect(served).toEqual([
      { cert: Buffer.from(second.cert), key: Buffer.from(second.key), minVersion: 'TLSv1.2' },
    ]);
    expect(await counted()).toEqual([
      `gravekeeper_certificate_expiry_timestamp_seconds ${live.current.expires.getTime() / 1000}`,
      'gravekeeper_certificate_reloads_total{result="success"} 1',
      'gravekeeper_certificate_reloads_total{result="failure"} 0',
    ]);
  });

  it.each([
    [
      'a mismatch',
      () => ({ 'tls.crt': second.cert, 'tls.key': first.key }),
      'does not belong to the certificate',
    ],
    [
      'half a file',
      () => ({ 'tls.crt': second.cert.slice(0, 200), 'tls.key': second.key }),
      'no readable certificate',
    ],
    ['no file', () => ({}), 'cannot be read: ENOENT'],
  ])('keeps the last good pair at %s, and recovers', async (_, broken, why) => {
    const { mounted, captured, live, served, counted } = open(first);
    const before = live.current;
    const refused = captured.next('the last good one stays');
    mounted.publish(broken());
    expect(await refused).toMatchObject({ level: 'error', msg: expect.stringContaining(why) });
    expect(live.current).toBe(before);
    expect(served).toEqual([]);
    expect(await counted()).toContain('gravekeeper_certificate_reloads_total{result="failure"} 1');

    const reloaded = captured.next('certificate reloaded');
    mounted.publish({ 'tls.crt': second.cert, 'tls.key': second.key });
    await reloaded;
    expect(live.current.cert.toString()).toBe(second.cert);
    expect(JSON.stringify(captured.lines)).not.toContain(second.key.split('\n')[1]);
  });

  it.each([
    { days: 13, level: 'warn', msg: /expires in 12 days/ },
    { days: 0.01, level: 'warn', msg: /expires in 0 days/ },
    { days: -1, level: 'error', msg: /has expired/ },
  ])('warns of a certificate with $days days left', async ({ days, level, msg }) => {
    const from = new Date(Date.now() - 30 * 24 * 3_600_000);
    const { captured } = open(await makeCertificates({ from, days: 30 + days }));
    expect(captured.lines[1]).toMatchObject({ level, msg: expect.stringMatching(msg) });
  });

  it('says nothing of a certificate that lasts', async () => {
    const { captured } = open(await makeCertificates({ days: 15 }));
    expect(captured.lines.map(({ msg }) => msg)).toEqual(['certificate loaded']);
  });

  it('throws where there is no usable pair at the start', () => {
    const mounted = mountFiles({ 'tls.crt': first.cert });
    closers.push(mounted.remove);
    const { log } = captureLog();
    const attempt = () =>
      openCertificate(pathsIn(mounted), { log, metrics: createMetrics({ version: 'test' }) });
    expect(attempt).toThrow(InputError);
    expect(attempt).toThrow(/the private key .*tls\.key cannot be read: ENOENT.*Expected a PEM file/);
  });
});
