import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { certsCommand, makeCertificates } from '../../../src/commands/certs.ts';
import { InputError } from '../../../src/input-error.ts';

const dayMs = 24 * 60 * 60 * 1000;

describe('makeCertificates', () => {
  it('makes a server certificate that its CA has signed', async () => {
    const { ca, cert, key } = await makeCertificates();
    const [authority, server] = [new X509Certificate(ca), new X509Certificate(cert)];
    expect(authority.ca).toBe(true);
    expect(server.ca).toBe(false);
    expect(server.checkIssued(authority)).toBe(true);
    expect(server.verify(authority.publicKey)).toBe(true);
    expect(server.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    createSecureContext({ cert, key });
    for (const pem of [ca, cert, key]) expect(pem).toMatch(/-----\n$/);
  });

  it('names the Service, this machine and what else was asked for', async () => {
    const { cert } = await makeCertificates({ names: ['webhook.example.com', '192.0.2.7', 'localhost'] });
    const server = new X509Certificate(cert);
    for (const name of ['gravekeeper-webhook.gravekeeper.svc', 'localhost', 'webhook.example.com']) {
      expect(server.checkHost(name)).toBe(name);
    }
    for (const ip of ['127.0.0.1', '::1', '192.0.2.7']) expect(server.checkIP(ip)).toBe(ip);
    expect(server.subjectAltName?.match(/localhost/g)).toHaveLength(1);
  });

  it('makes them valid for so many days, from a little before now', async () => {
    const from = new Date('2026-11-20T12:00:00Z');
    const { ca, cert } = await makeCertificates({ from, days: 30 });
    for (const pem of [ca, cert]) {
      const { validFromDate, validToDate } = new X509Certificate(pem);
      expect(validToDate.getTime()).toBe(from.getTime() + 30 * dayMs);
      expect(validFromDate.getTime()).toBe(from.getTime() - 3_600_000);
    }
  });
});

describe('certs', () => {
  let folder: string;
  let printed: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gravekeeper-certs-'));
    printed = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += text;
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });
  const run = (...args: readonly string[]) => certsCommand().parseAsync([...args], { from: 'user' });
  const read = (name: string) => readFileSync(join(folder, 'new', name), 'utf8');

  it('writes three files, the key for its owner alone, and says what to do with them', async () => {
    const out = join(folder, 'new');
    await run('--out', out, '--dns', 'a.example', '192.0.2.7', '--days', '7');
    expect(readdirSync(out).sort()).toEqual(['ca.crt', 'tls.crt', 'tls.key']);
    expect(statSync(join(out, 'tls.key')).mode & 0o777).toBe(0o600);
    expect(new X509Certificate(read('tls.crt')).checkHost('a.example')).toBe('a.example');
    expect(new X509Certificate(read('tls.crt')).checkIP('192.0.2.7')).toBe('192.0.2.7');
    expect(printed).toContain(Buffer.from(read('ca.crt')).toString('base64'));
    expect(printed).toContain(
      `create secret tls gravekeeper-webhook-tls --cert=${out}/tls.crt --key=${out}/tls.key`,
    );
    expect(printed).toContain(new Date(Date.now() + 7 * dayMs).toISOString().slice(0, 10));
    expect(printed).not.toContain(read('tls.key').split('\n')[1]);
  });

  it('overwrites only when it is told to', async () => {
    const out = join(folder, 'new');
    await run('--out', out);
    const before = read('tls.crt');
    await expect(run('--out', out)).rejects.toThrow(InputError);
    await expect(run('--out', out)).rejects.toThrow(
      /ca\.crt, .*tls\.crt, .*tls\.key exist already: add --force/,
    );
    expect(read('tls.crt')).toBe(before);
    writeFileSync(join(out, 'tls.key'), 'old', { mode: 0o644 });
    await run('--out', out, '--force');
    expect(read('tls.crt')).not.toBe(before);
    expect(statSync(join(out, 'tls.key')).mode & 0o777).toBe(0o600);
  });

  it.skipIf(process.platform !== 'linux')('does not hang where /proc refuses a folder', async () => {
    await expect(run('--out', '/proc/no/such/folder')).rejects.toThrow(
      /cannot write to \/proc\/no\/such\/folder/,
    );
  });

  it('says where it cannot write', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(run('--out', join(folder, 'file'))).rejects.toThrow(
      /cannot write to .*file: EEXIST|ENOTDIR/,
    );
  });
});
