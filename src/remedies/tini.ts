import type { Config } from '../config/config.ts';
import type { JsonObject } from '../pod/json.ts';
import type { Container, Pod } from '../pod/pod.ts';
import { pointer } from '../pod/pointer.ts';
import { type Injection, injectedName } from './injection.ts';
import { freeMountPath, isFree } from './mount-path.ts';
import type { Operation } from './remedy.ts';

/** A container that gets tini, and the words that tini starts. */
export interface Wrap {
  readonly container: Container;
  /** As the pod's fields have to hold them. */
  readonly argv: readonly string[];
}

/** tini and the copier together are below 1 MiB; a Memory volume without a limit counts against nothing. */
const volumeSize = '4Mi';
/** The user of the image, for the one case in which the pod's own would be refused. */
const copierUser = 65532;

/**
 * Puts tini in front of containers: a volume that holds it, a copier that fills the volume before anything else
 * starts, and the wrapped commands. What an earlier round injected is reused; what is missing of it is put back,
 * and the copier returns to the front.
 *
 * @param pod The pod.
 * @param wraps The containers to wrap, none of which `blockedContainers` names; may be empty, for a repair.
 * @param injection What an earlier round injected, or null.
 * @param settings Image and delivery of tini.
 * @returns The operations, below the pod's own object.
 */
export function tini(
  pod: Pod,
  wraps: readonly Wrap[],
  injection: Injection | null,
  settings: Config['tini'],
): readonly Operation[] {
  const containers = wraps.map(({ container }) => container);
  const mountPath = injection?.mountPath ?? freeMountPath(containers);
  const volume = injection?.volume ?? freeName(volumeNames(pod));
  // An image volume needs the runtime's ID-mapped mounts in a user namespace, which only the newest ones have.
  const mayBeImage = settings.delivery === 'image-volume' && pod.spec.hostUsers !== false;
  const fromImage = injection?.hasVolume
    ? injection.fromImage
    : mayBeImage && (injection?.copierIndex ?? null) === null;
  return [
    ...wraps.flatMap((wrap) => wrapOperations(wrap, volume, mountPath)),
    ...(injection?.hasVolume ? [] : [volumeOperation(pod, volume, settings.image, fromImage)]),
    ...(fromImage
      ? []
      : copierOperations(pod, injection, containers[0] ?? firstWrapped(pod, injection), {
          image: settings.image,
          volume,
          mountPath,
        })),
  ];
}

/**
 * The containers that cannot be wrapped, because tini's mount would clash with one of theirs.
 *
 * @param containers The containers to be wrapped.
 * @param injection What an earlier round injected, whose mount path is used again, or null.
 */
export function blockedContainers(
  containers: readonly Container[],
  injection: Injection | null,
): ReadonlySet<Container> {
  const mountPath = injection?.mountPath ?? freeMountPath(containers);
  return new Set(containers.filter((container) => !isFree(mountPath, container)));
}

function wrapOperations({ container, argv }: Wrap, volume: string, mountPath: string): readonly Operation[] {
  const base = pointer(
    '',
    'spec',
    container.role === 'container' ? 'containers' : 'initContainers',
    container.index,
  );
  const mount = { name: volume, mountPath, readOnly: true };
  return [
    set(container.fields.command, pointer(base, 'command'), [`${mountPath}/tini`, '-s', '--']),
    set(container.fields.args, pointer(base, 'args'), argv),
    append(container.fields.volumeMounts, pointer(base, 'volumeMounts'), mount),
  ];
}

function volumeOperation(pod: Pod, name: string, image: string, fromImage: boolean): Operation {
  const source = fromImage
    ? { image: { reference: image, pullPolicy: 'IfNotPresent' } }
    : { emptyDir: { medium: 'Memory', sizeLimit: volumeSize } };
  return append(pod.spec.volumes, '/spec/volumes', { name, ...source });
}

/** Puts the copier in front of all init containers, or moves it there. */
function copierOperations(
  pod: Pod,
  injection: Injection | null,
  model: Container | undefined,
  delivery: { image: string; volume: string; mountPath: string },
): readonly Operation[] {
  if (injection && injection.copierIndex !== null) {
    if (injection.copierIndex === 0) return [];
    return [
      {
        op: 'move',
        from: pointer('/spec/initContainers', injection.copierIndex),
        path: '/spec/initContainers/0',
      },
    ];
  }
  const copier = copierContainer(pod, model, delivery);
  return pod.spec.initContainers
    ? [{ op: 'add', path: '/spec/initContainers/0', value: copier }]
    : [{ op: 'add', path: '/spec/initContainers', value: [copier] }];
}

function copierContainer(
  pod: Pod,
  model: Container | undefined,
  { image, volume, mountPath }: { image: string; volume: string; mountPath: string },
): JsonObject {
  const resources = modelledResources(model);
  // The pod's runAsUser 0 with runAsNonRoot alone would be refused by the kubelet for ever.
  const user = pod.spec.securityContext?.runAsUser === 0 ? { runAsUser: copierUser } : {};
  // The pod's profile was written for its programs, and may forbid the copier.
  const isConfined = pod.spec.securityContext?.appArmorProfile?.type === 'Localhost';
  return {
    name: freeName(pod.containers.map(({ name }) => name)),
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['/copier', mountPath],
    ...(resources ? { resources } : {}),
    securityContext: {
      allowPrivilegeEscalation: false,
      ...(isConfined ? { appArmorProfile: { type: 'RuntimeDefault' } } : {}),
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      ...user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [{ name: volume, mountPath }],
  };
}

/**
 * Requests and limits of the first wrapped container: the copier then changes neither the QoS class nor what the
 * pod asks of quota and scheduler, which take the maximum of the init and the running phase.
 */
function modelledResources(model: Container | undefined): JsonObject | null {
  const basic = ['cpu', 'memory', 'ephemeral-storage'];
  const pick = (list: Readonly<Record<string, unknown>> | null | undefined): JsonObject | null => {
    const entries = Object.entries(list ?? {}).filter(([name]) => basic.includes(name));
    return entries.length > 0 ? Object.fromEntries(entries) : null;
  };
  const requests = pick(model?.fields.resources?.requests);
  const limits = pick(model?.fields.resources?.limits);
  if (!requests && !limits) return null;
  return { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) };
}

function firstWrapped(pod: Pod, injection: Injection | null): Container | undefined {
  return pod.containers.find((container) => injection?.wraps(container));
}

function volumeNames(pod: Pod): readonly string[] {
  return (pod.spec.volumes ?? []).map(({ name }) => name ?? '');
}

/** Our name, with a number where something else bears it. */
function freeName(taken: readonly string[]): string {
  const used = new Set(taken);
  let name = injectedName;
  for (let number = 2; used.has(name); number += 1) name = `${injectedName}-${number}`;
  return name;
}

function set(before: unknown, path: string, value: unknown): Operation {
  return { op: before === undefined ? 'add' : 'replace', path, value };
}

function append(list: unknown, path: string, value: unknown): Operation {
  return list === undefined || list === null
    ? { op: 'add', path, value: [value] }
    : { op: 'add', path: `${path}/-`, value };
}
