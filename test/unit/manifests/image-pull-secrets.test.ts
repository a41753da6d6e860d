import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../support/process.ts';
import { copyManifests, kubectl, type ManifestsCopy, namesIn, podIn } from './kustomize.ts';

const deployment = 'Deployment gravekeeper-webhook';

describeWith([kubectl], 'the component image-pull-secrets', () => {
  let copy: ManifestsCopy;
  beforeAll(() => {
    copy = copyManifests();
  });
  afterAll(() => copy.remove());

  const withComponent = () =>
    copy.renderMine(
      'resources:\n  - ../manifests/base/webhook\ncomponents:\n  - ../manifests/components/image-pull-secrets\n',
    );

  it('lets the webhook get Secrets and service accounts by name, and nothing else', () => {
    const before = namesIn(copy.render('base/webhook'));
    const resources = withComponent();
    expect(namesIn(resources).filter((name) => !before.includes(name))).toEqual([
      'ClusterRole gravekeeper-pull-secrets',
      'ClusterRoleBinding gravekeeper-pull-secrets',
    ]);
    expect(resources.find(({ metadata }) => metadata?.name === 'gravekeeper-pull-secrets')).toMatchObject({
      rules: [{ apiGroups: [''], resources: ['secrets', 'serviceaccounts'], verbs: ['get'] }],
    });
    expect(
      resources.find(
        ({ kind, metadata }) =>
          kind === 'ClusterRoleBinding' && metadata?.name === 'gravekeeper-pull-secrets',
      ),
    ).toMatchObject({
      roleRef: { kind: 'ClusterRole', name: 'gravekeeper-pull-secrets' },
      subjects: [{ kind: 'ServiceAccount', name: 'gravekeeper-webhook', namespace: 'gravekeeper' }],
    });
  });

  it('adds one argument to the webhook', () => {
    const [before] = podIn(copy.render('base/webhook'), deployment).containers;
    const [after] = podIn(withComponent(), deployment).containers;
    expect(after).toEqual({ ...before, args: [...(before?.args ?? []), '--pull-secrets'] });
    expect(before?.args).toContain('--resolve-images');
  });
});
