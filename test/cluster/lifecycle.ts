import { existsSync, rmSync } from 'node:fs';
import { clusterProcesses, removeCgroups } from './cgroups.ts';
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
 * Brings a cluster up, with Gravekeeper installed in it. Its folder and its cgroups have to be there.
 *
 * @throws if something fails; what was started by then runs on.
 */
export async function up(say: Say): Promise<void> {
  buildTools(say);
  say('images from the Dockerfile, and those of the tests');
  const archives = [makeTestImages(), ...makeOwnImages()];
  say('control plane and node');
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
