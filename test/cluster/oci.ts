import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addBlob } from '../support/oci-layout.ts';
import { run } from './run.ts';

/** An image of one layer. */
export interface ImageContent {
  /** All that it is called, with tags. */
  readonly names: readonly string[];
  /** Paths in the image without the leading `/`, and the file that each is a copy of. */
  readonly files: Readonly<Record<string, string>>;
  /** Paths in the image without the leading `/`, and what each points to. */
  readonly links?: Readonly<Record<string, string>>;
  readonly folders?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly user?: string;
}

/**
 * Makes images without a builder.
 *
 * @param folder An empty folder to work in; it has to be there.
 * @returns The path of an OCI layout in a tar, as `ctr images import` takes it.
 */
export function makeArchive(folder: string, images: readonly ImageContent[]): string {
  const layout = join(folder, 'layout');
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const manifests = images.flatMap((image, index) => addImage(layout, image, join(folder, `root-${index}`)));
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  const archive = join(folder, 'archive.tar');
  run(['tar', '--create', '--file', archive, '--directory', layout, '.']);
  return archive;
}

/** Answers a descriptor for the index for each of its names. */
function addImage(layout: string, image: ImageContent, root: string): object[] {
  mkdirSync(root);
  for (const path of image.folders ?? []) mkdirSync(join(root, path), { recursive: true, mode: 0o1777 });
  for (const path of image.folders ?? []) chmodSync(join(root, path), 0o1777);
  for (const [path, from] of Object.entries(image.files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(from, join(root, path));
    chmodSync(join(root, path), 0o755);
  }
  for (const [path, target] of Object.entries(image.links ?? {})) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  const layerFile = `${root}.tar`;
  run([
    'tar',
    '--create',
    '--file',
    layerFile,
    '--sort=name',
    '--owner=0',
    '--group=0',
    '--directory',
    root,
    '.',
  ]);
  const layer = addBlob(layout, 'application/vnd.oci.image.layer.v1.tar', readFileSync(layerFile));
  const config = addBlob(layout, 'application/vnd.oci.image.config.v1+json', {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ...(image.entrypoint ? { Entrypoint: image.entrypoint } : {}),
      ...(image.cmd ? { Cmd: image.cmd } : {}),
      ...(image.user ? { User: image.user } : {}),
    },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = addBlob(layout, mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] });
  return image.names.map((name) => ({ ...manifest, annotations: { 'io.containerd.image.name': name } }));
}
