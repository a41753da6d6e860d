import { afterAll, beforeAll, expect, it } from 'vitest';
import { webhookCommand } from '../../../src/commands/webhook.ts';
import { describeWith } from '../../support/process.ts';
import { copyManifests, kubectl, type ManifestsCopy, podIn } from './kustomize.ts';

const deployment = 'Deployment gravekeeper-webhook';

describeWith([kubectl], 'the component relabel-preview', () => {
  let copy: ManifestsCopy;
  beforeAll(() => {
    copy = copyManifests();
  });
  afterAll(() => copy.remove());

  const withComponents = (...names: readonly string[]) =>
    copy.renderMine(
      [
        'resources: [../manifests/base/webhook]',
        'components:',
        ...names.map((name) => `  - ../manifests/components/${name}`),
        '',
      ].join('\n'),
    );

  it('lets the webhook list pods, and nothing else', () => {
    const before = copy.render('base/webhook').map(({ metadata }) => metadata?.name);
    const added = withComponents('relabel-preview').filter(
      ({ metadata }) => !before.includes(metadata?.name ?? ''),
    );
    expect(added).toMatchObject([
      {
        kind: 'ClusterRole',
        metadata: { name: 'gravekeeper-relabel-preview' },
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }],
      },
      {
        kind: 'ClusterRoleBinding',
        roleRef: { kind: 'ClusterRole', name: 'gravekeeper-relabel-preview' },
        subjects: [{ kind: 'ServiceAccount', name: 'gravekeeper-webhook', namespace: 'gravekeeper' }],
      },
    ]);
  });

  it('adds one argument that the webhook knows, beside those of other components', () => {
    const args = (resources: ReturnType<typeof withComponents>) =>
      podIn(resources, deployment).containers[0]?.args ?? [];
    const before = args(copy.render('base/webhook'));
    const after = args(withComponents('image-pull-secrets', 'relabel-preview'));
    expect(after).toEqual([...before, '--pull-secrets', '--relabel-preview']);
    const command = webhookCommand().exitOverride();
    expect(command.parseOptions(after.slice(1)).unknown).toEqual([]);
    expect(command.opts()).toMatchObject({ relabelPreview: true });
  });
});
