import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { makeCertificates } from '../../../src/commands/certs.ts';
import { version } from '../../../src/version.ts';
import { describeWith } from '../../support/process.ts';
import {
  copyManifests,
  imagesIn,
  kubectl,
  kustomizationsOf,
  type ManifestsCopy,
  namesIn,
} from './kustomize.ts';
import { readManifest } from './read.ts';

const configurationSchema = z.looseObject({
  webhooks: z.array(z.looseObject({ clientConfig: z.looseObject({ caBundle: z.string().optional() }) })),
});

const scanner = [
  'ClusterRole gravekeeper-scanner',
  'ClusterRoleBinding gravekeeper-scanner',
  'DaemonSet gravekeeper-scanner',
  'Namespace gravekeeper-scanner',
  'PriorityClass gravekeeper-scanner',
  'ServiceAccount gravekeeper-scanner',
];

const base = [
  ...scanner,
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
].sort();

const program = `ghcr.io/gravekeeper/gravekeeper:${version}`;
const tini = `ghcr.io/gravekeeper/tini:${version}`;

describeWith([kubectl], 'kubectl kustomize', () => {
  let copy: ManifestsCopy;

  beforeAll(() => {
    copy = copyManifests();
  });
  afterAll(() => copy.remove());

  it('renders the base, with images of this version', () => {
    const resources = copy.render('base');
    expect(namesIn(resources)).toEqual(base);
    expect(imagesIn(resources)).toEqual([program, program, tini]);
  });

  it('renders the scanner alone, which needs nothing of the webhook', () => {
    const resources = copy.render('base/scanner');
    expect(namesIn(resources)).toEqual(scanner);
    expect(imagesIn(resources)).toEqual([program, tini]);
  });

  it('renders the overlay for cert-manager, which injects the CA of the certificate that is mounted', () => {
    const resources = copy.render('overlays/cert-manager');
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
    const { status, stderr } = copy.build('manifests/overlays/secret');
    expect(status).not.toBe(0);
    expect(stderr).toContain('ca.crt');
  });

  it('renders the overlay for a Secret with the CA in every entry, and applies nothing beside the base', async () => {
    const { ca } = await makeCertificates();
    writeFileSync(join(copy.root, 'manifests/overlays/secret/ca.crt'), ca);
    const resources = copy.render('overlays/secret');
    expect(namesIn(resources)).toEqual(base);
    const bundles = resources
      .filter(({ kind }) => kind.endsWith('WebhookConfiguration'))
      .flatMap((resource) => configurationSchema.parse(resource).webhooks)
      .map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString());
    expect(bundles).toEqual(Array(7).fill(ca));
  });

  it.each(
    ['installation.md', 'daemonset.md', 'audit.md', 'admission.md'].flatMap((page) =>
      kustomizationsOf(page).map((text) => ({ page, text })),
    ),
  )('renders what docs/$page has users write: %#', ({ text }) => {
    const [original] = /(?<=\.\.\/manifests\/)(base|overlays|monitoring)\S*/.exec(text) ?? [''];
    const changed = copy.renderMine(text);
    expect(namesIn(changed)).toEqual(expect.arrayContaining(namesIn(copy.render(original))));
    expect(changed).not.toEqual(copy.render(original));
  });

  it('renders the images that docs/installation.md has users name, tini the same in both places', () => {
    const [first = ''] = kustomizationsOf('installation.md');
    const resources = copy.renderMine(first);
    const images = imagesIn(resources);
    expect(images.filter((image) => image.startsWith('ghcr.io/'))).toEqual([]);
    const injected = images.find((image) => image.includes('tini'));
    const config = resources.find(({ metadata }) => metadata?.name === 'gravekeeper-config');
    expect(JSON.stringify(config?.data)).toContain(`image: ${injected}`);
  });

  it('renders the demo, every workload of it in the namespace that opted in', () => {
    const [namespace, ...workloads] = copy.render('demo');
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
