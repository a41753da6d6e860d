import type { RuleSettings, Severity } from '../config/config.ts';
import type { Pid1 } from '../pid1.ts';
import type { CommandLine } from '../pod/command-line.ts';
import type { ExecProbe, ProbeKind } from '../pod/pod.ts';
import type { SeverityClass } from './severity.ts';

/** A rule's defaults with what the configuration sets laid over them. */
export interface EffectiveSettings {
  /** The most severe that a finding of the rule may be. */
  readonly maxSeverity: Severity;
  /** Thresholds in seconds; 0 where the rule has none. */
  readonly minPeriodSeconds: number;
  readonly minTimeoutSeconds: number;
}

/** What a rule sees of one exec probe. */
export interface ProbeInContext {
  readonly probe: ExecProbe;
  readonly command: CommandLine;
  /** Image reference of the container, as written. */
  readonly image: string | null;
  /** What PID 1 of the container's PID namespace does with orphans. */
  readonly pid1: Pid1;
  readonly settings: EffectiveSettings;
}

/** What a rule found in one probe. */
export interface Match {
  readonly severity: Severity;
  /** What is wrong, for people, in one clause without the container's name; at most 76 characters. */
  readonly message: string;
  /** What to write instead. */
  readonly fix: string;
  /**
   * Processes that every run leaves behind for PID 1: zombies, where it does not reap. Null where only some
   * runs leave any, such as those that are killed at their timeout, or where it is not known.
   */
  readonly zombiesPerRun: number | null;
}

/** Zombies that runs of a probe's command left behind, with a PID 1 that never waits. */
export interface Measurement {
  /** What was counted: each run, or each that is killed at timeoutSeconds. */
  readonly per: 'run' | 'killed run';
  readonly rows: readonly { readonly command: string; readonly zombies: string }[];
}

/** A piece of YAML: fields of a container, before and after. */
export interface RuleExample {
  /** Something that the rule finds. */
  readonly before: string;
  /** The same, rewritten so that no rule has anything to say. */
  readonly after: string;
}

/**
 * A check of exec probes with a stable id. Its page, docs/rules/<id>.md, is made of what stands here and of its fixtures.
 * Texts are plain sentences, with commands and ids of other rules in backticks.
 */
export interface Rule {
  readonly id: string;
  /** What it looks for, in one line. */
  readonly title: string;
  /** Why that matters, in a few sentences. */
  readonly why: string;
  readonly measured?: Measurement;
  /** What else is known of it, and what follows: a paragraph each. */
  readonly notes: readonly string[];
  /** Where it finds something, and where it does not: a paragraph each. */
  readonly fires: readonly string[];
  /** What is left to other rules, or to this one by them. */
  readonly neighbours?: string;
  /** What to write instead, in a sentence or two. */
  readonly instead: string;
  readonly example: RuleExample;
  /** How bad its findings are, unless `check` is less sure of one. */
  readonly severityClass: SeverityClass;
  /** Thresholds that the configuration may change; absent ones do not apply to the rule. */
  readonly defaults: Pick<RuleSettings, 'minPeriodSeconds' | 'minTimeoutSeconds'>;
  /** Public threads and documents that its facts come from. */
  readonly sources: readonly string[];
  check(context: ProbeInContext): Match | null;
}

/** A rule's match, with its place. */
export interface Finding extends Match {
  readonly rule: string;
  readonly container: string;
  readonly probe: ProbeKind;
  /** JSON Pointer of the probe's command, below the document's root. */
  readonly pointer: string;
}
