import { expandWords } from './expand.ts';
import type { Container, ExecProbe } from './pod.ts';

/**
 * The words of a probe as they are executed. The kubelet expands `$(VAR)` in a probe from the values that stand in
 * `env`, unexpanded, and takes a `valueFrom` as empty (kubernetes pkg/kubelet/container/helpers.go,
 * ExpandContainerCommandOnlyStatic). It does not expand hooks.
 *
 * @param container The container.
 * @param probe One of its probes.
 * @returns The words; those of the pod where they would be too many to be executed.
 */
export function probeWords({ fields }: Container, probe: ExecProbe): readonly string[] {
  if (!probe.command.some((word) => word.includes('$'))) return probe.command;
  const env = new Map(fields.env?.map(({ name, value }) => [name, value ?? '']));
  return expandWords(probe.command, (name) => env.get(name)) ?? probe.command;
}
