import type { Severity } from '../config/config.ts';
import type { ProbeInContext } from './rule.ts';

/** How bad the findings of a class are, by what PID 1 does with the orphans. */
interface SeverityByPid1 {
  /** PID 1 leaks, is unknown, or must stay what it is, so that nothing can be put in front of it. */
  readonly leaks: Severity;
  readonly reaps: Severity;
}

/**
 * The severities of a liveness or readiness probe's findings:
 * - `deprecated-check`: leaks every run, is deprecated upstream, and costs CPU even where PID 1 reaps;
 * - `costly-cli`: costs so much CPU that it matters whatever PID 1 does;
 * - `orphan-maker`: harms only where PID 1 does not reap;
 * - `unseen`: a guess, since what matters cannot be seen from here.
 */
export const severityClasses = {
  'deprecated-check': { leaks: 'error', reaps: 'warning' },
  'costly-cli': { leaks: 'warning', reaps: 'warning' },
  'orphan-maker': { leaks: 'warning', reaps: 'info' },
  unseen: { leaks: 'info', reaps: 'info' },
} as const satisfies Record<string, SeverityByPid1>;

export type SeverityClass = keyof typeof severityClasses;

const levels: readonly Severity[] = ['info', 'warning', 'error'];

/** One level lower; info stays info. */
export function lowered(severity: Severity): Severity {
  return levels[levels.indexOf(severity) - 1] ?? 'info';
}

/** The milder of two severities. */
export function milder(one: Severity, other: Severity): Severity {
  return levels.indexOf(one) < levels.indexOf(other) ? one : other;
}

/**
 * The severity of a finding: that of its class by PID 1, one level lower for a startup probe (it stops at the
 * first success), and never above the one that the configuration sets for the rule.
 */
export function severityOf(
  severityClass: SeverityClass,
  { pid1, probe, settings }: Pick<ProbeInContext, 'pid1' | 'probe' | 'settings'>,
): Severity {
  const byPid1 = severityClasses[severityClass][pid1 === 'reaps' ? 'reaps' : 'leaks'];
  const computed = probe.kind === 'startup' ? lowered(byPid1) : byPid1;
  return milder(computed, settings.maxSeverity);
}
