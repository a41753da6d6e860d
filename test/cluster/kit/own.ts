import { place } from '../place.ts';
import { isUp } from '../stage.ts';

/** Why a test that needs our own cluster cannot run, or false: it changes what the nodes or the control plane run. */
export const notOurs: string | false =
  process.env.KUBECONFIG === place.kubeconfig && isUp()
    ? false
    : 'it changes parts of a cluster that only one of our own lets us change';
