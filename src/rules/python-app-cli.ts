import { findProgram, pythonAppCli } from './programs.ts';
import type { Rule } from './rule.ts';
import { severityOf } from './severity.ts';
import { interval, seconds } from './wording.ts';

/** `celery … inspect`, `celery … status`, `airflow … check` and `manage.py`, too often or with too little time. */
export const pythonAppCliRule: Rule = {
  id: 'python-app-cli',
  title:
    'A probe loads a whole Python application at a short interval: celery inspect, airflow jobs check, manage.py.',
  why:
    'Each run imports the whole application before it asks its one question: about 3 s of CPU. Where CPU is ' +
    'limited it takes much longer (a minute for `airflow jobs check` at half a CPU), so that the container is ' +
    'for ever busy with its own probe.',
  notes: [
    'Reported by users: 2.9 s of CPU for one `celery inspect ping` of a Django application; a minute ' +
      'for `airflow jobs check` at half a CPU, which kept the scheduler at 100 % of its limit until the ' +
      'period was raised.',
    'A Python that ends by itself leaves no zombie, unless it starts programs and ends before them ' +
      '(measured: 1 for one `Popen`). The severity does not depend on PID 1. The cost is CPU.',
  ],
  fires: [
    'Where a probe runs `celery … inspect`, `celery … status`, `airflow … check` or `manage.py`, also ' +
      'through `python`, `python -m` or an entrypoint script, and `periodSeconds` or `timeoutSeconds` ' +
      'is below its threshold.',
  ],
  instead:
    'Use an httpGet of a health endpoint, or test the age of a heartbeat file that the application touches. Or ' +
    'run the command every 60 s or more and give it timeoutSeconds 30.',
  example: {
    before: `livenessProbe:
  exec:
    command: [celery, -A, proj, inspect, ping]
  periodSeconds: 10
  timeoutSeconds: 5
`,
    after: `livenessProbe:
  exec:
    command: [find, /tmp/worker-heartbeat, -mmin, "-1"]
  periodSeconds: 10
`,
  },
  severityClass: 'costly-cli',
  defaults: { minPeriodSeconds: 60, minTimeoutSeconds: 10 },
  sources: [
    'https://github.com/apache/airflow/issues/13637',
    'https://github.com/apache/airflow/issues/19001',
    'https://github.com/bitnami/charts/issues/29806',
    'https://github.com/Datateknologerna-vid-Abo-Akademi/date-website/pull/1040',
    'https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/logging-monitoring/check-health.html',
  ],
  check(context) {
    const { probe, settings } = context;
    const often = probe.periodSeconds < settings.minPeriodSeconds;
    if (!often && probe.timeoutSeconds >= settings.minTimeoutSeconds) return null;
    const program = findProgram(context.command, pythonAppCli);
    if (!program) return null;
    return {
      severity: severityOf('costly-cli', context),
      message: often
        ? `${program.name} loads the whole application ${interval(context)}: about 3 s of CPU`
        : `${program.name} needs about 3 s of CPU a run; timeoutSeconds is ${seconds(probe.timeoutSeconds)}`,
      fix:
        `${insteadOf(program.name)}, or keep the command with periodSeconds: ` +
        `${Math.max(60, settings.minPeriodSeconds)} and timeoutSeconds: ${Math.max(30, settings.minTimeoutSeconds)}`,
      zombiesPerRun: null,
    };
  },
};

function insteadOf(program: string): string {
  if (program === 'celery') return 'test the age of a heartbeat file that the worker touches';
  if (program === 'airflow')
    return 'httpGet: {path: /health, port: 8974} (the scheduler, with enable_health_check)';
  return 'httpGet of a health endpoint of the application';
}
