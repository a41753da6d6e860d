import { imageFamily } from './image-family.ts';
import type { ProbeInContext, Rule } from './rule.ts';
import { severityOf } from './severity.ts';
import { timeoutsOf } from './timeouts.ts';
import { leakSize, leaks, seconds } from './wording.ts';

const zombiesPerRun = 1;

/** How sure it is that a command line runs busybox's `timeout`; `no` also where it runs none at all. */
type BusyboxTimeout = 'certain' | 'possible' | 'no';

/** `timeout` in an Alpine or busybox image, or `busybox timeout` anywhere. */
export const busyboxTimeoutRule: Rule = {
  id: 'busybox-timeout',
  title: 'A probe runs the timeout of busybox (Alpine), which leaves one process behind on every run.',
  why:
    'The timeout of busybox turns into the command and leaves a watchdog process behind, which nobody waits for: ' +
    'one zombie on every run, also on a quick and successful one. GNU timeout stays the parent and leaves none.',
  measured: {
    per: 'run',
    rows: [
      { command: 'busybox `timeout 1 true`, a quick success', zombies: '1' },
      { command: 'GNU `timeout 1 sleep 5`', zombies: '0' },
    ],
  },
  notes: [
    'At the default period of 10 s that is 8,640 zombies a day, although every probe succeeds. Where ' +
      'PID 1 reaps nothing stays.',
  ],
  fires: [
    "Where `timeout` stands in front of a program and the image's name or tag has the word `alpine` " +
      'or `busybox`; and where it is called as `busybox timeout`, whatever the image. There are no ' +
      'thresholds.',
    'Where the image tells nothing the finding is info, whatever PID 1 does: the `timeout` may be ' +
      "GNU's. Where the name or tag says `debian`, `bookworm`, `slim`, `ubuntu`, `ubi`, `centos`, " +
      '`fedora`, `distroless` or the like, nothing is reported. An Alpine image into which GNU ' +
      'coreutils were installed is reported wrongly; silence the rule there.',
  ],
  neighbours:
    "Where the `timeout` is busybox's for certain, `inner-timeout` keeps quiet: the advice here " +
    'removes that problem too.',
  instead:
    'Drop timeout: the kubelet ends the probe at timeoutSeconds. Or use a time limit of the client itself, such ' +
    'as `curl -m 2` or `redis-cli -t 2`.',
  example: {
    before: `image: redis:7-alpine
livenessProbe:
  exec:
    command: [timeout, "2", redis-cli, ping]
  timeoutSeconds: 5
`,
    after: `image: redis:7-alpine
livenessProbe:
  exec:
    command: [redis-cli, ping]
  timeoutSeconds: 2
`,
  },
  severityClass: 'orphan-maker',
  defaults: {},
  sources: [
    'https://github.com/redis/docker-library-redis/pull/325',
    'https://github.com/HoloInsight/holoinsight-agent/pull/97',
    'https://github.com/apache/pulsar-helm-chart/issues/554',
    'https://github.com/Snapchat/KeyDB/issues/681',
  ],
  check(context) {
    const sure = busyboxTimeout(context);
    if (sure === 'no') return null;
    const certain = sure === 'certain';
    return {
      severity: severityOf(certain ? 'orphan-maker' : 'unseen', context),
      message: certain ? certainMessage(context) : possibleMessage(context),
      fix: certain
        ? `drop timeout and set timeoutSeconds: ${limitOf(context)}, or use the client's own time limit`
        : "if the image's timeout is busybox's, drop it and rely on timeoutSeconds",
      zombiesPerRun: certain ? zombiesPerRun : null,
    };
  },
};

/** Whether a probe runs the `timeout` of busybox, as far as its words and its image tell. */
export function busyboxTimeout({
  command,
  image,
}: Pick<ProbeInContext, 'command' | 'image'>): BusyboxTimeout {
  const timeouts = timeoutsOf(command);
  if (timeouts.length === 0) return 'no';
  if (timeouts.some(({ isBusybox }) => isBusybox)) return 'certain';
  const family = imageFamily(image);
  if (family === 'unknown') return 'possible';
  return family === 'busybox' ? 'certain' : 'no';
}

/** The limit that `timeout` set, for `timeoutSeconds` to set instead. */
function limitOf({ command, probe }: ProbeInContext): string {
  const inner = timeoutsOf(command).flatMap((timeout) => timeout.seconds ?? []);
  return seconds(Math.ceil(Math.max(2, ...(inner.length > 0 ? inner : [probe.timeoutSeconds]))));
}

function certainMessage(context: ProbeInContext): string {
  return context.pid1 === 'reaps'
    ? "busybox's timeout leaves a process behind every run, for PID 1 to reap"
    : `busybox's timeout ${leaks(context)} ${leakSize(context, zombiesPerRun)}`;
}

function possibleMessage(context: ProbeInContext): string {
  return context.pid1 === 'reaps'
    ? "timeout leaves a process behind every run if it is busybox's (Alpine)"
    : `timeout ${leaks(context)} every run if it is busybox's, as on Alpine`;
}
