import { describe, expect, test } from 'vitest';
import { type Config, parseConfig } from '../../../src/config/config.ts';
import type { Pid1 } from '../../../src/pid1.ts';
import { readPod } from '../../../src/pod/pod.ts';
import { policyOf } from '../../../src/policy/policy.ts';
import { findingsOf, ruleIds } from '../../../src/rules/index.ts';
import type { Finding } from '../../../src/rules/rule.ts';

const nodeHealthCheck = { exec: { command: ['rabbitmqctl', 'node_health_check'] } };

function configOf(yaml: string): Config {
  const outcome = parseConfig(yaml, { ruleIds });
  if ('problems' in outcome) throw new Error(JSON.stringify(outcome.problems));
  return outcome.config;
}

function findings(
  raw: unknown,
  options: { readonly config?: string; readonly base?: string; readonly pid1?: Pid1 } = {},
): readonly Finding[] {
  const pod = readPod(raw, { base: options.base ?? '' });
  const config = configOf(options.config ?? '');
  const policy = policyOf(pod, { namespace: 'default', namespaceLabels: new Map(), config });
  return findingsOf(pod, policy, () => options.pid1 ?? 'unknown');
}

function podWith(livenessProbe: unknown, more: object = {}): object {
  return { spec: { containers: [{ name: 'app', livenessProbe, ...more }] } };
}

describe('where findings come from', () => {
  test('containers first, then native sidecars; liveness, readiness, startup; never one-shot init containers', () => {
    const probes = {
      startupProbe: nodeHealthCheck,
      readinessProbe: nodeHealthCheck,
      livenessProbe: nodeHealthCheck,
    };
    const found = findings({
      spec: {
        initContainers: [
          { name: 'once', ...probes },
          { name: 'sidecar', restartPolicy: 'Always', livenessProbe: nodeHealthCheck },
        ],
        containers: [
          { name: 'one', ...probes },
          { name: 'two', livenessProbe: nodeHealthCheck },
        ],
      },
    });
    expect(found.map(({ container, probe }) => `${container} ${probe}`)).toEqual([
      'one liveness',
      'one readiness',
      'one startup',
      'two liveness',
      'sidecar liveness',
    ]);
  });

  test('each points at its command, below the template that holds the pod', () => {
    const [finding] = findings(podWith(nodeHealthCheck), { base: '/spec/template' });
    expect(finding?.pointer).toBe('/spec/template/spec/containers/0/livenessProbe/exec/command');
  });

  test('PID 1 is asked for once per container', () => {
    const pod = readPod({
      spec: {
        containers: [
          { name: 'leaky', livenessProbe: nodeHealthCheck },
          { name: 'reaper', livenessProbe: nodeHealthCheck },
        ],
      },
    });
    const policy = policyOf(pod, { namespace: 'x', namespaceLabels: new Map(), config: configOf('') });
    const found = findingsOf(pod, policy, ({ name }) => (name === 'reaper' ? 'reaps' : 'leaks'));
    expect(found.map(({ severity }) => severity)).toEqual(['error', 'warning']);
    expect(found[0]?.message).toBe('node_health_check is deprecated and leaks 8,640 zombies a day');
    expect(found[1]?.message).toBe('node_health_check is deprecated; an Erlang VM every 10 s costs CPU');
    expect(found[0]?.zombiesPerRun).toBe(1);
  });

  test('a pod of nonsense has none', () => {
    for (const raw of [null, [], 'pod', { spec: { containers: [null, 1, {}] } }])
      expect(findings(raw)).toEqual([]);
  });
});

describe('the configuration', () => {
  test('switches a rule off', () => {
    const config = 'rules: {rabbitmq-node-health-check: {severity: off}}';
    expect(findings(podWith(nodeHealthCheck), { config })).toEqual([]);
  });

  test('caps what a rule reports and never raises it', () => {
    const config =
      'rules: {rabbitmq-node-health-check: {severity: warning}, shell-script: {severity: error}}';
    expect(findings(podWith(nodeHealthCheck), { config })[0]?.severity).toBe('warning');
    const script = podWith({ exec: { command: ['/check.sh'] } });
    expect(findings(script, { config })[0]?.severity).toBe('info');
  });

  test.each([
    ['erlang-cli', 30, 10],
    ['mongo-shell', 30, 10],
    ['python-app-cli', 60, 10],
  ])('%s fires below %d s between runs and below a timeout of %d s', (id, period, timeout) => {
    const command = {
      'erlang-cli': ['rabbitmqctl', 'status'],
      'mongo-shell': ['mongosh'],
      'python-app-cli': ['celery', 'status'],
    }[id];
    const fires = (periodSeconds: number, timeoutSeconds: number, config = '') =>
      findings(podWith({ exec: { command }, periodSeconds, timeoutSeconds }), { config }).length > 0;
    expect(fires(period, timeout)).toBe(false);
    expect(fires(period - 1, timeout)).toBe(true);
    expect(fires(period, timeout - 1)).toBe(true);
    const raised = `rules: {${id}: {minPeriodSeconds: ${period + 1}}}`;
    expect(fires(period, timeout, raised)).toBe(true);
    const lowered = `rules: {${id}: {minPeriodSeconds: 1, minTimeoutSeconds: 1}}`;
    expect(fires(1, 1, lowered)).toBe(false);
  });

  test('the advice respects raised thresholds', () => {
    const config = 'rules: {erlang-cli: {minPeriodSeconds: 120, minTimeoutSeconds: 40}}';
    const [finding] = findings(podWith({ exec: { command: ['rabbitmqctl', 'status'] } }), { config });
    expect(finding?.fix).toContain('periodSeconds: 120 and timeoutSeconds: 40');
  });

  test('shell-with-children takes a threshold of its own', () => {
    const probe = { exec: { command: ['sh', '-c', 'a | b'] }, timeoutSeconds: 3 };
    expect(findings(podWith(probe))).toEqual([]);
    const config = 'rules: {shell-with-children: {minTimeoutSeconds: 4}}';
    expect(findings(podWith(probe), { config }).map(({ rule }) => rule)).toEqual(['shell-with-children']);
  });
});

describe('the kubelet expands $(VAR) in a probe from the values in env', () => {
  const probe = { exec: { command: ['sh', '-c', '$(CHECK)'] }, timeoutSeconds: 5 };

  test('a literal value', () => {
    const env = [{ name: 'CHECK', value: 'rabbitmqctl node_health_check' }];
    expect(findings(podWith(probe, { env })).map(({ rule }) => rule)).toContain('rabbitmq-node-health-check');
  });

  test('a doubled dollar stands for one: the rest is the shell’s', () => {
    const doubled = {
      exec: { command: ['sh', '-c', '$$(rabbitmqctl node_health_check)'] },
      timeoutSeconds: 5,
    };
    expect(findings(podWith(doubled)).map(({ rule }) => rule)).toContain('rabbitmq-node-health-check');
  });

  test('valueFrom is empty there, and what is no variable stays', () => {
    const env = [{ name: 'CHECK', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }];
    const words = { exec: { command: ['$(CHECK)/opt/check.sh', '$(OTHER)'] } };
    expect(findings(podWith(words, { env }))[0]?.message).toContain('check.sh cannot be seen');
  });
});

test('absurd numbers and words keep messages short', () => {
  const command = ['sh', '-c', `${'x'.repeat(5000)} & rabbitmqctl node_health_check & timeout 1e9 y`];
  for (const periodSeconds of [1e-300, 1e300, 0.1, 7]) {
    const found = findings(podWith({ exec: { command }, periodSeconds, timeoutSeconds: 1e-300 }));
    expect(found.length).toBeGreaterThan(1);
    for (const { message, fix } of found) {
      expect(message.length, message).toBeLessThanOrEqual(76);
      expect(fix.length, fix).toBeLessThanOrEqual(200);
    }
  }
});
