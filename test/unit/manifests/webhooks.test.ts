import { describe, expect, it } from 'vitest';
import { entries } from '../../../src/admission/namespace-labels.ts';
import { labelKeys } from '../../../src/policy/keys.ts';
import { readManifest } from './read.ts';
import { calledEntries, readConfigurations, selects } from './webhooks.ts';

const { mutating, validating } = readConfigurations();
const both = [mutating, validating];
const all = both.flatMap(({ webhooks }) => webhooks);

const workloads = [
  { group: 'apps', resource: 'deployments' },
  { group: 'apps', resource: 'replicasets' },
  { group: 'apps', resource: 'statefulsets' },
  { group: 'apps', resource: 'daemonsets' },
  { group: '', resource: 'replicationcontrollers' },
  { group: '', resource: 'podtemplates' },
  { group: 'batch', resource: 'jobs' },
  { group: 'batch', resource: 'cronjobs' },
];
const pods = { group: '', resource: 'pods' };

/** Every combination of labels: those of the namespace that are ours, and the object's one. */
const combinations = [undefined, 'auto', 'none', 'nonsense'].flatMap((inject) =>
  [undefined, 'warn', 'deny', 'ignore'].flatMap((probes) =>
    [undefined, 'true'].flatMap((dryRun) =>
      [undefined, 'auto', 'none'].map((own) => ({ inject, probes, dryRun, own })),
    ),
  ),
);

type Combination = (typeof combinations)[number];

function labelsOf(namespace: string, { inject, probes, dryRun }: Combination): Record<string, string> {
  return {
    'kubernetes.io/metadata.name': namespace,
    ...(inject ? { [labelKeys.inject]: inject } : {}),
    ...(probes ? { [labelKeys.probes]: probes } : {}),
    ...(dryRun ? { [labelKeys.dryRun]: dryRun } : {}),
  };
}

function called(
  webhooks: typeof mutating.webhooks,
  kind: { group: string; resource: string },
  operation: string,
  namespace: string,
  combination: Combination,
) {
  return calledEntries(webhooks, {
    ...kind,
    operation,
    labels: combination.own ? { [labelKeys.inject]: combination.own } : {},
    namespaceLabels: labelsOf(namespace, combination),
  });
}

describe('both configurations', () => {
  it('run after those of the meshes, and are switched off by one name', () => {
    expect(both.map(({ metadata }) => metadata.name)).toEqual(['zz-gravekeeper', 'zz-gravekeeper']);
    expect(both.map(({ kind }) => kind)).toEqual([
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
    ]);
  });

  it.each(all)('$name never stands in the way', (entry) => {
    expect(entry).toMatchObject({
      failurePolicy: 'Ignore',
      timeoutSeconds: 3,
      sideEffects: 'None',
      matchPolicy: 'Equivalent',
      admissionReviewVersions: ['v1'],
    });
  });

  it('are called again after other webhooks only where pods are changed', () => {
    expect(mutating.webhooks.map(({ reinvocationPolicy }) => reinvocationPolicy)).toEqual(
      Array(3).fill('IfNeeded'),
    );
    expect(validating.webhooks.every(({ reinvocationPolicy }) => reinvocationPolicy === undefined)).toBe(
      true,
    );
  });

  it('call the paths that the server serves, at its Service', () => {
    expect(mutating.webhooks.map(({ clientConfig }) => clientConfig.service.path)).toEqual(
      entries.filter((entry) => entry !== 'namespaces').map((entry) => `/mutate/${entry}`),
    );
    expect(validating.webhooks.map(({ clientConfig }) => clientConfig.service.path)).toEqual(
      entries.map((entry) => `/validate/${entry}`),
    );
    const [service] = readManifest('base/webhook/service.yaml');
    for (const { clientConfig } of all) {
      expect(clientConfig.service).toMatchObject({
        name: service?.metadata?.name,
        namespace: service?.metadata?.namespace,
        port: 443,
      });
    }
  });

  it.each(all)('$name has a path that the API server accepts: no query, DNS labels only', (entry) => {
    expect(entry.clientConfig.service.path).toMatch(/^(\/[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/);
    expect(entry.name).toMatch(/^[a-z-]+\.(mutate|validate)\.gravekeeper\.dev$/);
  });

  it.each(all)('$name spares the exempt namespaces', ({ namespaceSelector }) => {
    for (const namespace of ['kube-system', 'gravekeeper']) {
      for (const combination of combinations) {
        expect(selects(namespaceSelector, labelsOf(namespace, combination))).toBe(false);
      }
    }
  });
});

describe('the entries exclude one another', () => {
  it.each(combinations)('namespace inject=$inject probes=$probes dry-run=$dryRun, object $own', (labels) => {
    const { inject, probes, own } = labels;
    const entry = inject ? 'namespace-inject' : probes ? 'namespace-probes' : 'pod-label';
    const optedIn = inject !== undefined || probes !== undefined || own !== undefined;
    expect(called(validating.webhooks, pods, 'CREATE', 'shop', labels)).toEqual(optedIn ? [entry] : []);
    for (const workload of workloads) {
      for (const operation of ['CREATE', 'UPDATE']) {
        expect(called(validating.webhooks, workload, operation, 'shop', labels)).toEqual(
          optedIn ? [entry] : [],
        );
      }
    }
    // A namespace with probe checks alone injects nothing, unless the pod asks.
    const mayInject = inject !== undefined || own !== undefined;
    expect(called(mutating.webhooks, pods, 'CREATE', 'shop', labels)).toEqual(mayInject ? [entry] : []);
  });

  it.each(combinations)('a Namespace goes to its own entry: $inject $probes $dryRun', (labels) => {
    for (const operation of ['CREATE', 'UPDATE']) {
      const kind = { group: '', resource: 'namespaces' };
      expect(called(validating.webhooks, kind, operation, 'shop', labels)).toEqual(['namespaces']);
      expect(called(mutating.webhooks, kind, operation, 'shop', labels)).toEqual([]);
    }
  });

  it('leave the update and the deletion of pods alone, and all that is no workload', () => {
    const labels = { inject: 'auto', probes: 'deny', dryRun: undefined, own: 'auto' };
    for (const { webhooks } of both) {
      for (const operation of ['UPDATE', 'DELETE', 'CONNECT']) {
        expect(called(webhooks, pods, operation, 'shop', labels)).toEqual([]);
      }
      for (const resource of ['pods/ephemeralcontainers', 'pods/exec', 'configmaps', 'secrets']) {
        expect(called(webhooks, { group: '', resource }, 'CREATE', 'shop', labels)).toEqual([]);
      }
      for (const workload of workloads) {
        expect(called(webhooks, workload, 'DELETE', 'shop', labels)).toEqual([]);
      }
    }
    for (const workload of workloads) {
      expect(called(mutating.webhooks, workload, 'CREATE', 'shop', labels)).toEqual([]);
    }
  });
});

describe('matchConditions', () => {
  const conditions = all.flatMap(({ name, matchConditions }) =>
    matchConditions.map((condition) => ({ webhook: name, ...condition })),
  );
  const namesOf = (webhook: string) =>
    conditions.filter((c) => c.webhook === webhook).map(({ name }) => name);

  it('stand only where they silence nothing', () => {
    expect(Object.fromEntries(all.map(({ name }) => [name, namesOf(name)]))).toEqual({
      'namespace-inject.mutate.gravekeeper.dev': ['not-a-mirror-pod'],
      'namespace-probes.mutate.gravekeeper.dev': ['not-a-mirror-pod'],
      'pod-label.mutate.gravekeeper.dev': ['not-a-mirror-pod'],
      'namespace-inject.validate.gravekeeper.dev': ['not-a-mirror-pod', 'new-or-changed-template'],
      'namespace-probes.validate.gravekeeper.dev': [
        'not-a-mirror-pod',
        'new-or-changed-template',
        'exec-probe-or-template-with-label',
      ],
      'pod-label.validate.gravekeeper.dev': ['not-a-mirror-pod', 'new-or-changed-template'],
      'namespaces.validate.gravekeeper.dev': ['our-labels-change'],
    });
  });

  it('say the same under the same name', () => {
    for (const [, same] of Map.groupBy(conditions, ({ name }) => name)) {
      expect(new Set(same.map(({ expression }) => expression)).size).toBe(1);
    }
  });

  // An error in CEL skips the webhook silently under failurePolicy Ignore, and a plain `.` on an absent field is one.
  it.each(conditions)('$webhook $name reaches every field by optional selection', ({ expression }) => {
    const code = expression.replaceAll(/'[^']*'/g, "''");
    const selections = [...code.matchAll(/\w*\.\??\w+/g)].map(([selection]) => selection);
    const allowed = /\.\?\w+$|\.(exists|hasValue|orValue)$|^request\.operation$/;
    expect(selections.filter((selection) => !allowed.test(selection))).toEqual([]);
    expect(code).not.toContain('[key]');
  });

  it('of namespaces name all the labels that namespaces may carry', () => {
    const expression = conditions.find(({ name }) => name === 'our-labels-change')?.expression ?? '';
    const named = [...expression.matchAll(/'(gravekeeper\.dev\/[a-z-]+)'/g)].map(([, label]) => label);
    expect(named.sort()).toEqual(Object.values(labelKeys).sort());
  });
});
