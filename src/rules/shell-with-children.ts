import type { Invocation } from '../pod/command-line.ts';
import { killedTimeout } from './inner-timeout.ts';
import type { ProbeInContext, Rule } from './rule.ts';
import { severityOf } from './severity.ts';
import { seconds } from './wording.ts';

const consequence = {
  leaks: "leaks its shell's children",
  unknown: "may leak its shell's children",
  'must-be-pid-1': "may leak its shell's children",
  reaps: "leaves its shell's children on the CPU",
} as const;

/** What shells do themselves, without starting a process. */
const builtins = new Set(
  ': . [ [[ alias bg break builtin caller cd command compgen complete continue declare dirs disown echo enable eval exec exit export'
    .split(' ')
    .concat(
      'false fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd'.split(' '),
    )
    .concat(
      'pwd read readarray readonly return set shift shopt source suspend test times trap true'.split(' '),
    )
    .concat('type typeset ulimit umask unalias unset wait'.split(' ')),
);

/** A shell that starts processes and lives on, in a probe with the default timeout of 1 s. */
export const shellWithChildrenRule: Rule = {
  id: 'shell-with-children',
  title: 'A probe with timeoutSeconds 1, the default, starts processes from a shell that lives on.',
  why:
    'At timeoutSeconds the container runtime kills the shell and nothing else. What the shell had started is ' +
    'orphaned, runs on and becomes a zombie of PID 1 when it ends: one for `sh -c "x; y"`, two for a pipe. One ' +
    'second is soon over on a busy node.',
  instead:
    'Raise timeoutSeconds to 5, put exec before the last command, or list the words of the one command without a ' +
    'shell. An httpGet, tcpSocket or grpc probe starts no process at all.',
  example: {
    before: `livenessProbe:
  exec:
    command: [sh, -c, "redis-cli ping | grep PONG"]
`,
    after: `livenessProbe:
  exec:
    command: [redis-cli, ping]
  timeoutSeconds: 5
`,
  },
  severityClass: 'orphan-maker',
  defaults: { minTimeoutSeconds: 2 },
  sources: [
    'https://github.com/containerd/containerd/issues/4594',
    'https://github.com/bitnami/charts/issues/34735',
    'https://github.com/kubernetes/kubernetes/issues/81042',
    'https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes',
  ],
  check(context) {
    const { probe, command, settings } = context;
    if (probe.timeoutSeconds >= settings.minTimeoutSeconds) return null;
    if (killedTimeout(context) !== null) return null;
    if (!command.invocations.some(isChild)) return null;
    return {
      severity: severityOf('orphan-maker', context),
      message: `a run killed at timeoutSeconds ${seconds(probe.timeoutSeconds)} ${consequence[context.pid1]}`,
      fix: `${withoutShell(context) ?? 'exec before the last command'}, or timeoutSeconds: ${Math.max(5, settings.minTimeoutSeconds)}`,
      zombiesPerRun: null,
    };
  },
};

/** Whether a shell starts it as a process of its own that the probe waits for. */
function isChild({ childOfShell, background, program }: Invocation): boolean {
  return childOfShell && !background && !builtins.has(program);
}

/** The probe's one command as words, where its script uses nothing that takes a shell. */
function withoutShell({ command }: ProbeInContext): string | null {
  const [only, ...others] = command.invocations;
  const script = command.shell?.script ?? '$';
  if (!only || others.length > 0 || only.wrappers.length > 1) return null;
  if (/[$`|&;<>()*?~#{}[\]!\\\p{C}]/u.test(script.trim()) || /^\s*\w+=/.test(script)) return null;
  const words = `exec: {command: [${only.argv.map((word) => JSON.stringify(word)).join(', ')}]}`;
  return words.length <= 120 ? words : null;
}
