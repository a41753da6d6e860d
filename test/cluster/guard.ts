import { down, up } from './lifecycle.ts';
import { obstacle } from './obstacles.ts';
import { isUp, lastLines } from './stage.ts';

/** Exit code where it cannot run at all, as opposed to having failed. */
export const cannotRun = 77;

export const daemons = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'containerd',
  'kubelet',
] as const;

/** Says something to the person who runs this. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Takes the cluster down when this program is interrupted. */
export function downAtSignal(): void {
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.on(signal, () => {
      say(`${signal}: taking the cluster down`);
      down();
      process.exit(128 + number);
    });
  }
}

/**
 * Brings a cluster up, and takes what there is of it down if that fails or is interrupted.
 *
 * @returns The exit code: 0, 1 if it failed, `cannotRun`.
 */
export async function bringUp(): Promise<number> {
  const why = obstacle();
  if (why !== null) {
    say(`the cluster CANNOT RUN here: ${why}`);
    return cannotRun;
  }
  if (isUp()) {
    say('there is a cluster already: npm run cluster -- down');
    return 1;
  }
  const begin = performance.now();
  const tell = (line: string): void =>
    say(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  downAtSignal();
  try {
    await up(tell);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    if (isUp()) for (const name of daemons) say(`\n== ${name}\n${lastLines(name, 5)}`);
    down();
    return 1;
  }
  tell('up: npm run cluster -- kubectl get pods -A');
  return 0;
}
