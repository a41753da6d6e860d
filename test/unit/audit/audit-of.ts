import { readSource } from '../../../src/audit/read-source.ts';
import type { AuditReport } from '../../../src/audit/report.ts';
import { Audit, type AuditOptions } from '../../../src/audit/run.ts';
import { defaultConfig } from '../../../src/config/config.ts';
import { namespacesAmong } from '../../../src/manifest/namespaces.ts';

/** The context of a file whose Namespaces it holds itself. */
export function contextOf(
  text: string,
  assumed: Readonly<Record<string, string>> = {},
): AuditOptions['context'] {
  const labels = namespacesAmong(text);
  return {
    config: defaultConfig,
    labelsOf: (name) => labels.get(name) ?? null,
    assumed: new Map(Object.entries(assumed)),
    defaultNamespace: 'default',
    podsRun: false,
  };
}

/** Audits the text of one file. */
export function auditOf(
  text: string,
  {
    assumed,
    ...options
  }: Partial<AuditOptions> & { readonly assumed?: Readonly<Record<string, string>> } = {},
  file = 'f.yaml',
): AuditReport {
  const audit = new Audit({ context: contextOf(text, assumed), ...options });
  for (const entry of readSource(text, file)) audit.add(entry);
  return audit.report();
}

export const rabbitmq = `apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels:
    gravekeeper.dev/inject: auto
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: rabbitmq
  namespace: shop
spec:
  template:
    spec:
      containers:
      - name: rabbitmq
        image: rabbitmq:3.8
        command: [my-broker]
        livenessProbe:
          exec:
            command: [rabbitmqctl, node_health_check]
          timeoutSeconds: 10
        readinessProbe:
          exec:
            command: [sh, -c, "rabbitmqctl status | grep running"]
          periodSeconds: 30
`;
