import { describe, expect, it } from 'vitest';
import { decideDenials, refusalMessage } from '../../../src/admission/deny.ts';
import type { Finding } from '../../../src/rules/rule.ts';

const finding = (overrides: Partial<Finding> = {}): Finding => ({
  rule: 'rabbitmq-node-health-check',
  container: 'rabbit',
  probe: 'liveness',
  severity: 'error',
  message: 'node_health_check is deprecated and leaks 8,640 zombies a day',
  fix: 'use tcpSocket on port 5672',
  zombiesPerRun: 1,
  pointer: '/spec/containers/0/livenessProbe/exec/command',
  ...overrides,
});

const outcomes = (...args: Parameters<typeof decideDenials>) =>
  decideDenials(...args).map(({ outcome }) => outcome);

const fresh = { dryRun: false, controlled: false, before: 'none' } as const;

describe('decideDenials', () => {
  it('refuses findings of severity error in a new object', () => {
    expect(outcomes([finding()], fresh)).toEqual(['refused']);
  });

  it('leaves warnings and infos alone', () => {
    expect(outcomes([finding({ severity: 'warning' }), finding({ severity: 'info' })], fresh)).toEqual([]);
  });

  it('refuses nothing of a controller, which would try again for ever', () => {
    expect(outcomes([finding()], { ...fresh, controlled: true })).toEqual(['spared-controlled']);
  });

  it('refuses nothing where the object before the update could not be read', () => {
    expect(outcomes([finding()], { ...fresh, before: 'unknown' })).toEqual(['spared-unknown']);
  });

  it('spares findings that the object had before', () => {
    const now = [
      finding(),
      finding({ probe: 'readiness' }),
      finding({ container: 'other' }),
      finding({ rule: 'r' }),
    ];
    expect(outcomes(now, { ...fresh, before: () => [finding()] })).toEqual([
      'spared-existing',
      'refused',
      'refused',
      'refused',
    ]);
  });

  it('takes a rise in severity, another wording or another place for the same finding', () => {
    const before = [finding({ severity: 'info', message: 'was milder', pointer: '/elsewhere' })];
    expect(outcomes([finding()], { ...fresh, before: () => before })).toEqual(['spared-existing']);
  });

  it('does not confuse findings whose names run together', () => {
    const before = [finding({ rule: 'a', container: 'b","c' })];
    expect(
      outcomes([finding({ rule: 'a","b', container: 'c' })], { ...fresh, before: () => before }),
    ).toEqual(['refused']);
  });

  it('refuses nothing in a dry run, and says what it would have refused', () => {
    expect(outcomes([finding()], { ...fresh, dryRun: true })).toEqual(['dry-run']);
    expect(outcomes([finding()], { ...fresh, dryRun: true, before: () => [finding()] })).toEqual([
      'spared-existing',
    ]);
  });

  it('does not judge the object before the update where nothing could be refused', () => {
    const before = () => {
      throw new Error('judged for nothing');
    };
    expect(outcomes([finding({ severity: 'warning' })], { ...fresh, before })).toEqual([]);
  });
});

describe('refusalMessage', () => {
  it('names rule, container, probe, fix and page, and the way out', () => {
    expect(refusalMessage([finding()]).split('\n')).toEqual([
      'gravekeeper refuses exec probes here that make zombies (probe checks are set to deny).',
      'rabbitmq-node-health-check: container rabbit, liveness probe: node_health_check is deprecated and leaks ' +
        '8,640 zombies a day. Instead: use tcpSocket on port 5672 (gravekeeper explain rabbitmq-node-health-check; docs/rules/rabbitmq-node-health-check.md)',
      'To keep such a probe, annotate the pod or its template: gravekeeper.dev/ignore: <rule>=<why>',
    ]);
  });

  it('is bounded', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => finding({ container: `c${index}` }));
    const lines = refusalMessage(many).split('\n');
    expect(lines).toHaveLength(13);
    expect(lines[11]).toBe('9990 more.');
  });

  it('lets no container forge a line', () => {
    expect(refusalMessage([finding({ container: 'a\nb\u001b[2J' })])).toContain('container a?b??2J, ');
  });
});
