import { spawnSync } from 'node:child_process';

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Passes what it writes on to stderr as it comes, instead of keeping it. */
  readonly shown?: boolean;
}

/** How a program ended, and what it wrote. */
export interface Outcome {
  /** Null where a signal ended it, or where it did not start. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, however that is. */
export function attempt(words: readonly string[], options: RunOptions = {}): Outcome {
  const { cwd, env, input, shown = false } = options;
  const [command = '', ...args] = words;
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: [input === undefined ? 'ignore' : 'pipe', shown ? 2 : 'pipe', shown ? 2 : 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input }),
    ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
  });
  return { status, stdout: stdout ?? '', stderr: error ? error.message : (stderr ?? '') };
}

/**
 * Runs a program to its end.
 *
 * @returns What it wrote to stdout.
 * @throws if it fails, with what it wrote to stderr.
 */
export function run(words: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr } = attempt(words, options);
  if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr.trim() || `exit code ${status}`}`);
  return stdout;
}
