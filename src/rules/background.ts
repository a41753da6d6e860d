import { leftBehind } from './orphans.ts';
import type { Rule } from './rule.ts';
import { severityOf } from './severity.ts';
import { leakSize, leaks, shown } from './wording.ts';

/** A program that a probe leaves in the background: `&`, `nohup`, `setsid -f`, `daemon`. */
export const backgroundRule: Rule = {
  id: 'background',
  title: 'A probe leaves a program in the background: &, nohup, setsid -f, daemon.',
  why:
    'The probe ends before the program that it started, so every run orphans one. When it ends it becomes a ' +
    'zombie of PID 1. While it runs it costs CPU and memory, and runs pile up if it outlasts the period.',
  measured: {
    per: 'run',
    rows: [{ command: "`sh -c 'cmd &'`, `nohup cmd &`, `setsid -f cmd`", zombies: '1' }],
  },
  notes: [
    'One zombie every 10 s is 8,640 a day. If the command hangs, there is soon one live process per ' +
      'period as well.',
  ],
  fires: [
    'At any interval, for each program behind an unquoted `&`, `nohup`, `setsid -f` or `daemon`. ' +
      'There are no thresholds. `&&`, `2>&1` and an ampersand in quotes are something else.',
    'A shell that goes on to `wait` reaps its background jobs, so those are not reported.',
  ],
  neighbours:
    '`shell-with-children` speaks only of what the shell waits for, never of the programs reported here.',
  instead:
    'Let the probe wait for what it starts. Work that is not the check itself belongs into the container.',
  example: {
    before: `livenessProbe:
  exec:
    command: [sh, -c, "touch /tmp/alive & exit 0"]
  timeoutSeconds: 5
`,
    after: `livenessProbe:
  exec:
    command: [touch, /tmp/alive]
  timeoutSeconds: 5
`,
  },
  severityClass: 'orphan-maker',
  defaults: {},
  sources: [
    'https://github.com/containerd/containerd/pull/7832',
    'https://github.com/kubernetes/kubernetes/issues/110070',
  ],
  check(context) {
    const left = leftBehind(context.command);
    const [first, ...others] = left;
    if (!first) return null;
    const who = others.length === 0 ? `${shown(first.program, 20)} runs` : `${left.length} programs run`;
    return {
      severity: severityOf('orphan-maker', context),
      message:
        context.pid1 === 'reaps'
          ? `${who} in the background and may still use CPU later`
          : `${who} in the background: ${leaks(context)} ${leakSize(context, left.length)}`,
      fix: 'let the probe wait for it: remove the &, nohup, setsid or daemon',
      zombiesPerRun: left.length,
    };
  },
};
