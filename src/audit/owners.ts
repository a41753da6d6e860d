import { type JsonObject, objectAt, objectsIn } from '../pod/json.ts';
import { type NamedOwner, ownerAbove } from '../pod/owner.ts';
import { groupOf } from '../pod/pod.ts';
import { objectIdentity } from './identity.ts';
import type { AuditedObject } from './report.ts';

/** An object before it is known which others are in the input. */
export interface AuditedWithOwners {
  readonly object: AuditedObject;
  /** Its controller, and what that was made from as far as names tell. */
  readonly owners: readonly NamedOwner[];
  /** Why it lacks what it should have got; null where it lacks nothing. */
  readonly notInjected: string | null;
}

/** Names the objects that an object is made from: its controller, and what that was made from as far as names tell. */
export function ownersOf(value: JsonObject): readonly NamedOwner[] {
  const metadata = objectAt(value, 'metadata');
  const labels = new Map(Object.entries(objectAt(metadata, 'labels')));
  return objectsIn(metadata.ownerReferences).flatMap(({ controller, apiVersion, kind, name }) => {
    if (controller !== true || typeof apiVersion !== 'string' || typeof kind !== 'string') return [];
    if (typeof name !== 'string') return [];
    const owner = { apiVersion, kind, name };
    // The kubelet names its Node as the controller of a static pod; nothing was made from that.
    if (apiVersion === 'v1' && kind === 'Node') return [];
    const above = ownerAbove({ ...owner, group: groupOf(apiVersion) }, labels);
    return above === null ? [owner] : [owner, above];
  });
}

/**
 * Leaves out objects whose owner is among the others and speaks for them. Of the objects of an owner that is not, such
 * as an Argo Rollout, those that are alike become one. What pods lack is told of those that speak for them.
 */
export function withoutOwned(objects: readonly AuditedWithOwners[]): readonly AuditedObject[] {
  const byIdentity = new Map(objects.map((each) => [objectIdentity(each.object), each]));
  const groups = new Map<string, { readonly first: AuditedWithOwners; alike: number; causes: string[] }>();
  for (const each of objects) {
    const speaker = speakerFor(each, byIdentity);
    const key = groupKeyOf(speaker);
    const group = groups.get(key) ?? { first: speaker, alike: 0, causes: [] };
    if (speaker === each) group.alike += 1;
    if (each.notInjected !== null) group.causes.push(each.notInjected);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ first: { object, owners }, alike, causes }) => {
    const owner = owners.at(-1);
    return {
      ...object,
      ...(owner
        ? { owner: `${owner.kind}/${owner.name}`, ownerApiVersion: owner.apiVersion, pods: alike }
        : {}),
      ...(causes.length > 0
        ? { notInjected: { pods: causes.length, likelyCause: mostFrequent(causes) } }
        : {}),
    };
  });
}

/** The last of an object's owners that is in the input; itself if none is. */
function speakerFor(
  object: AuditedWithOwners,
  byIdentity: ReadonlyMap<string, AuditedWithOwners>,
): AuditedWithOwners {
  let speaker = object;
  for (const seen = new Set([object]); ; seen.add(speaker)) {
    const { namespace } = speaker.object;
    const above = speaker.owners
      .map((owner) => byIdentity.get(objectIdentity({ ...owner, namespace })))
      .find((each) => each);
    if (!above || seen.has(above)) return speaker;
    speaker = above;
  }
}

/** Objects of one owner that are alike are a group; any other is one of its own, also where two files hold it. */
function groupKeyOf({ object, owners }: AuditedWithOwners): string {
  const owner = owners.at(-1);
  return owner
    ? `${objectIdentity({ ...owner, namespace: object.namespace })}${likeness(object)}`
    : `${objectIdentity(object)}${JSON.stringify([object.file, object.line])}`;
}

/** What two pods of one owner must have in common to be told of once. */
function likeness({ kind, remedy, findings }: AuditedObject): string {
  return JSON.stringify([kind, remedy, findings.map(({ line: _, column: __, ...finding }) => finding)]);
}

function mostFrequent(texts: readonly string[]): string {
  const groups = [...Map.groupBy(texts, (text) => text)].sort(
    (one, other) => other[1].length - one[1].length,
  );
  return groups[0]?.[0] ?? '';
}
