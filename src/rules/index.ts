import type { Config } from '../config/config.ts';
import type { Pid1 } from '../pid1.ts';
import { basename, type CommandLine, readCommandLine } from '../pod/command-line.ts';
import { type Container, type ExecProbe, longRunning, type Pod } from '../pod/pod.ts';
import { probeWords } from '../pod/probe-words.ts';
import type { Policy } from '../policy/policy.ts';
import { backgroundRule } from './background.ts';
import { busyboxTimeoutRule } from './busybox-timeout.ts';
import { erlangCliRule } from './erlang-cli.ts';
import { imageFamily } from './image-family.ts';
import { innerTimeoutRule } from './inner-timeout.ts';
import { jvmCliRule } from './jvm-cli.ts';
import { mongoShellRule } from './mongo-shell.ts';
import { pythonAppCliRule } from './python-app-cli.ts';
import { rabbitmqNodeHealthCheckRule } from './rabbitmq-node-health-check.ts';
import type { EffectiveSettings, Finding, Rule } from './rule.ts';
import { shellScriptRule } from './shell-script.ts';
import { shellWithChildrenRule } from './shell-with-children.ts';

/** Every rule, in the order in which findings and the documentation list them. */
export const rules: readonly Rule[] = [
  rabbitmqNodeHealthCheckRule,
  erlangCliRule,
  busyboxTimeoutRule,
  innerTimeoutRule,
  shellWithChildrenRule,
  backgroundRule,
  jvmCliRule,
  mongoShellRule,
  pythonAppCliRule,
  shellScriptRule,
];

/** The ids that may stand under `rules` in the configuration file and in the ignore annotation. */
export const ruleIds: readonly string[] = rules.map(({ id }) => id);

/** The page of the documentation that explains a rule, relative to the repository's root. */
export function rulePage(id: string): string {
  return `docs/rules/${id}.md`;
}

/**
 * Checks the exec probes of a pod's containers and native sidecars. One-shot init containers have no probes.
 *
 * @param pod The pod, in the state that the findings are to be about.
 * @param policy What holds for it: rules that its annotation ignores or the configuration switches off stay out.
 * @param pid1Of What PID 1 of a container's PID namespace does with orphans.
 * @returns Findings in the order of containers, then liveness, readiness, startup, then rules.
 */
export function findingsOf(
  pod: Pod,
  policy: Policy,
  pid1Of: (container: Container) => Pid1,
): readonly Finding[] {
  const active = activeRules(policy);
  return longRunning(pod).flatMap((container) => {
    if (container.probes.length === 0) return [];
    const pid1 = pid1Of(container);
    return container.probes.flatMap((probe) => {
      const command = commandOf(container, probe);
      return active.flatMap(({ rule, settings }) => {
        const image = container.fields.image ?? null;
        const match = rule.check({ probe, command, image, pid1, settings });
        if (!match) return [];
        return [
          { rule: rule.id, container: container.name, probe: probe.kind, pointer: probe.pointer, ...match },
        ];
      });
    });
  });
}

function activeRules({ config, ignoredRules }: Policy) {
  return rules.flatMap((rule) => {
    const settings = ignoredRules.has(rule.id) ? null : effectiveSettings(rule, config);
    return settings ? [{ rule, settings }] : [];
  });
}

/** A rule's settings under a configuration; null where the configuration switches the rule off. */
function effectiveSettings(rule: Rule, config: Config): EffectiveSettings | null {
  const configured = config.rules[rule.id];
  if (configured?.severity === 'off') return null;
  return {
    maxSeverity: configured?.severity ?? 'error',
    minPeriodSeconds: configured?.minPeriodSeconds ?? rule.defaults.minPeriodSeconds ?? 0,
    minTimeoutSeconds: configured?.minTimeoutSeconds ?? rule.defaults.minTimeoutSeconds ?? 0,
  };
}

/** The command as it is executed, read. The `sh` of a busybox image is busybox's. */
function commandOf(container: Container, probe: ExecProbe): CommandLine {
  const [first = '', ...rest] = probeWords(container, probe);
  const isBusyboxShell =
    basename(first) === 'sh' && imageFamily(container.fields.image ?? null) === 'busybox';
  return readCommandLine([isBusyboxShell ? 'ash' : first, ...rest]);
}
