import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Container, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { isJsonObject } from '../../../src/pod/json.ts';
import type { KubeObject } from './api.ts';

/** One of test/remedies. */
export interface Fixture {
  /** FOLDER/FILE without its ending. */
  readonly name: string;
  readonly namespace: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  /** The webhook's configuration; null where the defaults do. */
  readonly configuration: object | null;
  /** Whether its outcome rests on what a registry says of its images; the cluster has none. */
  readonly needsRegistry: boolean;
  /** A Pod, or a workload with a template. */
  readonly workload: KubeObject & { readonly spec: object };
  /** The pod of it, with the metadata that its pods would get. */
  readonly pod: V1Pod & { readonly spec: V1PodSpec };
  readonly expected: {
    readonly remedy: { readonly kind: string | null; readonly reason: string };
    readonly patch: readonly object[];
  };
}

const root = join(import.meta.dirname, '../../remedies');

/** All of them, in the order of their names. */
export const fixtures: readonly Fixture[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .sort()
  .map((file) => read(file.replace(/\.yaml$/, '')));

function read(name: string): Fixture {
  const documents = parseAllDocuments(readFileSync(join(root, `${name}.yaml`), 'utf8')).map(
    (document): unknown => document.toJS(),
  );
  const ofKind = (kind: string) => documents.find((one) => isJsonObject(one) && one.kind === kind);
  const workload = documents.at(-1) as Fixture['workload'];
  const namespace = (ofKind('Namespace') ?? {}) as KubeObject;
  return {
    name,
    namespace: { name: namespace.metadata?.name ?? 'shop', labels: namespace.metadata?.labels ?? {} },
    configuration: (ofKind('Configuration') as object | undefined) ?? null,
    needsRegistry: ofKind('Images') !== undefined,
    workload,
    pod: podOf(workload),
    expected: JSON.parse(readFileSync(join(root, `${name}.expected.json`), 'utf8')),
  };
}

function podOf(workload: KubeObject): Fixture['pod'] {
  const { spec } = workload as { spec: { template?: V1Pod } };
  return (spec.template ?? workload) as Fixture['pod'];
}

/** Whether no API server takes the pod of a fixture as it is written, with or without us. */
export function neverAccepted(name: string): boolean {
  return /^(unjudgeable|mirror-pod)\//.test(name) || name === 'already-injected/volume-gone';
}

/** Containers of every sort. */
export function containersOf({ spec }: V1Pod): V1Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

/** The images that their containers name, without those of the project. */
export function fixtureImages(): string[] {
  const names = fixtures.flatMap(({ pod }) => containersOf(pod).map(({ image = '' }) => image));
  return [...new Set(names)].filter((name) => name !== '' && !name.startsWith('ghcr.io/gravekeeper/'));
}

/**
 * Everything in their commands that may be the name of a program, as a path in an image without the leading `/`.
 * It finds too many rather than too few.
 */
export function fixturePrograms(): string[] {
  const words = fixtures.flatMap(({ pod }) =>
    containersOf(pod).flatMap(({ command = [], args = [] }) => [...command, ...args]),
  );
  const entrypoints = ['/bin/worker', '/entry.sh'];
  const names = [...words, ...entrypoints].flatMap((word) => word.split(/[\s'"&;|()]+/)).filter(isProgram);
  return [...new Set(names.map(pathInImage))];
}

function isProgram(word: string): boolean {
  return /^(\.?\/)?[a-z][\w./-]*$/.test(word) && !word.endsWith('.js');
}

/** Their working directory is the root. */
function pathInImage(name: string): string {
  if (name.startsWith('./')) return name.slice(2);
  return name.startsWith('/') ? name.slice(1) : `bin/${name}`;
}
