import { z } from 'zod';
import { readManifest } from './read.ts';

const requirement = z.strictObject({
  key: z.string(),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
  values: z.array(z.string()).optional(),
});
const selector = z.strictObject({ matchExpressions: z.array(requirement) });

const webhook = z.strictObject({
  name: z.string(),
  clientConfig: z.strictObject({
    service: z.strictObject({
      namespace: z.string(),
      name: z.string(),
      path: z.string(),
      port: z.number(),
    }),
  }),
  namespaceSelector: selector,
  objectSelector: selector.optional(),
  rules: z.array(
    z.strictObject({
      operations: z.array(z.string()),
      apiGroups: z.array(z.string()),
      apiVersions: z.array(z.string()),
      resources: z.array(z.string()),
      scope: z.enum(['Namespaced', 'Cluster']),
    }),
  ),
  matchConditions: z.array(z.strictObject({ name: z.string(), expression: z.string() })),
  matchPolicy: z.string(),
  admissionReviewVersions: z.array(z.string()),
  sideEffects: z.string(),
  failurePolicy: z.string(),
  timeoutSeconds: z.number(),
  reinvocationPolicy: z.string().optional(),
});

const configuration = z.strictObject({
  apiVersion: z.literal('admissionregistration.k8s.io/v1'),
  kind: z.string(),
  metadata: z.strictObject({ name: z.string() }),
  webhooks: z.array(webhook),
});

/** One entry of a webhook configuration. */
export type WebhookEntry = z.infer<typeof webhook>;

/** Both webhook configurations of the base; a field that is not known here is an error. */
export function readConfigurations() {
  const read = (file: string) => configuration.parse(readManifest(file)[0]);
  return {
    mutating: read('base/webhook/mutating-webhook.yaml'),
    validating: read('base/webhook/validating-webhook.yaml'),
  };
}

/** Whether labels satisfy a label selector, as `k8s.io/apimachinery/pkg/labels` decides it. */
export function selects(
  { matchExpressions }: z.infer<typeof selector>,
  labels: Readonly<Record<string, string>>,
): boolean {
  const holds: Record<
    z.infer<typeof requirement>['operator'],
    (value?: string, values?: string[]) => boolean
  > = {
    In: (value, values = []) => value !== undefined && values.includes(value),
    NotIn: (value, values = []) => value === undefined || !values.includes(value),
    Exists: (value) => value !== undefined,
    DoesNotExist: (value) => value === undefined,
  };
  return matchExpressions.every(({ key, operator, values }) => holds[operator](labels[key], values));
}

/**
 * Which entries are called for an object, as far as selectors and rules decide it.
 *
 * @param webhooks The entries.
 * @param object Its resource, the operation, its labels, and those of its namespace (its own, for a namespace).
 * @returns The names of the entries without the domain: `namespace-inject`.
 */
export function calledEntries(
  webhooks: readonly WebhookEntry[],
  object: {
    readonly group: string;
    readonly resource: string;
    readonly operation: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly namespaceLabels: Readonly<Record<string, string>>;
  },
): string[] {
  return webhooks
    .filter(
      ({ namespaceSelector, objectSelector, rules }) =>
        selects(namespaceSelector, object.namespaceLabels) &&
        (objectSelector === undefined || selects(objectSelector, object.labels)) &&
        rules.some(
          ({ operations, apiGroups, apiVersions, resources }) =>
            operations.includes(object.operation) &&
            apiGroups.includes(object.group) &&
            apiVersions.includes('v1') &&
            resources.includes(object.resource),
        ),
    )
    .map(({ name }) => name.split('.')[0] ?? '');
}
