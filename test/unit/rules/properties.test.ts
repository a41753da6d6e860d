import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import { readPod } from '../../../src/pod/pod.ts';
import { policyOf } from '../../../src/policy/policy.ts';
import { findingsOf } from '../../../src/rules/index.ts';

const vocabulary = [
  ...['sh', 'bash', '-c', '-ec', '--', 'timeout', '5', '-s', 'busybox', 'env', 'A=1', 'su', 'gosu', 'nohup'],
  ...[
    'rabbitmqctl',
    'node_health_check',
    'emqx',
    'ctl',
    'nodetool',
    'mongosh',
    'celery',
    'inspect',
    'python',
  ],
  ...['-m', 'manage.py', '/x.sh', 'a | b', 'a & b', 'a; wait', 'x=$(y)', '$(A)', '$$', '"', "'", '\n', '`'],
  ...['(', ')', '{', '}', '<<E', '&&', '||', '\u0000', '\u001b[2J', '\u202e', '\u2028', '😀', ''],
];
const words = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...vocabulary) },
  {
    weight: 3,
    arbitrary: fc.array(fc.constantFrom(...vocabulary), { maxLength: 8 }).map((parts) => parts.join(' ')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
);
const probes = fc.record({
  exec: fc.record({ command: fc.array(words, { maxLength: 7 }) }),
  periodSeconds: fc.option(fc.double(), { nil: undefined }),
  timeoutSeconds: fc.option(fc.double(), { nil: undefined }),
});

test('whatever a probe runs, findings are well-formed, short, and safe to show', () => {
  fc.assert(
    fc.property(
      probes,
      fc.constantFrom('livenessProbe', 'readinessProbe', 'startupProbe'),
      fc.constantFrom('reaps', 'leaks', 'unknown', 'must-be-pid-1'),
      fc.constantFrom(undefined, 'alpine', 'debian:12', 'x'),
      (probe, kind, pid1, image) => {
        const env = [{ name: 'A', value: 'sh -c' }];
        const pod = readPod({ spec: { containers: [{ name: 'c', image, env, [kind]: probe }] } });
        const policy = policyOf(pod, { namespace: 'd', namespaceLabels: new Map(), config: defaultConfig });
        const findings = findingsOf(pod, policy, () => pid1);
        expect(new Set(findings.map(({ rule }) => rule)).size).toBe(findings.length);
        for (const { message, fix } of findings) {
          expect(message.length).toBeLessThanOrEqual(76);
          expect(fix.length).toBeLessThanOrEqual(200);
          expect(`${message}${fix}`).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        }
      },
    ),
    { numRuns: 3_000 },
  );
});
