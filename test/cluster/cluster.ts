// npm run cluster -- up|down|status|kubectl …   A cluster of one node, with Gravekeeper in it, by hand.
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { clusterProcesses } from './cgroups.ts';
import { bringUp, cannotRun, daemons, leaveUp, takeDownUnowned } from './guard.ts';
import { makeOwnImages, makeTestImages } from './images.ts';
import { kubectlCommand } from './kubectl.ts';
import { place } from './place.ts';
import { inside, isUp, pidOf } from './stage.ts';
import { isClaimed, owner } from './state.ts';
import { versions } from './tools.ts';

const usage = `npm run cluster -- COMMAND

  up              bring a cluster up from nothing, with Gravekeeper installed
  down            take it down, unless a program that runs will; nothing is left of it
  status          what runs
  kubectl …       kubectl of the cluster's version, as its administrator
  inside …        run a program in the network of the cluster, with KUBECONFIG
  images DIR      write the images of the tests, to load them into another cluster

State and logs are in ${place.state}. Exit code ${cannotRun}: it cannot run on this machine.
`;

const commands: Readonly<Record<string, (words: readonly string[]) => Promise<number> | number>> = {
  async up() {
    const code = await bringUp();
    if (code === 0) leaveUp();
    return code;
  },
  down() {
    process.stdout.write(takeDownUnowned() ? 'the cluster is down\n' : 'there was no cluster\n');
    return 0;
  },
  status,
  kubectl: (words) => pass(kubectlCommand(words)),
  images: writeImages,
  inside: (words) => pass(['env', `KUBECONFIG=${place.kubeconfig}`, ...words]),
};

/** Writes image archives into a folder, which need not be there. */
function writeImages([folder]: readonly string[]): number {
  if (folder === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const work = join(resolve(folder), 'work');
  mkdirSync(work, { recursive: true });
  for (const archive of [makeTestImages(work), ...makeOwnImages(work)]) {
    renameSync(archive, join(folder, basename(archive)));
  }
  rmSync(work, { recursive: true });
  return 0;
}

function status(): number {
  if (!isUp()) {
    process.stdout.write('there is no cluster\n');
    return 1;
  }
  process.stdout.write(`Kubernetes ${versions.kubernetes}, containerd ${versions.containerd}\n`);
  for (const name of daemons) process.stdout.write(`${name.padEnd(24)} ${pidOf(name) ?? 'NOT RUNNING'}\n`);
  process.stdout.write(`${clusterProcesses().length} processes in all; logs in ${place.logs}\n`);
  const user = owner();
  if (user !== null) process.stdout.write(`process ${user.pid} will take it down\n`);
  else if (isClaimed())
    process.stdout.write('a run that was killed has left it: the next one takes it down\n');
  return daemons.every((name) => pidOf(name) !== null) ? 0 : 1;
}

/** Runs a program in the network of the cluster with this program's input and output. */
function pass(words: readonly string[]): number {
  const [command = '', ...args] = inside(words);
  return spawnSync(command, args, { stdio: 'inherit' }).status ?? 1;
}

const [command = '', ...words] = process.argv.slice(2);
const chosen = commands[command];
if (chosen === undefined) process.stderr.write(usage);
try {
  process.exitCode = chosen ? await chosen(words) : 2;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
