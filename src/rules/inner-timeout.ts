import { busyboxTimeout } from './busybox-timeout.ts';
import type { ProbeInContext, Rule } from './rule.ts';
import { severityOf } from './severity.ts';
import { timeoutsOf } from './timeouts.ts';
import { seconds } from './wording.ts';

const consequence = {
  leaks: 'its child leaks',
  unknown: 'its child may leak',
  'must-be-pid-1': 'its child may leak',
  reaps: 'its child runs on',
} as const;

/** `timeout N` where the kubelet kills the probe first, at `timeoutSeconds` ≤ N. */
export const innerTimeoutRule: Rule = {
  id: 'inner-timeout',
  title:
    "A probe's own timeout is not shorter than timeoutSeconds, so the kubelet kills it before it can act.",
  why:
    'At timeoutSeconds the container runtime kills the process that it started, and only that one: here timeout ' +
    'itself. Its child is orphaned, runs on, and becomes a zombie of PID 1 when it ends. Had timeout ended first, ' +
    'it would have ended and reaped its child.',
  measured: {
    per: 'killed run',
    rows: [
      { command: '`timeout 5 cmd`, killed at timeoutSeconds', zombies: '1' },
      { command: '`x=$(timeout 5 cmd)` in a shell, killed', zombies: '1' },
      { command: 'GNU `timeout 1 sleep 5` that expires by itself', zombies: '0' },
    ],
  },
  notes: [
    'Only runs that take too long leak, so it comes in bursts: when the node or the application is ' +
      'busy. kubelets enforce the timeout of exec probes since Kubernetes 1.20.',
  ],
  fires: [
    'Where the seconds of `timeout` (`5`, `5s`, `1m` …) are equal to `timeoutSeconds` or more. ' +
      '`timeoutSeconds` is 1 where it is not written. A limit that is no number, such as `timeout ' +
      '"$LIMIT"`, cannot be compared and is not reported. There are no thresholds.',
  ],
  neighbours:
    "`shell-with-children` does not report the same kill again. Where the `timeout` is busybox's for " +
    'certain, only `busybox-timeout` speaks.',
  instead: 'Set timeoutSeconds at least one second above the inner timeout, or drop the inner timeout.',
  example: {
    before: `image: postgres:17-bookworm
readinessProbe:
  exec:
    command: [timeout, "5", pg_isready]
`,
    after: `image: postgres:17-bookworm
readinessProbe:
  exec:
    command: [timeout, "5", pg_isready]
  timeoutSeconds: 6
`,
  },
  severityClass: 'orphan-maker',
  defaults: {},
  sources: [
    'https://github.com/bitnami/charts/issues/2441',
    'https://github.com/bitnami/charts/pull/3559',
    'https://github.com/containerd/containerd/issues/4594',
    'https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/1972-kubelet-exec-probe-timeouts',
  ],
  check(context) {
    const inner = killedTimeout(context);
    if (inner === null || busyboxTimeout(context) === 'certain') return null;
    const outer = context.probe.timeoutSeconds;
    return {
      severity: severityOf('orphan-maker', context),
      message: `timeout ${seconds(inner)} is killed at timeoutSeconds ${seconds(outer)}: ${consequence[context.pid1]}`,
      fix: `timeoutSeconds: ${seconds(Math.ceil(inner) + 1)}, or drop timeout`,
      zombiesPerRun: null,
    };
  },
};

/** The longest `timeout` of a probe that the kubelet kills before it can act, in seconds; null if there is none. */
export function killedTimeout({ command, probe }: Pick<ProbeInContext, 'command' | 'probe'>): number | null {
  const longest = Math.max(0, ...timeoutsOf(command).map((timeout) => timeout.seconds ?? 0));
  return longest >= probe.timeoutSeconds ? longest : null;
}
