import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { program } from '../../support/process.ts';
import { manifests, type Resource, readDocuments } from './read.ts';

/** kubectl, whose `kustomize` renders the manifests. */
export const kubectl = program('kubectl', 'kubernetes-client');

/** A copy of the manifests, to render and to write into. */
export interface ManifestsCopy {
  /** The folder that `manifests` lies in. */
  readonly root: string;
  /** Renders a folder below the root, and returns what kubectl did. */
  build(folder: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string };
  /** Renders a folder below `manifests`. */
  render(folder: string): Resource[];
  /** Renders a kustomization of a user's own, in a folder beside `manifests`. */
  renderMine(kustomization: string): Resource[];
  remove(): void;
}

/** Copies the manifests into a folder of their own, as a checkout has them. */
export function copyManifests(): ManifestsCopy {
  const root = mkdtempSync(join(tmpdir(), 'gravekeeper-manifests-'));
  cpSync(manifests, join(root, 'manifests'), { recursive: true });
  rmSync(join(root, 'manifests/overlays/secret/ca.crt'), { force: true });
  const build = (folder: string) =>
    spawnSync('kubectl', ['kustomize', join(root, folder)], { encoding: 'utf8' });
  const rendered = (folder: string): Resource[] => {
    const { status, stdout, stderr } = build(folder);
    if (status !== 0) throw new Error(stderr);
    return readDocuments(stdout);
  };
  return {
    root,
    build,
    render: (folder) => rendered(join('manifests', folder)),
    renderMine: (kustomization) => {
      const folder = mkdtempSync(join(root, 'mine-'));
      writeFileSync(join(folder, 'kustomization.yaml'), kustomization);
      return rendered(basename(folder));
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Kind and name of each resource, sorted. */
export function namesIn(resources: readonly Resource[]): string[] {
  return resources.map(({ kind, metadata }) => `${kind} ${metadata?.name}`).sort();
}

const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).default([]),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
});

const workload = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        securityContext: z.looseObject({}).default({}),
        initContainers: z.array(container).default([]),
        containers: z.array(container),
        volumes: z.array(z.looseObject({ name: z.string() })).default([]),
      }),
    }),
  }),
});

/** The pod's spec of a workload that was rendered, by kind and name. */
export function podIn(resources: readonly Resource[], name: string) {
  const found = resources.find(({ kind, metadata }) => `${kind} ${metadata?.name}` === name);
  return workload.parse(found).spec.template.spec;
}

/** The images of all workloads, sorted. */
export function imagesIn(resources: readonly Resource[]): string[] {
  const pods = resources.flatMap((resource) => {
    const parsed = workload.safeParse(resource);
    return parsed.success ? [parsed.data.spec.template.spec] : [];
  });
  return pods
    .flatMap(({ initContainers, containers }) => [...initContainers, ...containers])
    .map(({ image }) => image)
    .sort();
}

/** The kustomizations that a page of the documentation has users write. */
export function kustomizationsOf(page: string): string[] {
  const text = readFileSync(join(manifests, '../docs', page), 'utf8');
  const blocks = [...text.matchAll(/^```yaml\n(# mine\/kustomization\.yaml\n[\s\S]*?)^```$/gm)];
  return blocks.map(([, kustomization = '']) => kustomization);
}
