// npm run test:cluster — runs the suite on a cluster of our own, or on that of KUBECONFIG.
//   npm run test:cluster -- injection probes     some files of the suite
//   npm run test:cluster -- --keep               leaves the cluster up; one that is up is used
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inCgroup } from './cgroups.ts';
import { bringUp, say } from './guard.ts';
import { down } from './lifecycle.ts';
import { place } from './place.ts';
import { inside, isUp } from './stage.ts';
import { tool } from './tools.ts';

const words = process.argv.slice(2);
const keep = words.includes('--keep');
const suite = [
  process.execPath,
  join(import.meta.dirname, 'run-suite.ts'),
  ...words.filter((word) => word !== '--keep'),
];

/** Answers the exit code. */
async function runSuite(command: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

async function onOurOwn(): Promise<number> {
  if (isUp()) {
    say('on the cluster that is up');
    return runOnOurs();
  }
  const code = await bringUp();
  if (code !== 0) return code;
  try {
    return await runOnOurs();
  } finally {
    if (!keep) down();
  }
}

function runOnOurs(): Promise<number> {
  // In the cluster's cgroup, so that whatever takes the cluster down ends it too.
  return runSuite([...inCgroup, ...inside(suite)], {
    KUBECONFIG: place.kubeconfig,
    CLUSTER_KUBECTL: tool('kubectl'),
  });
}

if (process.env.KUBECONFIG) {
  say(`on the cluster of ${process.env.KUBECONFIG}, where Gravekeeper must be installed`);
  process.exitCode = await runSuite(suite, {});
} else {
  process.exitCode = await onOurOwn();
}
