import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addBlob } from '../support/oci-layout.ts';
import { run } from './run.ts';

/** The image that a pod's first process comes from; where it leads to is chosen anew for each pod. */
export const pauseImage = 'localhost/pause:current';

/** A pause that reaps, and one that does not. */
export const pauses = { reaping: 'localhost/pause:reaping', lazy: 'localhost/pause:lazy' } as const;
export type Pause = keyof typeof pauses;

/** `/app`, the same under the name of a container runtime, and tini. */
export const appImage = 'localhost/app:1';

const programs = join(import.meta.dirname, 'programs');

/** A file of an image: its path in there without the leading `/`, and where it comes from. */
type Files = Readonly<Record<string, string>>;

/**
 * Makes all images.
 *
 * @param folder Where to work; it has to be there.
 * @param tini A tini that needs no shared libraries.
 * @returns The path of one OCI layout in a tar, as `ctr images import` takes it.
 */
export function makeImages(folder: string, tini: string): string {
  const compile = (source: string, name: string, ...flags: readonly string[]): string => {
    const path = join(folder, name);
    run('gcc', ['-std=gnu17', '-O1', '-static', '-pthread', ...flags, '-o', path, join(programs, source)]);
    return path;
  };
  const app = compile('app.c', 'app');
  const layout = join(folder, 'layout');
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const manifests = [
    addImage(layout, pauses.reaping, { pause: compile('pause.c', 'pause-reaping', '-DREAPS') }, '/pause'),
    addImage(layout, pauses.lazy, { pause: compile('pause.c', 'pause-lazy') }, '/pause'),
    addImage(layout, appImage, { app, 'containerd-shim-runc-v2': app, tini }, '/app'),
  ];
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  const tar = join(folder, 'images.tar');
  run('tar', ['--create', '--file', tar, '--directory', layout, '.']);
  return tar;
}

/** Adds an image of one layer to an OCI layout, and answers its descriptor for the index. */
function addImage(layout: string, name: string, files: Files, entrypoint: string): object {
  const root = join(layout, '..', `root-${name.replace(/\W/g, '-')}`);
  mkdirSync(root);
  for (const [path, from] of Object.entries(files)) {
    copyFileSync(from, join(root, path));
    chmodSync(join(root, path), 0o755);
  }
  const layer = run('tar', ['--create', '--sort=name', '--owner=0', '--group=0', '--directory', root, '.']);
  const diff = addBlob(layout, 'application/vnd.oci.image.layer.v1.tar', layer);
  const config = addBlob(layout, 'application/vnd.oci.image.config.v1+json', {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: [entrypoint] },
    rootfs: { type: 'layers', diff_ids: [diff.digest] },
  });
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers: [diff] };
  return { ...addBlob(layout, manifestType, manifest), annotations: { 'io.containerd.image.name': name } };
}
