// Brings the cluster up, as one of its own programs: whoever started it can take the cluster down at any moment, and
// this program and all that it has started with it.
import { daemons, say } from './guard.ts';
import { up } from './lifecycle.ts';
import { isUp, lastLines } from './stage.ts';

const begin = performance.now();
const tell = (line: string): void =>
  say(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${line}`);

try {
  await up(tell);
  tell('up: npm run cluster -- kubectl get pods -A');
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  if (isUp()) for (const name of daemons) say(`\n== ${name}\n${lastLines(name, 5)}`);
  process.exitCode = 1;
}
