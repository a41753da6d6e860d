import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { manifestFiles, manifests, readManifest } from './read.ts';

const kustomizationSchema = z.looseObject({
  resources: z.array(z.string()).default([]),
  patches: z.array(z.looseObject({ path: z.string().optional() })).default([]),
});

const folders = manifestFiles()
  .filter((path) => path.endsWith('kustomization.yaml'))
  .map(dirname);

describe('every manifest', () => {
  it.each(manifestFiles())('%s is YAML of Kubernetes resources', (path) => {
    expect(readManifest(path).length).toBeGreaterThan(0);
  });

  it.each(folders)('of %s is listed there', (folder) => {
    const { resources, patches } = kustomizationSchema.parse(readManifest(`${folder}/kustomization.yaml`)[0]);
    const listed = [...resources, ...patches.flatMap(({ path }) => path ?? [])].filter((path) =>
      path.endsWith('.yaml'),
    );
    const present = readdirSync(join(manifests, folder)).filter(
      (name) => name.endsWith('.yaml') && name !== 'kustomization.yaml',
    );
    expect(listed.sort()).toEqual(present.sort());
  });

  it('lies in a folder with a kustomization', () => {
    const strays = manifestFiles().filter(
      (path) => !existsSync(join(manifests, dirname(path), 'kustomization.yaml')),
    );
    expect(strays).toEqual([]);
  });
});
