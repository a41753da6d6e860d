import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions, type Server } from 'node:tls';
import { InputError } from '../input-error.ts';
import { type FileState, readFiles, type WatchOptions, watchFiles } from '../watch-files.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** A certificate with its key, checked. */
export interface Certificate {
  /** The server's certificate and the intermediate ones that follow it, PEM. */
  readonly cert: Buffer;
  /** PEM; it must never be shown. */
  readonly key: Buffer;
  readonly expires: Date;
  /** SHA-256 of the certificate, in hexadecimal with colons. */
  readonly fingerprint: string;
}

/** A certificate that is replaced when its files change. */
export interface LiveCertificate {
  readonly current: Certificate;
  /** From now on the server takes every new pair over, for new connections; at most one server. */
  serve(server: Pick<Server, 'setSecureContext'>): void;
  close(): void;
}

/** Where the pair is. */
export interface CertificatePaths {
  readonly cert: string;
  readonly key: string;
}

/** Who hears of a pair. */
export interface CertificateTools {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'certificateLoaded' | 'certificateReloaded'>;
}

const dayMs = 24 * 60 * 60 * 1000;
const warnDaysBeforeExpiry = 14;

/** What a TLS server is to be given for a certificate, at its start and again at each change. */
export function secureContextOf({ cert, key }: Certificate): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2' };
}

/**
 * Reads a certificate and its key, and follows their files. A new pair that cannot be used is logged and counted, and
 * the last good one stays.
 *
 * @param paths The two PEM files.
 * @param tools Who hears of it.
 * @param watch How soon and how often files are looked at.
 * @throws {InputError} if the files hold no usable pair now.
 */
export function openCertificate(
  paths: CertificatePaths,
  { log, metrics }: CertificateTools,
  watch: WatchOptions = {},
): LiveCertificate {
  const files = readFiles([paths.cert, paths.key]);
  let current = certificateOf(files, paths);
  let server: Pick<Server, 'setSecureContext'> | null = null;
  const announce = (message: string) => {
    metrics.certificateLoaded(current.expires);
    log.info({ expires: current.expires, fingerprint: current.fingerprint }, message);
    warnOfExpiry(current, log);
  };
  announce('certificate loaded');

  const watching = watchFiles(
    files,
    (changed) => {
      try {
        const next = certificateOf(changed, paths);
        server?.setSecureContext(secureContextOf(next));
        current = next;
      } catch (error) {
        metrics.certificateReloaded('failure');
        const why = error instanceof Error ? error.message : String(error);
        log.error(
          { expires: current.expires },
          `the changed certificate is not used, the last good one stays: ${why}`,
        );
        return;
      }
      metrics.certificateReloaded('success');
      announce('certificate reloaded');
    },
    { onTrouble: (message) => log.warn(message), ...watch },
  );
  const daily = setInterval(() => warnOfExpiry(current, log), dayMs).unref();
  return {
    get current() {
      return current;
    },
    serve(target) {
      server = target;
    },
    close() {
      clearInterval(daily);
      watching.close();
    },
  };
}

/**
 * Makes a checked pair of what two files hold.
 *
 * @param files The states of the certificate's file and of the key's, in this order.
 * @param paths Their names, for the message.
 * @throws {InputError} that says which file is not usable, what was expected and what to do.
 */
export function certificateOf(files: readonly FileState[], paths: CertificatePaths): Certificate {
  const [certFile, keyFile] = files;
  const cert = contentOf(certFile, 'certificate', paths.cert);
  const key = contentOf(keyFile, 'private key', paths.key);
  const leaf = parseCertificate(cert, paths.cert);
  const privateKey = parseKey(key, paths.key);
  if (!leaf.checkPrivateKey(privateKey)) throw new InputError(mismatch(cert, privateKey, paths));
  try {
    createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  } catch (error) {
    throw new InputError(`OpenSSL does not accept ${paths.cert} with ${paths.key}: ${messageOf(error)}`);
  }
  return { cert, key, expires: leaf.validToDate, fingerprint: leaf.fingerprint256 };
}

const advice = 'Make a pair for development with: gravekeeper certs --out certs';

function contentOf(file: FileState | undefined, what: string, path: string): Buffer {
  if (file?.content) return file.content;
  const why = file?.error?.message ?? 'it was not read';
  throw new InputError(`the ${what} ${path} cannot be read: ${why}. Expected a PEM file. ${advice}`);
}

function parseCertificate(pem: Buffer, path: string): X509Certificate {
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw new InputError(
      pem.includes('PRIVATE KEY-----')
        ? `${path} holds a private key; expected a certificate. Are the certificate and the key swapped?`
        : `${path} is no certificate in PEM: it has no line -----BEGIN CERTIFICATE-----. ${advice}`,
    );
  }
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new InputError(`${path} holds no readable certificate: ${messageOf(error)}. Is it complete?`);
  }
}

function parseKey(pem: Buffer, path: string): KeyObject {
  if (!pem.includes('PRIVATE KEY-----')) {
    throw new InputError(
      pem.includes('-----BEGIN CERTIFICATE-----')
        ? `${path} holds a certificate; expected a private key. Are the certificate and the key swapped?`
        : `${path} is no private key in PEM: it has no line -----BEGIN PRIVATE KEY-----. ${advice}`,
    );
  }
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem.toString('latin1'))) {
    throw new InputError(
      `${path} is encrypted; expected a key without a passphrase. To decrypt it: openssl pkey -in ${path} -out FILE`,
    );
  }
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new InputError(`${path} holds no readable private key: ${messageOf(error)}. Is it complete?`);
  }
}

function mismatch(chain: Buffer, key: KeyObject, paths: CertificatePaths): string {
  const certificates = chain
    .toString('latin1')
    .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  const position = (certificates ?? []).findIndex((pem) => belongs(pem, key));
  return position > 0
    ? `the key ${paths.key} belongs to certificate ${position + 1} of ${paths.cert}; the server's own must be the first`
    : `the key ${paths.key} does not belong to the certificate ${paths.cert}`;
}

function belongs(pem: string, key: KeyObject): boolean {
  try {
    return new X509Certificate(pem).checkPrivateKey(key);
  } catch {
    return false;
  }
}

function warnOfExpiry({ expires, fingerprint }: Certificate, log: Log): void {
  const days = Math.floor((expires.getTime() - Date.now()) / dayMs);
  if (days >= warnDaysBeforeExpiry) return;
  const consequence = 'once it has, the API server refuses it, and pods start unchanged';
  if (days < 0) log.error({ expires, fingerprint }, 'the certificate has expired: the API server refuses it');
  else log.warn({ expires, fingerprint, days }, `the certificate expires in ${days} days; ${consequence}`);
}

/** The message alone: what else an error of OpenSSL carries is not for people. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
