import { spawnSync } from 'node:child_process';

/** More than any program here takes; it ends what hangs. */
const limitMs = 300_000;

/**
 * Runs a program to its end.
 *
 * @returns What it wrote to stdout.
 * @throws if it fails, with what it wrote to stderr.
 */
export function run(command: string, args: readonly string[], cwd?: string): Buffer {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    maxBuffer: 64 * 1024 * 1024,
    timeout: limitMs,
    killSignal: 'SIGKILL',
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (error || status !== 0) {
    const why = error?.message ?? `exit ${status ?? signal}: ${stderr.toString().trim()}`;
    throw new Error(`${command} ${args.join(' ')}: ${why}`);
  }
  return stdout;
}
