import { place } from './place.ts';
import type { Outcome, RunOptions } from './run.ts';
import { attemptInside, runInside } from './stage.ts';
import { tool } from './tools.ts';

/** kubectl of the cluster's own version, as its administrator. */
export function kubectlCommand(words: readonly string[]): string[] {
  return [tool('kubectl'), '--kubeconfig', place.kubeconfig, ...words];
}

/** Runs kubectl and answers what it wrote to stdout; throws if it fails. */
export function kubectl(...words: readonly string[]): string {
  return runInside(kubectlCommand(words));
}

/** Runs kubectl, however it ends. */
export function attemptKubectl(...words: readonly string[]): Outcome {
  return attemptInside(kubectlCommand(words));
}

/** Applies manifests: documents of YAML or JSON. */
export function apply(manifests: string, options: RunOptions = {}): string {
  return runInside(kubectlCommand(['apply', '-f', '-']), { ...options, input: manifests });
}
