import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { makeCertificates } from '../../../src/commands/certs.ts';
import { describeWith, program } from '../../support/process.ts';
import { manifests, type Resource, readDocuments, readManifest } from './read.ts';

const kubectl = program('kubectl', 'kubernetes-client');

const configurationSchema = z.looseObject({
  webhooks: z.array(z.looseObject({ clientConfig: z.looseObject({ caBundle: z.string().optional() }) })),
});

/** The kustomizations that docs/installation.md shows. */
function documentedKustomizations(): string[] {
  const page = readFileSync(join(manifests, '../docs/installation.md'), 'utf8');
  const blocks = [...page.matchAll(/^```yaml\n(# mine\/kustomization\.yaml\n[\s\S]*?)^```$/gm)];
  return blocks.map(([, text = '']) => text);
}

describeWith([kubectl], 'kubectl kustomize', () => {
  let copy: string;

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'gravekeeper-manifests-'));
    cpSync(manifests, copy, { recursive: true });
    rmSync(join(copy, 'overlays/secret/ca.crt'), { force: true });
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  function build(folder: string) {
    return spawnSync('kubectl', ['kustomize', join(copy, folder)], { encoding: 'utf8' });
  }

  function render(folder: string): Resource[] {
    const { status, stdout, stderr } = build(folder);
    if (status !== 0) throw new Error(stderr);
    return readDocuments(stdout);
  }

  function namesIn(resources: readonly Resource[]): string[] {
    return resources.map(({ kind, metadata }) => `${kind} ${metadata?.name}`).sort();
  }

  const base = [
    'ClusterRole gravekeeper-webhook',
    'ClusterRoleBinding gravekeeper-webhook',
    'ConfigMap gravekeeper-config',
    'Deployment gravekeeper-webhook',
    'MutatingWebhookConfiguration zz-gravekeeper',
    'Namespace gravekeeper',
    'PodDisruptionBudget gravekeeper-webhook',
    'Service gravekeeper-webhook',
    'ServiceAccount gravekeeper-webhook',
    'ValidatingWebhookConfiguration zz-gravekeeper',
  ];

  it('renders the base, with an image that has a version', () => {
    const resources = render('base');
    expect(namesIn(resources)).toEqual(base);
    expect(JSON.stringify(resources)).toMatch(/"ghcr\.io\/gravekeeper\/gravekeeper:\d+\.\d+\.\d+"/);
  });

  it('renders the overlay for cert-manager, which injects the CA of the certificate that is mounted', () => {
    const resources = render('overlays/cert-manager');
    expect(namesIn(resources)).toEqual(
      [
        ...base,
        'Certificate gravekeeper-ca',
        'Certificate gravekeeper-webhook-tls',
        'Issuer gravekeeper-ca',
        'Issuer gravekeeper-self-signed',
      ].sort(),
    );
    const certificate = resources.find(({ metadata }) => metadata?.name === 'gravekeeper-webhook-tls');
    expect(certificate).toMatchObject({
      kind: 'Certificate',
      spec: {
        secretName: 'gravekeeper-webhook-tls',
        dnsNames: expect.arrayContaining(['gravekeeper-webhook.gravekeeper.svc']),
        issuerRef: { name: 'gravekeeper-ca' },
      },
    });
    const configurations = resources.filter(({ kind }) => kind.endsWith('WebhookConfiguration'));
    expect(configurations).toHaveLength(2);
    for (const { metadata } of configurations) {
      expect(metadata).toMatchObject({
        annotations: { 'cert-manager.io/inject-ca-from': 'gravekeeper/gravekeeper-webhook-tls' },
      });
    }
  });

  it('refuses the overlay for a Secret until the CA is there, and says what is missing', () => {
    const { status, stderr } = build('overlays/secret');
    expect(status).not.toBe(0);
    expect(stderr).toContain('ca.crt');
  });

  it('renders the overlay for a Secret with the CA in every entry, and applies nothing beside the base', async () => {
    const { ca } = await makeCertificates();
    writeFileSync(join(copy, 'overlays/secret/ca.crt'), ca);
    const resources = render('overlays/secret');
    expect(namesIn(resources)).toEqual(base);
    const bundles = resources
      .filter(({ kind }) => kind.endsWith('WebhookConfiguration'))
      .flatMap((resource) => configurationSchema.parse(resource).webhooks)
      .map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString());
    expect(bundles).toEqual(Array(7).fill(ca));
  });

  // Each of them stands in a folder of the user's own, beside the manifests.
  it.each(documentedKustomizations())('renders what docs/installation.md has users write: %#', (text) => {
    const folder = mkdtempSync(join(copy, 'overlays', 'mine-'));
    const kustomization = text.replaceAll('../manifests/overlays/', '../');
    writeFileSync(join(folder, 'kustomization.yaml'), kustomization);
    const changed = render(relative(copy, folder));
    const original = render('overlays/cert-manager');
    expect(namesIn(changed)).toEqual(namesIn(original));
    expect(changed).not.toEqual(original);
  });

  it('renders the demo, every workload of it in the namespace that opted in', () => {
    const [namespace, ...workloads] = render('demo');
    expect(namespace).toEqual(readManifest('demo/namespace.yaml')[0]);
    expect(namesIn(workloads)).toEqual([
      'Deployment python-grandchild',
      'Deployment s6',
      'Deployment ssh-service',
      'Pod host-pid',
      'Pod zombie-maker',
      'StatefulSet rabbitmq',
    ]);
    for (const { metadata } of workloads) expect(metadata?.namespace).toBe(namespace?.metadata?.name);
  });
});
