import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { generate } from 'selfsigned';
import { InputError } from '../input-error.ts';

/** Names under which the API server, and a port-forward or a test on the same machine, reach the webhook. */
const defaultNames = [
  'gravekeeper-webhook.gravekeeper.svc',
  'gravekeeper-webhook.gravekeeper.svc.cluster.local',
  'gravekeeper-webhook.gravekeeper',
  'localhost',
  '127.0.0.1',
  '::1',
];

const dayMs = 24 * 60 * 60 * 1000;
/** Clocks differ: a certificate is valid from a little before it was made. */
const backdateMs = 60 * 60 * 1000;

/** A CA and a server certificate that it signed, all PEM. The CA's own key is not kept. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What may be chosen of certificates. */
export interface CertificateOptions {
  /** DNS names and IP addresses besides those of the Service and of this machine. */
  readonly names?: readonly string[];
  /** How long they are valid, in days; 365 where left out. */
  readonly days?: number;
  /** When they begin to be valid; now, where left out. */
  readonly from?: Date;
}

/**
 * Makes a development CA and a server certificate for the webhook, with EC P-256 keys.
 *
 * @param options Further names, and how long they are valid.
 * @returns Both, in PEM. Nothing else can be signed by that CA: its key is forgotten.
 */
export async function makeCertificates(options: CertificateOptions = {}): Promise<Certificates> {
  const { names = [], days = 365, from = new Date() } = options;
  const common = {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(from.getTime() - backdateMs),
    notAfterDate: new Date(from.getTime() + days * dayMs),
  } as const;
  // A name of its own for each CA: clients that trust two of the same name may try the wrong one only.
  const caName = `Gravekeeper development CA ${randomBytes(4).toString('hex')}`;
  const ca = await generate([{ name: 'commonName', value: caName }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'gravekeeper-webhook' }], {
    ...common,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [...new Set([...defaultNames, ...names])].map((name) =>
          isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name },
        ),
      },
    ],
  });
  return { ca: lineEnded(ca.cert), cert: lineEnded(server.cert), key: lineEnded(server.private) };
}

/** PEM files get concatenated. */
function lineEnded(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}

const help = `
Writes ca.crt, tls.crt and tls.key (readable for you alone) for development and for tests. They are not
renewed: in a cluster, use cert-manager or a CA of your own (docs/operations.md).

Examples:
  gravekeeper certs --out certs
  gravekeeper certs --out certs --force --days 30
  gravekeeper certs --out certs --dns host.docker.internal 192.0.2.7
  gravekeeper webhook --cert certs/tls.crt --key certs/tls.key --namespaces namespaces.yaml`;

/** The command `certs`. */
export function certsCommand(): Command {
  return new Command('certs')
    .description('Make a development CA and a server certificate for the webhook.')
    .requiredOption('--out <dir>', 'folder to write to; it is made where it is missing')
    .option('--dns <name...>', 'further DNS names and IP addresses for the server certificate', collectNames)
    .option('--days <n>', 'days until they expire', daysOf, 365)
    .option('--force', 'overwrite files that are there already')
    .addHelpText('after', help)
    .action(async ({ out, dns, days, force }: Options) => {
      await writeCertificates(out, { names: dns ?? [], days, overwrite: force === true });
    });
}

interface Options {
  readonly out: string;
  readonly dns?: readonly string[];
  readonly days: number;
  readonly force?: boolean;
}

async function writeCertificates(
  folder: string,
  { names, days, overwrite }: { names: readonly string[]; days: number; overwrite: boolean },
): Promise<void> {
  const path = {
    ca: join(folder, 'ca.crt'),
    cert: join(folder, 'tls.crt'),
    key: join(folder, 'tls.key'),
  };
  const existing = Object.values(path).filter((file) => existsSync(file));
  if (existing.length > 0 && !overwrite) {
    const verb = existing.length === 1 ? 'exists' : 'exist';
    throw new InputError(
      `${existing.join(', ')} ${verb} already: add --force to overwrite, or choose another --out`,
    );
  }
  const from = new Date();
  const { ca, cert, key } = await makeCertificates({ names, days, from });
  try {
    makeFolders(folder);
    writeWhole(path.ca, ca, 0o644);
    writeWhole(path.cert, cert, 0o644);
    writeWhole(path.key, key, 0o600);
  } catch (error) {
    throw new InputError(
      `cannot write to ${folder}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  process.stdout.write(`Wrote ${path.ca}, ${path.cert} and ${path.key}.
They expire on ${new Date(from.getTime() + days * dayMs).toISOString().slice(0, 10)}; nothing renews them.

The Secret that the webhook's pods mount:
  kubectl -n gravekeeper create secret tls gravekeeper-webhook-tls --cert=${path.cert} --key=${path.key}

The caBundle of both webhook configurations (manifests/overlays/secret takes it from a copy of ${path.ca}):
${Buffer.from(ca).toString('base64')}
`);
}

/** Writes beside the file and renames, so that nobody reads half of it and a key never has a looser mode. */
function writeWhole(file: string, text: string, mode: number): void {
  const unfinished = `${file}.${process.pid}.tmp`;
  writeFileSync(unfinished, text, { mode, flag: 'wx' });
  renameSync(unfinished, file);
}

function collectNames(name: string, names: readonly string[] = []): readonly string[] {
  if (
    isIP(name) === 0 &&
    !/^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(name)
  ) {
    throw new InvalidArgumentError('Expected a DNS name such as webhook.example.com, or an IP address.');
  }
  return [...names, name];
}

function daysOf(text: string): number {
  const days = Number(text);
  if (!/^\d+$/.test(text) || days < 1 || days > 3650) {
    throw new InvalidArgumentError('Expected a whole number of days from 1 to 3650.');
  }
  return days;
}

/** Makes a folder and those above it, one by one: Node's own `recursive` never ends where /proc refuses a folder. */
function makeFolders(folder: string): void {
  const path = resolve(folder);
  if (existsSync(path)) return;
  makeFolders(dirname(path));
  mkdirSync(path);
}
