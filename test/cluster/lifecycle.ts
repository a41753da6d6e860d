import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { clusterProcesses, makeCgroups, removeCgroups } from './cgroups.ts';
import {
  awaitApiServer,
  startApiServer,
  startControllers,
  startEtcd,
  writeCredentials,
} from './control-plane.ts';
import { choosePause, importImages, makeOwnImages, makeTestImages } from './images.ts';
import { awaitRollout, install } from './install.ts';
import { startContainerd, startKubelet } from './node.ts';
import { place } from './place.ts';
import { forgetStage, makeStage } from './stage.ts';
import { buildTools } from './tools.ts';

/** Is told what is being done. */
export type Say = (line: string) => void;

/**
 * Brings a cluster up from nothing, with Gravekeeper installed in it.
 *
 * @throws if something fails; what was started by then runs on.
 */
export async function up(say: Say): Promise<void> {
  down();
  buildTools(say);
  makeState();
  say('images from the Dockerfile, and those of the tests');
  const archives = [makeTestImages(), ...makeOwnImages()];
  say('control plane and node');
  makeCgroups();
  await makeStage();
  writeCredentials();
  startEtcd();
  startApiServer();
  await startContainerd();
  for (const archive of archives) importImages(archive);
  rmSync(place.images, { recursive: true });
  choosePause('reaping');
  await awaitApiServer();
  startControllers();
  await startKubelet();
  say('installing Gravekeeper');
  install();
  awaitRollout();
}

/** A folder in /var/tmp could be somebody else's. */
export function makeState(): void {
  mkdirSync(place.state, { recursive: true, mode: 0o755 });
  if (statSync(place.state).uid !== 0) throw new Error(`${place.state} is not root's: remove it`);
}

/**
 * Takes a cluster down, whatever is left of it. Synchronous, so that it can be done while a program exits.
 *
 * @returns Whether there was anything.
 */
export function down(): boolean {
  const wasThere = existsSync(place.state) || clusterProcesses().length > 0;
  removeCgroups();
  forgetStage();
  rmSync(place.state, { recursive: true, force: true });
  return wasThere;
}
