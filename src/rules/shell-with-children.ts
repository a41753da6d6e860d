import { stayingWrappers } from '../pod/wrappers.ts';
import { killedTimeout } from './inner-timeout.ts';
import { childrenOfShell } from './orphans.ts';
import type { ProbeInContext, Rule } from './rule.ts';
import { severityOf } from './severity.ts';
import { seconds, shown } from './wording.ts';

const consequence = {
  leaks: "leaks its shell's children",
  unknown: "may leak its shell's children",
  'must-be-pid-1': "may leak its shell's children",
  reaps: "leaves its shell's children on the CPU",
} as const;

/** A pipe, but not `||`. */
const pipeOrSubstitution = /(?<!\|)\|(?!\|)|`|\$\(/;

/** Expansions, redirections, assignments and the like, which a list of words without a shell cannot have. */
const needsShell = /[$`|&;<>()*?~#{}[\]!\\\p{C}\p{Zl}\p{Zp}]|^\s*\w+=/u;

/** A shell that starts processes and lives on, in a probe with the default timeout of 1 s. */
export const shellWithChildrenRule: Rule = {
  id: 'shell-with-children',
  title: 'A probe with timeoutSeconds 1, the default, starts processes from a shell that lives on.',
  why:
    'At timeoutSeconds the container runtime kills the shell and nothing else. What the shell had started is ' +
    'orphaned, runs on and becomes a zombie of PID 1 when it ends: one for `sh -c "x; y"`, two for a pipe. One ' +
    'second is soon over on a busy node.',
  measured: {
    per: 'killed run',
    rows: [
      { command: "`dash -c 'one'`, `sh -c 'x; y'`, `x=$(cmd)`", zombies: '1' },
      { command: "`bash -c 'a | b'`", zombies: '2' },
      { command: "`bash -c 'one'`, `bash -ec 'a && b'`: bash execs the last", zombies: '0' },
      { command: 'any of these, not killed', zombies: '0' },
    ],
  },
  notes: [
    'kubelets enforce the timeout of exec probes since Kubernetes 1.20; GKE only from 1.35, so that ' +
      'such an upgrade can create zombies that were not there before.',
  ],
  fires: [
    'Where a visible shell script starts a process as a child: before the last command, in a pipe, in ' +
      '`$( )`, or as the last command of a shell that does not exec it; and `timeoutSeconds` is below ' +
      'the threshold, that is, left at its default of 1.',
    "Never for what shells do themselves (`test`, `[`, `echo` …), for `bash -c 'one command'`, for " +
      "`sh -c 'exec …'`, or for one command under the `sh` of an Alpine or busybox image, which busybox " +
      'execs. A pipe that completes leaves nothing, so a comfortable timeout is never reported.',
  ],
  neighbours:
    'What a shell leaves in the background is left to `background`, and a shell that waits for a ' +
    '`timeout` that is too long to `inner-timeout`.',
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
    'https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/1972-kubelet-exec-probe-timeouts',
    'https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes',
  ],
  check(context) {
    const { probe, command, settings } = context;
    if (probe.timeoutSeconds >= settings.minTimeoutSeconds) return null;
    if (killedTimeout(context) !== null) return null;
    if (childrenOfShell(command).length === 0) return null;
    return {
      severity: severityOf('orphan-maker', context),
      message: `a run killed at timeoutSeconds ${seconds(probe.timeoutSeconds)} ${consequence[context.pid1]}`,
      fix: `timeoutSeconds: ${Math.max(5, settings.minTimeoutSeconds)}, or ${otherwise(context)}`,
      zombiesPerRun: null,
    };
  },
};

/** What to write where a longer timeout is not wanted. */
function otherwise({ command }: ProbeInContext): string {
  const script = command.shell?.script.trim() ?? '';
  const [only, ...others] = childrenOfShell(command);
  const isOneForeground = only && others.length === 0 && !pipeOrSubstitution.test(script);
  if (
    !isOneForeground ||
    command.shell?.malformed ||
    only.wrappers.some(({ name }) => stayingWrappers.has(name))
  ) {
    return 'httpGet, tcpSocket or grpc instead of a shell';
  }
  const words = `exec: {command: [${only.argv.map((word) => JSON.stringify(word)).join(', ')}]}`;
  const isWholeScript = command.invocations.length === 1 && only.wrappers.length === 1;
  if (isWholeScript && !needsShell.test(script) && words.length <= 120) return words;
  return `exec before ${shown(only.program)}`;
}
