import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { reportsApis } from '../../../src/audit/formats/openreports.ts';
import { auditCommand } from '../../../src/commands/audit.ts';
import { workloadKinds } from '../../../src/pod/templates.ts';
import { version } from '../../../src/version.ts';
import { describeWith } from '../../support/process.ts';
import { copyManifests, kubectl, kustomizationsOf, type ManifestsCopy, namesIn } from './kustomize.ts';
import { podSpecSchema, restrictedViolations } from './pod-security.ts';
import { type Resource, readManifest } from './read.ts';

const folder = 'components/audit-reports';

const cronJobSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
  spec: z.looseObject({
    concurrencyPolicy: z.string(),
    jobTemplate: z.looseObject({
      spec: z.looseObject({
        template: z.looseObject({
          metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
          spec: podSpecSchema.extend({
            serviceAccountName: z.string(),
            automountServiceAccountToken: z.boolean(),
            restartPolicy: z.string(),
            containers: z.tuple([
              podSpecSchema.shape.containers.element.extend({
                image: z.string(),
                args: z.array(z.string()),
                resources: z.strictObject({
                  requests: z.strictObject({ cpu: z.string(), memory: z.string() }),
                  limits: z.strictObject({ memory: z.string() }),
                }),
                volumeMounts: z.unknown(),
              }),
            ]),
            volumes: z.array(z.looseObject({ name: z.string() })),
          }),
        }),
      }),
    }),
  }),
});

function cronJobIn(resources: readonly Resource[]) {
  return cronJobSchema.parse(resources.find(({ kind }) => kind === 'CronJob'));
}

function argsIn(resources: readonly Resource[]): readonly string[] {
  return cronJobIn(resources).spec.jobTemplate.spec.template.spec.containers[0].args;
}

function rulesIn(resources: readonly Resource[]): readonly unknown[] {
  const role = resources.find(
    ({ kind, metadata }) => kind === 'ClusterRole' && metadata?.name === 'gravekeeper-audit',
  );
  return z.array(z.unknown()).parse(role?.rules);
}

const cronJob = cronJobIn(readManifest(`${folder}/cron-job.yaml`));
const { template } = cronJob.spec.jobTemplate.spec;
const [container] = template.spec.containers;

describe('the CronJob of the audit', () => {
  it('satisfies the Pod Security Standard of its namespace, as any user, and writes to no file system', () => {
    expect(restrictedViolations(template.spec)).toEqual([]);
    expect(container.securityContext?.readOnlyRootFilesystem).toBe(true);
    expect(template.spec.securityContext?.runAsUser).toBeUndefined();
    expect(cronJob.metadata.namespace).toBe('gravekeeper');
  });

  it('runs one at a time, and none of its pods is taken for one of the webhook', () => {
    expect(cronJob.spec.concurrencyPolicy).toBe('Forbid');
    expect(template.spec.restartPolicy).toBe('Never');
    expect(template.metadata.labels).toEqual({
      'app.kubernetes.io/name': 'gravekeeper',
      'app.kubernetes.io/component': 'audit',
    });
  });

  it('is started with arguments that the command knows, and does not fail at findings', () => {
    const [name, ...args] = container.args;
    const command = auditCommand().exitOverride();
    expect(name).toBe(command.name());
    expect(command.parseOptions(args)).toEqual({ operands: [], unknown: [] });
    expect(command.opts()).toMatchObject({
      cluster: true,
      report: 'openreports',
      config: '/config/config.yaml',
      failOn: 'never',
    });
  });

  it("judges by the webhook's configuration", () => {
    const [config] = readManifest('base/webhook/config.yaml');
    expect(template.spec.volumes).toEqual([{ name: 'config', configMap: { name: config?.metadata?.name } }]);
    expect(container.volumeMounts).toEqual([{ name: 'config', mountPath: '/config', readOnly: true }]);
  });
});

/** The rules that the audit needs for one of the two APIs. */
function neededRules(api: keyof typeof reportsApis) {
  const groups = [...new Set(workloadKinds.map(({ group }) => group))];
  const reads = groups.map((group) => ({
    apiGroups: [group],
    resources: [
      ...(group === '' ? ['namespaces'] : []),
      ...workloadKinds.filter((each) => each.group === group).map(({ kind }) => `${kind.toLowerCase()}s`),
    ].sort(),
    verbs: ['list'],
  }));
  const { apiVersion, plural } = reportsApis[api];
  const [group] = apiVersion.split('/');
  return [
    ...reads,
    { apiGroups: [group], resources: [plural], verbs: ['list', 'create', 'patch', 'delete'] },
  ];
}

describe('what the audit may do', () => {
  it('is to list what it judges, and to write reports', () => {
    const [role, binding, ...rest] = readManifest(`${folder}/cluster-role.yaml`);
    expect(rest).toEqual([]);
    expect(role?.rules).toEqual(neededRules('openreports'));
    expect(binding).toMatchObject({
      kind: 'ClusterRoleBinding',
      roleRef: { kind: 'ClusterRole', name: role?.metadata?.name },
      subjects: [
        { kind: 'ServiceAccount', name: template.spec.serviceAccountName, namespace: 'gravekeeper' },
      ],
    });
  });

  it('takes the token, which nobody else gets', () => {
    expect(readManifest(`${folder}/service-account.yaml`)[0]).toMatchObject({
      metadata: { name: template.spec.serviceAccountName, namespace: 'gravekeeper' },
      automountServiceAccountToken: false,
    });
    expect(template.spec.automountServiceAccountToken).toBe(true);
  });
});

describeWith([kubectl], 'the component audit-reports', () => {
  let copy: ManifestsCopy;
  beforeAll(() => {
    copy = copyManifests();
  });
  afterAll(() => copy.remove());

  it('adds the CronJob, its account and its role, and changes nothing else', () => {
    const before = copy.render('base');
    const after = copy.renderMine(
      `resources:\n  - ../manifests/base\ncomponents:\n  - ../manifests/${folder}\n`,
    );
    const added = after.filter(({ metadata }) => metadata?.name === 'gravekeeper-audit');
    expect(namesIn(added)).toEqual([
      'ClusterRole gravekeeper-audit',
      'ClusterRoleBinding gravekeeper-audit',
      'CronJob gravekeeper-audit',
      'ServiceAccount gravekeeper-audit',
    ]);
    expect(after.filter((each) => !added.includes(each))).toEqual(before);
    const { image } = cronJobIn(after).spec.jobTemplate.spec.template.spec.containers[0];
    expect(image).toBe(`ghcr.io/gravekeeper/gravekeeper:${version}`);
  });

  it('writes PolicyReports where docs/audit.md has users say so', () => {
    const [text = ''] = kustomizationsOf('audit.md');
    const resources = copy.renderMine(text);
    expect(argsIn(resources).slice(2, 4)).toEqual(['--report', 'wgpolicyk8s']);
    expect(rulesIn(resources)).toEqual(neededRules('wgpolicyk8s'));
  });
});
