import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apply, kubectl } from './kubectl.ts';
import { place } from './place.ts';
import { run } from './run.ts';

const root = join(import.meta.dirname, '../..');
const certificates = join(place.install, 'certs');

/**
 * Installs the webhook and the scanner as docs/installation.md says, and resolves when both run. Only the checkout is
 * not written to: what would be is done in a copy of the manifests.
 */
export function install(): void {
  mkdirSync(place.install, { recursive: true });
  cpSync(join(root, 'manifests'), join(place.install, 'manifests'), { recursive: true });
  cpSync(join(import.meta.dirname, 'overlay'), join(place.install, 'overlay'), { recursive: true });
  makeCertificates();
  kubectl('apply', '-f', join(place.install, 'manifests/base/webhook/namespace.yaml'));
  applySecret();
  trust(caCertificate());
}

/** The CA, PEM, of the pair that was made last. */
export function caCertificate(): string {
  return readFileSync(join(certificates, 'ca.crt'), 'utf8');
}

/** Applies the overlay, with these CAs, PEM, for the API server to trust. */
export function trust(cas: string): void {
  writeFileSync(join(place.install, 'manifests/overlays/secret/ca.crt'), cas);
  kubectl('apply', '-k', join(place.install, 'overlay'));
}

/** Resolves when every replica of the webhook, and the scanner of every node, is ready. */
export function awaitRollout(seconds = 120): void {
  const timeout = `--timeout=${seconds}s`;
  kubectl('-n', 'gravekeeper', 'rollout', 'status', 'deployment/gravekeeper-webhook', timeout);
  kubectl('-n', 'gravekeeper-scanner', 'rollout', 'status', 'daemonset/gravekeeper-scanner', timeout);
}

/** Makes a CA and a pair that it signed, by the project's own command. */
export function makeCertificates(): void {
  run([process.execPath, join(root, 'src/main.js'), 'certs', '--out', certificates, '--force']);
}

/** Gives the webhook the pair that was made last. */
export function applySecret(): void {
  const files = [`--cert=${join(certificates, 'tls.crt')}`, `--key=${join(certificates, 'tls.key')}`];
  const secret = ['secret', 'tls', 'gravekeeper-webhook-tls', ...files, '--dry-run=client', '-o', 'yaml'];
  apply(kubectl('-n', 'gravekeeper', 'create', ...secret));
}
