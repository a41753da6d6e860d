import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auditAnnotations, auditKey, mostListed } from '../../../src/admission/audit-annotations.ts';
import { reasons } from '../../../src/reasons.ts';
import type { Remedy } from '../../../src/remedies/remedy.ts';
import type { Finding } from '../../../src/rules/rule.ts';

/** What the API server asks of the part of an annotation's key behind the slash. */
const qualifiedName = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

const remedy = (containers: Remedy['containers'], overrides: Partial<Remedy> = {}): Remedy => ({
  strategy: 'auto',
  kind: 'tini',
  reason: 'per-container',
  containers,
  notes: [],
  ...overrides,
});

const finding: Finding = {
  rule: 'erlang-cli',
  container: 'rabbit',
  probe: 'liveness',
  severity: 'warning',
  message: 'starts an Erlang VM every 10 s',
  fix: 'use tcpSocket',
  zombiesPerRun: 1,
  pointer: '/spec/containers/0/livenessProbe/exec/command',
};

const audited = (parts: Partial<Parameters<typeof auditAnnotations>[0]>) =>
  auditAnnotations({ remedy: null, findings: [], refused: [], dryRun: false, ...parts });

describe('auditKey', () => {
  it('joins its parts with dots', () => {
    expect(auditKey('remedy', 'tini', 'argv-known', 'app')).toBe('remedy.tini.argv-known.app');
  });

  it('cuts a long key and keeps it apart from others that begin the same', () => {
    const keys = ['a', 'b'].map((end) => auditKey('remedy', 'none', 'argv-unknown', 'n'.repeat(62) + end));
    expect(keys[0]).toMatch(/^remedy\.none\.argv-unknown\.n+-[0-9a-f]{8}$/);
    expect(keys[0]).toHaveLength(63);
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('is a valid name whatever the container is called, and the same in every round', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        const key = auditKey('remedy', 'share-pid', 'chosen-by-label', name);
        expect(key).toMatch(qualifiedName);
        expect(auditKey('remedy', 'share-pid', 'chosen-by-label', name)).toBe(key);
      }),
    );
  });
});

describe('auditAnnotations', () => {
  it('holds remedy, reason and container in the key and a fixed sentence in the value', () => {
    const containers: Remedy['containers'] = [
      { name: 'app', action: 'tini', reason: 'argv-known' },
      { name: 'log', action: 'none', reason: 'argv-unknown' },
    ];
    expect(audited({ remedy: remedy(containers) })).toEqual({
      'remedy.tini.per-container': reasons['per-container'].sentence,
      'remedy.tini.argv-known.app': reasons['argv-known'].sentence,
      'remedy.none.argv-unknown.log': reasons['argv-unknown'].sentence,
    });
  });

  it('says so where the pod was skipped', () => {
    expect(audited({ remedy: remedy([], { kind: null, reason: 'host-pid' }) })).toEqual({
      'remedy.none.host-pid': reasons['host-pid'].sentence,
    });
  });

  it('holds findings and refusals', () => {
    expect(audited({ findings: [finding], refused: [finding] })).toEqual({
      'finding.erlang-cli.liveness.rabbit': 'warning: starts an Erlang VM every 10 s',
      'refused.erlang-cli.liveness.rabbit': 'docs/rules/erlang-cli.md',
    });
  });

  it('does not call a refusal what a dry run let pass', () => {
    expect(audited({ refused: [finding], dryRun: true })).toEqual({
      'would-refuse.erlang-cli.liveness.rabbit': 'docs/rules/erlang-cli.md',
      'dry-run': reasons['dry-run'].sentence,
    });
  });

  it('is bounded, and says so, for 10,000 containers', () => {
    const containers = Array.from({ length: 10_000 }, (_, index) => ({
      name: `c${index}`,
      action: 'tini' as const,
      reason: 'argv-known' as const,
    }));
    const annotations = audited({
      remedy: remedy(containers),
      findings: containers.map(({ name }) => ({ ...finding, container: name })),
    });
    expect(Object.keys(annotations)).toHaveLength(2 * mostListed + 3);
    expect(annotations['remedy-more']).toContain(String(mostListed));
    expect(annotations['finding-more']).toContain(String(mostListed));
  });
});
