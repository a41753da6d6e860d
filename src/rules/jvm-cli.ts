import { findProgram, jvmCli } from './programs.ts';
import type { Rule } from './rule.ts';
import { severityOf } from './severity.ts';
import { interval } from './wording.ts';

/** Tools that start a Java VM too often: `java`, `nodetool`, Kafka's and ZooKeeper's scripts, the JDK's tools. */
export const jvmCliRule: Rule = {
  id: 'jvm-cli',
  title:
    'A probe starts a Java VM at a short interval: java, nodetool, kafka-*.sh, zkServer.sh, zkCli.sh, jps, jcmd.',
  why:
    'Each run starts a Java VM and loads its classes: six runs a minute kept idle Cassandra nodes at 50 % CPU. ' +
    'Under load the start takes longer than the timeout, so the probe fails just when the node is busy.',
  notes: [
    'Reported by users: 50 % CPU on idle Cassandra nodes at six runs of `nodetool` a minute; an idle ' +
      'Kafka broker at 150 mCPU with a probe that runs `kafka-topics`, 5 mCPU without.',
    'A Java VM that ends by itself leaves no zombie (measured: `java -version`, 0), so the severity ' +
      'does not depend on PID 1. The cost is CPU.',
  ],
  fires: [
    "Where a probe runs `java`, `nodetool`, one of Kafka's tools (`kafka-topics.sh`, or " +
      "`kafka-topics` as in Confluent's images), `zkServer.sh`, `zkCli.sh`, `jps`, `jcmd`, `jstack`, " +
      '`jmap` or `jstat`, and `periodSeconds` is below its threshold.',
  ],
  neighbours:
    "A script that merely bears Kafka's name, such as `kafka-healthcheck.sh`, is left to `shell-script`.",
  instead:
    'Use tcpSocket on the port that clients use; ZooKeeper answers httpGet on /commands/ruok of its admin server. ' +
    'Or run the command every 60 s.',
  example: {
    before: `livenessProbe:
  exec:
    command: [nodetool, status]
  periodSeconds: 10
  timeoutSeconds: 5
`,
    after: `livenessProbe:
  tcpSocket:
    port: 9042
  periodSeconds: 10
`,
  },
  severityClass: 'costly-cli',
  defaults: { minPeriodSeconds: 30 },
  sources: [
    'https://github.com/sky-uk/cassandra-operator/issues/30',
    'https://github.com/helm/charts/issues/3697',
    'https://github.com/apecloud/kubeblocks-addons/issues/1397',
    'https://github.com/bitnami/charts/pull/6478',
  ],
  check(context) {
    const { probe, settings } = context;
    if (probe.periodSeconds >= settings.minPeriodSeconds) return null;
    const program = findProgram(context.command, jvmCli);
    if (!program) return null;
    return {
      severity: severityOf('costly-cli', context),
      message: `${program.name} starts a Java VM ${interval(context)}, which costs CPU`,
      fix: `${insteadOf(program.name)}, or keep the command with periodSeconds: ${Math.max(60, settings.minPeriodSeconds)}`,
      zombiesPerRun: null,
    };
  },
};

function insteadOf(program: string): string {
  if (program === 'nodetool') return 'tcpSocket: {port: 9042}';
  if (program.startsWith('zk')) return 'httpGet: {path: /commands/ruok, port: 8080}';
  if (program.startsWith('kafka-')) return 'tcpSocket: {port: 9092}';
  return 'httpGet, grpc or tcpSocket on a port of the application';
}
