import { groupOf } from '../pod/pod.ts';
import type { AuditedFinding, AuditedObject } from './report.ts';

/** What stays the same of an object when its file moves or its API's version changes. */
export function objectIdentity({
  apiVersion,
  kind,
  namespace,
  name,
}: Pick<AuditedObject, 'apiVersion' | 'kind' | 'namespace' | 'name'>): string {
  return JSON.stringify([groupOf(apiVersion), kind, namespace, name]);
}

/** What stays the same of a finding when lines move and intervals change: its object, rule, container and probe. */
export function findingIdentity(
  object: Parameters<typeof objectIdentity>[0],
  { rule, container, probe }: Pick<AuditedFinding, 'rule' | 'container' | 'probe'>,
): string {
  return `${objectIdentity(object)}${JSON.stringify([rule, container, probe])}`;
}
