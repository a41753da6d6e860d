import { type PickedContainer, type PickedSpec, pickContainer, pickMetadata, pickSpec } from './fields.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { pointer } from './pointer.ts';

/** Where a container stands in a pod, which decides what may be done to it. */
export type ContainerRole = 'container' | 'sidecar' | 'init';

/** The three probes of a container. */
export type ProbeKind = 'liveness' | 'readiness' | 'startup';

/** A probe that runs a command inside the container. */
export interface ExecProbe {
  readonly kind: ProbeKind;
  readonly command: readonly string[];
  /** Seconds; the API server's default of 10 where the field is absent. */
  readonly periodSeconds: number;
  /** Seconds; the API server's default of 1 where the field is absent. */
  readonly timeoutSeconds: number;
  /** JSON Pointer of the command, below the document's root. */
  readonly pointer: string;
}

/** A lifecycle hook that runs a command inside the container. */
export interface ExecHook {
  readonly kind: 'postStart' | 'preStop';
  readonly command: readonly string[];
}

/** A container of a pod, in the order containers, then init containers. */
export interface Container {
  readonly role: ContainerRole;
  /** Its place in `spec.containers` or `spec.initContainers`. */
  readonly index: number;
  /** JSON Pointer below the document's root. */
  readonly pointer: string;
  readonly name: string;
  readonly fields: PickedContainer;
  readonly probes: readonly ExecProbe[];
  readonly hooks: readonly ExecHook[];
  /** JSON Pointers of fields of this container whose type was wrong and that were left out. */
  readonly lost: readonly string[];
}

/** The controller of a pod; group is `''` for the core group. */
export interface Controller {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

/** A pod, or the pod that a template would become, as this program sees it. */
export interface Pod {
  /** The object that holds `metadata` and `spec`, untouched. */
  readonly raw: JsonObject;
  /** JSON Pointer of that object in its document: `''` for a Pod, `/spec/template` for a Deployment. */
  readonly base: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly spec: PickedSpec;
  readonly containers: readonly Container[];
  readonly controller: Controller | null;
  /** A mirror pod of the kubelet; only where the one who asked may be trusted to say so. */
  readonly mirror: boolean;
  /** JSON Pointers of fields outside the containers whose type was wrong and that were left out. */
  readonly lost: readonly string[];
}

/** What the caller knows of a pod beyond its own fields. */
export interface PodOrigin {
  /** JSON Pointer of the pod in its document; `''` unless it is a template. */
  readonly base?: string;
  /** The controller that the pods of a template will have; left out, the ownerReferences tell. */
  readonly controller?: Controller | null;
  /** Whether a mirror annotation is to be believed: only a node may say so of its own pods. */
  readonly trustMirrorAnnotation?: boolean;
}

/**
 * Reads a pod, or the pod of a template, out of raw JSON. It never throws: a field of the wrong type is left
 * out and its pointer listed in `lost`.
 *
 * @param raw The object that holds `metadata` and `spec`; anything else reads as a pod without containers.
 * @param origin What the caller knows of it.
 */
export function readPod(raw: unknown, origin: PodOrigin = {}): Pod {
  const base = origin.base ?? '';
  const object = isJsonObject(raw) ? raw : {};
  const lost: string[] = isJsonObject(raw) ? [] : [base];
  const section = (name: 'metadata' | 'spec'): JsonObject => {
    const value = object[name];
    if (isJsonObject(value)) return value;
    if (value !== undefined && value !== null) lost.push(pointer(base, name));
    return {};
  };
  const metadata = pickMetadata(section('metadata'), pointer(base, 'metadata'));
  const spec = pickSpec(section('spec'), pointer(base, 'spec'));
  lost.push(...metadata.lost, ...spec.lost);
  const annotations = stringEntries(
    metadata.fields.annotations,
    pointer(base, 'metadata', 'annotations'),
    lost,
  );
  const owner = metadata.fields.ownerReferences?.find((reference) => reference.controller === true);
  return {
    raw: object,
    base,
    labels: stringEntries(metadata.fields.labels, pointer(base, 'metadata', 'labels'), lost),
    annotations,
    spec: spec.fields,
    containers: [
      ...readContainers(spec.fields.containers, pointer(base, 'spec', 'containers'), false, lost),
      ...readContainers(spec.fields.initContainers, pointer(base, 'spec', 'initContainers'), true, lost),
    ],
    controller:
      origin.controller !== undefined
        ? origin.controller
        : owner
          ? { group: groupOf(owner.apiVersion), kind: owner.kind, name: owner.name }
          : null,
    mirror: origin.trustMirrorAnnotation === true && annotations.has('kubernetes.io/config.mirror'),
    lost,
  };
}

/** The API group of an `apiVersion`: `apps` of `apps/v1`, `''` of `v1`. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

function stringEntries(
  record: Readonly<Record<string, unknown>> | null | undefined,
  base: string,
  lost: string[],
): Map<string, string> {
  const map = new Map<string, string>();
  for (const [key, value] of Object.entries(record ?? {})) {
    if (typeof value === 'string') map.set(key, value);
    else lost.push(pointer(base, key));
  }
  return map;
}

function readContainers(
  list: readonly unknown[] | null | undefined,
  base: string,
  init: boolean,
  lostOfPod: string[],
): Container[] {
  return (list ?? []).flatMap((raw, index) => {
    const at = pointer(base, index);
    if (!isJsonObject(raw)) {
      lostOfPod.push(at);
      return [];
    }
    return [readContainer(raw, at, index, init)];
  });
}

function readContainer(raw: JsonObject, at: string, index: number, init: boolean): Container {
  const { fields, lost } = pickContainer(raw, at);
  const sidecar = fields.restartPolicy === 'Always';
  return {
    role: init ? (sidecar ? 'sidecar' : 'init') : 'container',
    index,
    pointer: at,
    name: fields.name ?? '',
    fields,
    probes: (['liveness', 'readiness', 'startup'] as const).flatMap((kind) => {
      const probe = fields[`${kind}Probe`];
      const command = probe?.exec?.command;
      if (!probe || !command?.length) return [];
      return [
        {
          kind,
          command,
          periodSeconds: positive(probe.periodSeconds, 10),
          timeoutSeconds: positive(probe.timeoutSeconds, 1),
          pointer: pointer(at, `${kind}Probe`, 'exec', 'command'),
        },
      ];
    }),
    hooks: (['postStart', 'preStop'] as const).flatMap((kind) => {
      const command = fields.lifecycle?.[kind]?.exec?.command;
      return command?.length ? [{ kind, command }] : [];
    }),
    lost,
  };
}

/** A number of seconds as the API server defaults it: absent and zero both mean the default. */
function positive(value: number | null | undefined, byDefault: number): number {
  return value !== null && value !== undefined && value > 0 ? value : byDefault;
}

/** The containers that keep running: app containers, then native sidecars. */
export function longRunning(pod: Pod): readonly Container[] {
  return pod.containers.filter((container) => container.role !== 'init');
}
