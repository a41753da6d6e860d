import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../src/version.ts';
import { saveImage } from '../image/images.ts';
import { fixtureImages, fixturePrograms } from './kit/fixtures.ts';
import { type ImageContent, makeArchive } from './oci.ts';
import { place } from './place.ts';
import { run } from './run.ts';
import { inside } from './stage.ts';
import { tool } from './tools.ts';

/** What every pod's first process comes from; where it leads to is chosen anew for each pod. */
export const pauseImage = 'localhost/pause:current';

/** A pause that reaps, and one that does not. */
export const pauses = { reaping: 'localhost/pause:reaping', lazy: 'localhost/pause:lazy' } as const;
export type Pause = keyof typeof pauses;

const pauseSource = join(import.meta.dirname, '../runtime/programs/pause.c');
const staticBusybox = '/bin/busybox';

/** Leaves one process behind each time, as the real one leaves a part of the Erlang VM, and finds that all is well. */
const rabbitmqctl = `#!/bin/sh
sleep 0.2 >/dev/null 2>&1 &
`;

const rabbitmqServer = `#!/bin/sh
exec sleep 86400
`;

/** Makes the images that pods of the tests come from, and answers the file that holds them. */
export function makeTestImages(into: string = place.images): string {
  const folder = join(into, 'tests');
  mkdirSync(folder, { recursive: true });
  const pause = (name: string, ...flags: readonly string[]): string => {
    const path = join(folder, name);
    run(['gcc', '-std=gnu17', '-O1', '-static', ...flags, '-o', path, pauseSource]);
    return path;
  };
  const script = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const reaping = pause('pause-reaping', '-DREAPS');
  const lazy = pause('pause-lazy');
  const applets = run([staticBusybox, '--list'])
    .trim()
    .split('\n')
    .filter((name) => name !== 'busybox');
  const busybox = {
    files: { 'bin/busybox': staticBusybox },
    links: Object.fromEntries([...applets, 'bash'].map((name) => [`bin/${name}`, '/bin/busybox'])),
    folders: ['tmp', 'root', 'etc'],
    cmd: ['sh'],
  };
  return makeArchive(folder, [
    { names: [pauses.reaping], files: { pause: reaping }, entrypoint: ['/pause'] },
    { names: [pauses.lazy], files: { pause: lazy }, entrypoint: ['/pause'] },
    { ...busybox, names: ['docker.io/library/busybox:1.37', 'docker.io/library/busybox:1.36'] },
    {
      ...busybox,
      names: ['docker.io/library/rabbitmq:4', 'docker.io/library/rabbitmq:4.1'],
      files: {
        ...busybox.files,
        'usr/sbin/rabbitmqctl': script('rabbitmqctl', rabbitmqctl),
        'usr/sbin/rabbitmq-server': script('rabbitmq-server', rabbitmqServer),
      },
    },
    { ...standIn(busybox, lazy), names: fixtureImages() },
  ]);
}

/** An image with a shell and any program that fixtures start: each waits until it is told to end. */
function standIn(busybox: Omit<ImageContent, 'names'>, program: string): Omit<ImageContent, 'names'> {
  const links = busybox.links ?? {};
  const programs = fixturePrograms().filter((path) => !(path in links) && !(path in busybox.files));
  return {
    ...busybox,
    files: { ...busybox.files, 'stand-in': program },
    links: { ...links, ...Object.fromEntries(programs.map((path) => [path, '/stand-in'])) },
    entrypoint: ['/stand-in'],
    user: '65532:65532',
  };
}

/** Builds the project's own images from its Dockerfile, and answers the files that hold them. */
export function makeOwnImages(into: string = place.images): string[] {
  mkdirSync(into, { recursive: true });
  return (['tini', 'gravekeeper'] as const).map((target) =>
    saveImage(target, `ghcr.io/gravekeeper/${target}:${version}`, into),
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
