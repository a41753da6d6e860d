import type { Finding } from '../rules/rule.ts';
import type { Denial } from './decision.ts';
import type { DenialOutcome } from './metrics.ts';
import { harmless, harmlessName } from './text.ts';

/** The most findings that a refusal spells out. */
const mostSpelledOut = 10;

/** What `deny` must know of an object to block nothing that is running. */
interface DenialContext {
  readonly dryRun: boolean;
  /** A controller owns the object: refused, it would be tried again for ever. */
  readonly controlled: boolean;
  /**
   * The findings of the object before an update, asked for only where they matter; `none` for a new object, `unknown`
   * where the object before could not be read.
   */
  readonly before: (() => readonly Finding[]) | 'none' | 'unknown';
}

/**
 * Decides what `deny` does about findings: it refuses those of severity error, unless that would block what runs
 * already.
 *
 * @param findings The findings of the object.
 * @param context What is known of the object.
 * @returns What becomes of each finding of severity error; findings of other severities are left out.
 */
export function decideDenials(findings: readonly Finding[], context: DenialContext): readonly Denial[] {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const { before } = context;
  const known = new Set(errors.length > 0 && typeof before === 'function' ? before().map(identity) : []);
  return errors.map((finding) => ({ finding, outcome: outcomeOf(finding, known, context) }));
}

function outcomeOf(finding: Finding, known: ReadonlySet<string>, context: DenialContext): DenialOutcome {
  if (context.controlled) return 'spared-controlled';
  if (context.before === 'unknown') return 'spared-unknown';
  if (known.has(identity(finding))) return 'spared-existing';
  return context.dryRun ? 'dry-run' : 'refused';
}

/** What makes two findings the same one across an update; its severity and wording do not. */
function identity({ rule, container, probe }: Finding): string {
  return JSON.stringify([rule, container, probe]);
}

/**
 * Writes why an object is refused, for its author.
 *
 * @param findings The findings that it is refused for; at least one.
 */
export function refusalMessage(findings: readonly Finding[]): string {
  const spelledOut = findings.slice(0, mostSpelledOut).map(spellOut);
  const more = findings.length - spelledOut.length;
  return [
    'gravekeeper refuses exec probes here that make zombies (probe checks are set to deny).',
    ...spelledOut,
    ...(more > 0 ? [`${more} more.`] : []),
    'To keep such a probe, annotate the pod or its template: gravekeeper.dev/ignore: <rule>=<why>',
  ].join('\n');
}

function spellOut({ rule, container, probe, message, fix }: Finding): string {
  const where = `container ${harmlessName(container, 63)}, ${probe} probe`;
  return `${rule}: ${where}: ${harmless(message)}. Instead: ${harmless(fix)} (gravekeeper explain ${rule}; docs/rules/${rule}.md)`;
}
