// npm run test:cluster — runs the suite on a cluster of our own, or on that of KUBECONFIG.
//   npm run test:cluster -- injection probes     some files of the suite
//   npm run test:cluster -- --keep               leaves the cluster up; one that is up is used
import { join } from 'node:path';
import { inCgroup } from './cgroups.ts';
import { bringUp, isLeftUp, leaveUp, runToEnd, say } from './guard.ts';
import { place } from './place.ts';
import { inside } from './stage.ts';
import { tool } from './tools.ts';

const words = process.argv.slice(2);
const keep = words.includes('--keep');
const suite = [
  process.execPath,
  join(import.meta.dirname, 'run-suite.ts'),
  ...words.filter((word) => word !== '--keep'),
];

async function onOurOwn(): Promise<number> {
  if (isLeftUp()) {
    say('on the cluster that is up, with what was installed in it then');
    return runOnOurs();
  }
  const code = await bringUp();
  if (code !== 0) return code;
  const result = await runOnOurs();
  if (keep) leaveUp();
  return result;
}

function runOnOurs(): Promise<number> {
  // In the cluster's cgroup, so that whatever takes the cluster down ends it too.
  return runToEnd([...inCgroup, ...inside(suite)], {
    KUBECONFIG: place.kubeconfig,
    CLUSTER_KUBECTL: tool('kubectl'),
  });
}

if (process.env.KUBECONFIG) {
  say(`on the cluster of ${process.env.KUBECONFIG}, where Gravekeeper must be installed`);
  process.exitCode = await runToEnd(suite);
} else {
  process.exitCode = await onOurOwn();
}
