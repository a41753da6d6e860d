import { describe, expect, it } from 'vitest';
import {
  findingWarnings,
  noteWarnings,
  remedyWarnings,
  wouldRefuse,
} from '../../../src/admission/verdict-warnings.ts';
import { formatWarnings, type Warning } from '../../../src/admission/warnings.ts';
import { reasonCodes, reasons } from '../../../src/reasons.ts';
import type { ContainerDecision, Remedy } from '../../../src/remedies/remedy.ts';
import type { Finding } from '../../../src/rules/rule.ts';

function remedy(parts: Partial<Remedy>): Remedy {
  return { strategy: 'auto', kind: null, reason: 'per-container', containers: [], notes: [], ...parts };
}

const skip = (name: string, reason: ContainerDecision['reason']): ContainerDecision => ({
  name,
  action: 'none',
  reason,
});
const wrap = (name: string): ContainerDecision => ({ name, action: 'tini', reason: 'argv-known' });

const finding = (overrides: Partial<Finding> = {}): Finding => ({
  rule: 'erlang-cli',
  container: 'rabbit',
  probe: 'liveness',
  severity: 'warning',
  message: 'starts an Erlang VM every 10 s',
  fix: 'use tcpSocket',
  zombiesPerRun: 1,
  pointer: '/spec/containers/0/livenessProbe/exec/command',
  ...overrides,
});

/** Code and container of each warning. */
const subjects = (warnings: readonly Warning[]) => warnings.map(({ code, container }) => [code, container]);

describe('remedyWarnings: what was skipped though asked for', () => {
  it.each(reasonCodes)('speaks of a pod skipped for %s if that is not silent', (reason) => {
    expect(subjects(remedyWarnings(remedy({ reason }), false))).toEqual(
      reasons[reason].silent ? [] : [[reason, null]],
    );
  });

  it('speaks of each container that was skipped aloud, also beside one that was not', () => {
    const containers = [wrap('app'), skip('log', 'argv-unknown'), skip('proxy', 'pid1-reaps')];
    expect(subjects(remedyWarnings(remedy({ kind: 'tini', containers }), false))).toEqual([
      ['argv-unknown', 'log'],
    ]);
  });

  it('does not say of the pod what it says of the containers', () => {
    const containers = [skip('app', 'argv-unknown'), skip('log', 'argv-unknown')];
    expect(subjects(remedyWarnings(remedy({ reason: 'argv-unknown', containers }), false))).toEqual([
      ['argv-unknown', 'app'],
      ['argv-unknown', 'log'],
    ]);
  });

  it('says nothing of a remedy that is carried out', () => {
    const containers = [{ name: 'app', action: 'share-pid', reason: 'bare-pod' } as const];
    const shared = remedy({ kind: 'share-pid', reason: 'bare-pod', containers });
    expect(remedyWarnings(shared, false)).toEqual([]);
  });

  it('says that the sharing was taken back', () => {
    const containers = [wrap('app'), wrap('log')];
    const arrived = remedy({ kind: 'tini', reason: 'sidecar-arrived', containers });
    expect(subjects(remedyWarnings(arrived, false))).toEqual([['sidecar-arrived', null]]);
  });

  it('does not repeat a note', () => {
    const notes = [
      { reason: 'unjudgeable', container: null, detail: '/spec/volumes' },
      { reason: 'unjudgeable', container: 'app', detail: '/spec/containers/0/args' },
    ] as const;
    expect(remedyWarnings(remedy({ reason: 'unjudgeable', notes }), false)).toEqual([]);
    const containers = [skip('app', 'unjudgeable')];
    expect(remedyWarnings(remedy({ reason: 'unjudgeable', containers, notes }), false)).toEqual([]);
  });
});

describe('remedyWarnings: dry run', () => {
  const lines = (parts: Partial<Remedy>) => formatWarnings(remedyWarnings(remedy(parts), true));

  it('says which containers would get tini', () => {
    expect(lines({ kind: 'tini', containers: [wrap('app'), wrap('log')] })).toEqual([
      'gravekeeper dry-run: app, log: would put tini in front of the command',
    ]);
  });

  it('says that the namespace would be shared', () => {
    expect(lines({ kind: 'share-pid' })).toEqual([
      'gravekeeper dry-run: would set shareProcessNamespace: true',
    ]);
  });

  it('says that the sharing would be taken back, and what would come instead', () => {
    const containers = [wrap('app'), wrap('log')];
    expect(lines({ kind: 'tini', reason: 'sidecar-arrived', containers })).toEqual([
      'gravekeeper dry-run: would take shareProcessNamespace back',
      'gravekeeper dry-run: app, log: would put tini in front of the command',
      expect.stringMatching(/^gravekeeper sidecar-arrived: /),
    ]);
  });

  it('says that an earlier injection would be mended', () => {
    expect(lines({ kind: 'tini', containers: [skip('app', 'already-injected')] })).toEqual([
      'gravekeeper dry-run: would put the injected tini in order again',
    ]);
  });

  it('says nothing where nothing would be done', () => {
    expect(remedyWarnings(remedy({ reason: 'pid1-reaps' }), true)).toEqual([]);
  });
});

describe('noteWarnings', () => {
  it('says the detail first, since it is what the sentence lacks', () => {
    const note = {
      reason: 'invalid-label',
      container: null,
      detail: 'gravekeeper.dev/inject="atuo"',
    } as const;
    const [line] = formatWarnings(noteWarnings([note]));
    expect(line).toMatch(/^gravekeeper invalid-label: gravekeeper\.dev\/inject="atuo"/);
  });

  it('says the sentence of a note without a detail, with its container', () => {
    const [line] = formatWarnings(noteWarnings([{ reason: 'uses-pid-1', container: 'app', detail: null }]));
    expect(line).toMatch(/^gravekeeper uses-pid-1: app: A hook, probe or argument relies/);
  });
});

describe('findingWarnings', () => {
  const lines = (...findings: Finding[]) => formatWarnings(findingWarnings(findings));

  it('names rule, container and probe, what is wrong and what to write instead', () => {
    expect(lines(finding())).toEqual([
      'gravekeeper erlang-cli: rabbit: liveness: starts an Erlang VM every 10 s; use tcpSocket',
    ]);
  });

  it('shows warnings and errors only', () => {
    expect(lines(finding({ severity: 'info' }))).toEqual([]);
    expect(lines(finding({ severity: 'error' }))).toHaveLength(1);
  });

  it('says the same of several probes of a container once', () => {
    expect(lines(finding(), finding({ probe: 'readiness' }))).toEqual([
      'gravekeeper erlang-cli: rabbit: liveness, readiness: starts an Erlang VM every 10 s; use tcpSocket',
    ]);
  });

  it('leaves the fix out where there is no room, and never what is wrong', () => {
    const message = 'starts an Erlang VM every 10 s and leaks 8,640 zombies a day';
    expect(lines(finding({ message, fix: 'x'.repeat(60) }))).toEqual([
      `gravekeeper erlang-cli: rabbit: liveness: ${message}`,
    ]);
  });
});

describe('wouldRefuse', () => {
  it('names the rule', () => {
    expect(formatWarnings(wouldRefuse([finding()]))).toEqual([
      'gravekeeper dry-run: rabbit: would be refused for erlang-cli',
    ]);
  });
});
