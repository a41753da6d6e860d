import { describe, expect, test } from 'vitest';
import { basename, type Invocation } from '../../../src/pod/command-line.ts';
import {
  erlangCli,
  jvmCli,
  mongoShell,
  nodeHealthCheck,
  pythonAppCli,
  type Recogniser,
  unseenScript,
} from '../../../src/rules/programs.ts';

function invocation(text: string): Invocation {
  const argv = text.split(' ');
  return {
    argv,
    program: basename(argv[0] ?? ''),
    wrappers: [],
    background: false,
    childOfShell: false,
    timeoutSeconds: null,
  };
}

const cases: readonly (readonly [string, Recogniser, readonly (readonly [string, string | null])[]])[] = [
  [
    'nodeHealthCheck',
    nodeHealthCheck,
    [
      ['rabbitmqctl node_health_check', 'rabbitmqctl'],
      ['/opt/rabbitmq/sbin/rabbitmq-diagnostics -q -n rabbit@host node_health_check', 'rabbitmq-diagnostics'],
      ['/docker-entrypoint.sh rabbitmqctl node_health_check', 'rabbitmqctl'],
      ['rabbitmqctl status', null],
      ['echo node_health_check', null],
    ],
  ],
  [
    'erlangCli',
    erlangCli,
    [
      ['rabbitmqctl status', 'rabbitmqctl'],
      ['rabbitmq-diagnostics -q ping', 'rabbitmq-diagnostics'],
      ['rabbitmq-queues quorum_status', 'rabbitmq-queues'],
      ['ejabberdctl status', 'ejabberdctl'],
      ['/opt/emqx/bin/emqx ctl status', 'emqx ctl'],
      ['emqx_ctl status', 'emqx_ctl'],
      ['rabbitmqctl node_health_check', null],
      ['emqx foreground', null],
      ['rabbitmq-server', null],
    ],
  ],
  [
    'jvmCli',
    jvmCli,
    [
      ['java -jar /health.jar', 'java'],
      ['nodetool status', 'nodetool'],
      ['/opt/kafka/bin/kafka-topics.sh --list', 'kafka-topics.sh'],
      ['kafka-broker-api-versions --bootstrap-server localhost:9092', 'kafka-broker-api-versions'],
      ['zkServer.sh status', 'zkServer.sh'],
      ['zkCli.sh ls /', 'zkCli.sh'],
      ['jps', 'jps'],
      ['jcmd 1 VM.version', 'jcmd'],
      ['kafka-healthcheck.sh', null],
      ['kafka-exporter', null],
      ['javac', null],
    ],
  ],
  [
    'mongoShell',
    mongoShell,
    [
      ['mongosh --eval db.adminCommand', 'mongosh'],
      ['/usr/bin/mongo --quiet', 'mongo'],
      ['mongod --version', null],
    ],
  ],
  [
    'pythonAppCli',
    pythonAppCli,
    [
      ['celery -A proj inspect ping', 'celery'],
      ['celery -A proj status', 'celery'],
      ['python -m celery --app x inspect ping', 'celery'],
      ['/entrypoint python -m celery --app x inspect ping', 'celery'],
      ['poetry run celery -A proj inspect ping', 'celery'],
      ['uv run python manage.py check', 'manage.py'],
      ['airflow jobs check --job-type SchedulerJob', 'airflow'],
      ['/entrypoint airflow db check', 'airflow'],
      ['airflow db check-migrations', 'airflow'],
      ['python3.12 -W ignore manage.py check', 'manage.py'],
      ['python -Wignore ./manage.py check', 'manage.py'],
      ['/app/manage.py check', 'manage.py'],
      ['celery -A proj worker', null],
      ['airflow scheduler', null],
      ['python -c import-manage.py', null],
      ['python', null],
      ['python /health.py', null],
      ['pgrep -f celery inspect', null],
    ],
  ],
  [
    'unseenScript',
    unseenScript,
    [
      ['/usr/bin/healthcheck.sh', 'healthcheck.sh'],
      ['docker-healthcheck', 'docker-healthcheck'],
      ['/scripts/kafka-healthcheck.sh', 'kafka-healthcheck.sh'],
      ['zkServer.sh status', null],
      ['kafka-topics.sh --list', null],
      ['/entrypoint.sh rabbitmqctl status', null],
      ['/entrypoint.sh mongosh', null],
      ['redis-cli ping', null],
    ],
  ],
];

describe.each(cases)('%s', (_name, recognise, commands) => {
  test.each(commands)('%s: %s', (text, expected) => {
    expect(recognise(invocation(text))).toBe(expected);
  });
});
