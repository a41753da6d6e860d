import { spawn } from 'node:child_process';
import type { Outcome } from '../run.ts';

/** The kubectl of the cluster's version where the cluster is ours, else that of the machine. */
const program = process.env.CLUSTER_KUBECTL ?? 'kubectl';

/** Runs kubectl to its end, however that is. */
export function tryKubectl(words: readonly string[], input?: string): Promise<Outcome> {
  return runAsync([program, ...words], input);
}

/**
 * Runs kubectl.
 *
 * @returns What it wrote to stdout.
 * @throws if it fails, with what it wrote to stderr.
 */
export async function kubectl(words: readonly string[], input?: string): Promise<string> {
  const { status, stdout, stderr } = await tryKubectl(words, input);
  if (status !== 0) throw new Error(`kubectl ${words.join(' ')}: ${stderr.trim()}`);
  return stdout;
}

/** Runs a program to its end while others go on. */
export function runAsync(words: readonly string[], input = ''): Promise<Outcome> {
  const [command = '', ...args] = words;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'pipe' });
    const written = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        written[name] += text;
      });
    }
    child.on('error', reject).on('close', (status) => resolve({ status, ...written }));
    child.stdin.on('error', () => {
      // It did not want to read to the end.
    });
    child.stdin.end(input);
  });
}
