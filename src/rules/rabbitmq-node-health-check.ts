import { findProgram, nodeHealthCheck } from './programs.ts';
import type { Rule } from './rule.ts';
import { severityOf } from './severity.ts';
import { interval, leakSize, leaks } from './wording.ts';

const zombiesPerRun = 1;

/** `rabbitmqctl node_health_check` and `rabbitmq-diagnostics node_health_check`, at any interval. */
export const rabbitmqNodeHealthCheckRule: Rule = {
  id: 'rabbitmq-node-health-check',
  title: 'A RabbitMQ probe runs node_health_check, which is deprecated and starts an Erlang VM every time.',
  why:
    'RabbitMQ deprecated node_health_check in 3.8 as too intrusive, too costly and prone to false alarms; since ' +
    '3.13 it checks nothing at all. It needs a fully booted node, which can deadlock the roll-out of a cluster. ' +
    'And like every RabbitMQ command it starts an Erlang VM that leaves one process behind on every run.',
  measured: {
    per: 'run',
    rows: [
      { command: '`erl … halt()`, the VM that every `rabbitmqctl` starts', zombies: '1, in 20 of 20 runs' },
      { command: 'the same with an epmd of its own', zombies: '4' },
      { command: 'the same, killed at the timeout', zombies: '2' },
    ],
  },
  notes: [
    'One zombie every 10 s is 8,640 a day: 32,768 PIDs are gone in 3.8 days, a limit of 4,096 in 11.4 ' +
      'hours.',
    'Where PID 1 reaps nothing leaks. The official image is such a case: its entrypoint execs ' +
      '`rabbitmq-server`, a shell script that ends in `wait`. There the check costs CPU, and it is ' +
      'still deprecated, hence the warning.',
  ],
  fires: [
    'At any interval, where `rabbitmqctl`, `rabbitmq-diagnostics` or another RabbitMQ command is ' +
      'given `node_health_check`, also behind `sh -c`, `gosu`, `timeout` and the like. There are no ' +
      'thresholds.',
  ],
  neighbours: '`erlang-cli` does not report the same command again.',
  instead:
    'Use tcpSocket on 5672, or `rabbitmq-diagnostics -q ping` or `check_port_connectivity` every 60 s with ' +
    'timeoutSeconds 15.',
  example: {
    before: `livenessProbe:
  exec:
    command: [rabbitmqctl, node_health_check]
  periodSeconds: 10
`,
    after: `livenessProbe:
  exec:
    command: [rabbitmq-diagnostics, -q, ping]
  periodSeconds: 60
  timeoutSeconds: 15
readinessProbe:
  tcpSocket:
    port: 5672
`,
  },
  severityClass: 'deprecated-check',
  defaults: {},
  sources: [
    'https://github.com/rabbitmq/rabbitmq-server/pull/2366',
    'https://github.com/rabbitmq/rabbitmq-cli/issues/426',
    'https://github.com/rabbitmq/rabbitmq-server/issues/3892',
    'https://github.com/helm/charts/issues/2989',
    'https://github.com/habitat-sh/core-plans/issues/1099',
    'https://www.rabbitmq.com/docs/monitoring#health-checks',
  ],
  check(context) {
    if (!findProgram(context.command, nodeHealthCheck)) return null;
    const consequence =
      context.pid1 === 'reaps'
        ? `; an Erlang VM ${interval(context)} costs CPU`
        : ` and ${leaks(context)} ${leakSize(context, zombiesPerRun)}`;
    return {
      severity: severityOf('deprecated-check', context),
      message: `node_health_check is deprecated${consequence}`,
      fix:
        'tcpSocket: {port: 5672}, or exec: {command: [rabbitmq-diagnostics, -q, ping]} with periodSeconds: 60 ' +
        'and timeoutSeconds: 15',
      zombiesPerRun,
    };
  },
};
