import { findProgram, mongoShell } from './programs.ts';
import type { Rule } from './rule.ts';
import { severityOf } from './severity.ts';
import { interval, seconds } from './wording.ts';

/** `mongosh` and `mongo`, too often or with too little time. */
export const mongoShellRule: Rule = {
  id: 'mongo-shell',
  title: 'A probe starts a MongoDB shell (mongosh, mongo) at a short interval or with a short timeout.',
  why:
    'The shell mongosh is a Node.js program: each run starts one, opens about five connections and authenticates on each. ' +
    'Under CPU pressure that took 14 to 19 s where a TCP probe took 6 ms, so the probe fails, and restarts the ' +
    'database, just when it is busy.',
  notes: [
    "Reported by users: a hundred per cent of mongod's log volume and a steady CPU load from probes " +
      'alone; 14 to 19 s for a `mongosh` under CPU pressure against 6 ms for a TCP probe.',
    'A shell that ends by itself leaves no zombie, so the severity does not depend on PID 1. The cost ' +
      'is CPU and connections.',
  ],
  fires: [
    'Where a probe runs `mongosh` or `mongo`, and `periodSeconds` or `timeoutSeconds` is below its ' +
      'threshold.',
  ],
  instead: 'Use tcpSocket on 27017. Or run the shell every 60 s and give it timeoutSeconds 20.',
  example: {
    before: `livenessProbe:
  exec:
    command: [mongosh, --eval, "db.adminCommand('ping')"]
  periodSeconds: 20
  timeoutSeconds: 10
`,
    after: `livenessProbe:
  tcpSocket:
    port: 27017
  periodSeconds: 20
`,
  },
  severityClass: 'costly-cli',
  defaults: { minPeriodSeconds: 30, minTimeoutSeconds: 10 },
  sources: [
    'https://github.com/bitnami/charts/issues/10264',
    'https://github.com/bitnami/charts/issues/13365',
    'https://github.com/portworx/helm/pull/950',
    'https://github.com/spica-engine/spica/pull/1882',
  ],
  check(context) {
    const { probe, settings } = context;
    const often = probe.periodSeconds < settings.minPeriodSeconds;
    if (!often && probe.timeoutSeconds >= settings.minTimeoutSeconds) return null;
    const program = findProgram(context.command, mongoShell);
    if (!program) return null;
    const shell = program.name === 'mongosh' ? 'a Node.js process' : 'a JavaScript shell';
    return {
      severity: severityOf('costly-cli', context),
      message: often
        ? `${program.name} starts ${shell} ${interval(context)}, which costs CPU`
        : `${program.name} takes 14 to 19 s under load; timeoutSeconds is ${seconds(probe.timeoutSeconds)}`,
      fix:
        'tcpSocket: {port: 27017}, or keep the command with periodSeconds: ' +
        `${Math.max(60, settings.minPeriodSeconds)} and timeoutSeconds: ${Math.max(20, settings.minTimeoutSeconds)}`,
      zombiesPerRun: null,
    };
  },
};
