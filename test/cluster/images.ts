import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../src/version.ts';
import { saveImage } from '../image/images.ts';
import { makeArchive } from './oci.ts';
import { place } from './place.ts';
import { run } from './run.ts';
import { inside } from './stage.ts';
import { tool } from './tools.ts';

/** What every pod's first process comes from; where it leads to is chosen anew for each pod. */
export const pauseImage = 'localhost/pause:current';

/** A pause that reaps, and one that does not. */
export const pauses = { reaping: 'localhost/pause:reaping', lazy: 'localhost/pause:lazy' } as const;
export type Pause = keyof typeof pauses;

export const busyboxImage = 'docker.io/library/busybox:1.37';

const pauseSource = join(import.meta.dirname, '../runtime/programs/pause.c');
const staticBusybox = '/bin/busybox';

/** Makes the images that pods of the tests come from, and answers the file that holds them. */
export function makeTestImages(): string {
  const folder = join(place.images, 'tests');
  mkdirSync(folder, { recursive: true });
  const pause = (name: string, ...flags: readonly string[]): string => {
    const path = join(folder, name);
    run(['gcc', '-std=gnu17', '-O1', '-static', ...flags, '-o', path, pauseSource]);
    return path;
  };
  const applets = run([staticBusybox, '--list']).trim().split('\n');
  return makeArchive(folder, [
    { name: pauses.reaping, files: { pause: pause('pause-reaping', '-DREAPS') }, entrypoint: ['/pause'] },
    { name: pauses.lazy, files: { pause: pause('pause-lazy') }, entrypoint: ['/pause'] },
    {
      name: busyboxImage,
      files: { 'bin/busybox': staticBusybox },
      links: Object.fromEntries(
        applets.filter((name) => name !== 'busybox').map((name) => [`bin/${name}`, '/bin/busybox']),
      ),
      folders: ['tmp', 'root', 'etc'],
      cmd: ['sh'],
    },
  ]);
}

/** Builds the project's own images from its Dockerfile, and answers the files that hold them. */
export function makeOwnImages(): string[] {
  mkdirSync(place.images, { recursive: true });
  return (['tini', 'gravekeeper'] as const).map((target) =>
    saveImage(target, `ghcr.io/gravekeeper/${target}:${version}`, place.images),
  );
}

/** Puts images into the cluster's containerd, which has to run. */
export function importImages(archive: string): void {
  ctr('import', '--local', '--no-unpack', archive);
}

/** From now on new pods begin with that pause. */
export function choosePause(pause: Pause): void {
  ctr('tag', '--force', pauses[pause], pauseImage);
}

function ctr(...words: readonly string[]): void {
  run(inside([tool('ctr'), '-n', 'k8s.io', 'images', ...words], 'network and mounts'));
}
