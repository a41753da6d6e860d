import { erlangCli, findProgram } from './programs.ts';
import type { Rule } from './rule.ts';
import { severityOf } from './severity.ts';
import { interval, leakSize, leaks, seconds } from './wording.ts';

const zombiesPerRun = 1;
const ports: Readonly<Record<string, number>> = { ejabberdctl: 5222, 'emqx ctl': 1883, emqx_ctl: 1883 };
const rabbitmqPort = 5672;

/** Tools that start an Erlang VM, too often or with too little time: RabbitMQ's, `ejabberdctl`, `emqx ctl`. */
export const erlangCliRule: Rule = {
  id: 'erlang-cli',
  title:
    'A probe starts an Erlang VM at a short interval: rabbitmqctl, rabbitmq-diagnostics, ejabberdctl, emqx ctl.',
  why:
    'The command-line tools of Erlang programs start a whole Erlang VM, which takes seconds of CPU and, as it ' +
    'halts, leaves one process behind on every run (four with its own epmd, two when it is killed). Every 10 s ' +
    'that was 70 % of a CPU on an idle RabbitMQ cluster.',
  measured: {
    per: 'run',
    rows: [
      { command: '`erl … halt()`, the VM that every such command starts', zombies: '1, in 20 of 20 runs' },
      { command: 'the same with an epmd of its own', zombies: '4' },
      { command: 'the same, killed at the timeout', zombies: '2' },
    ],
  },
  notes: [
    'One zombie every 10 s is 8,640 a day. Where PID 1 reaps nothing leaks, but the CPU is spent all ' +
      'the same; so the severity does not depend on PID 1.',
  ],
  fires: [
    'Where a probe runs `rabbitmqctl`, `rabbitmq-diagnostics`, `rabbitmq-queues`, `rabbitmq-streams`, ' +
      '`rabbitmq-plugins`, `rabbitmq-upgrade`, `ejabberdctl`, `emqx ctl` or `emqx_ctl`, and ' +
      '`periodSeconds` or `timeoutSeconds` is below its threshold.',
  ],
  neighbours: '`node_health_check` is left to `rabbitmq-node-health-check`.',
  instead:
    'Use tcpSocket, or run the command every 60 s and give it timeoutSeconds 15. A short timeout makes it fail ' +
    'whenever the node is busy.',
  example: {
    before: `readinessProbe:
  exec:
    command: [rabbitmq-diagnostics, -q, check_running]
  periodSeconds: 10
  timeoutSeconds: 5
`,
    after: `readinessProbe:
  tcpSocket:
    port: 5672
  periodSeconds: 10
`,
  },
  severityClass: 'costly-cli',
  defaults: { minPeriodSeconds: 30, minTimeoutSeconds: 10 },
  sources: [
    'https://github.com/rabbitmq/rabbitmq-peer-discovery-k8s/issues/28',
    'https://github.com/rabbitmq/rabbitmq-server/issues/3863',
    'https://github.com/rabbitmq/rabbitmq-server/issues/1984',
    'https://github.com/emqx/emqx/issues/15992',
    'https://github.com/helm/charts/issues/2989',
  ],
  check(context) {
    const { probe, settings, pid1 } = context;
    const often = probe.periodSeconds < settings.minPeriodSeconds;
    if (!often && probe.timeoutSeconds >= settings.minTimeoutSeconds) return null;
    const program = findProgram(context.command, erlangCli);
    if (!program) return null;
    const cpu = often
      ? `starts an Erlang VM ${interval(context)}, which costs CPU`
      : `may need more CPU time than timeoutSeconds ${seconds(probe.timeoutSeconds)} allows`;
    const leak = `starts an Erlang VM and ${leaks(context)} ${leakSize(context, zombiesPerRun)}`;
    return {
      severity: severityOf('costly-cli', context),
      message: `${program.name} ${pid1 === 'reaps' ? cpu : leak}`,
      fix:
        `tcpSocket: {port: ${ports[program.name] ?? rabbitmqPort}}, or keep the command with periodSeconds: ` +
        `${Math.max(60, settings.minPeriodSeconds)} and timeoutSeconds: ${Math.max(15, settings.minTimeoutSeconds)}`,
      zombiesPerRun,
    };
  },
};
