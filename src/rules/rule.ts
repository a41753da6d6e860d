import type { RuleSettings, Severity } from '../config/config.ts';
import type { Pid1 } from '../pid1.ts';
import type { CommandLine } from '../pod/command-line.ts';
import type { ExecProbe, ProbeKind } from '../pod/pod.ts';

/** What a rule sees of one exec probe. */
export interface ProbeInContext {
  readonly probe: ExecProbe;
  readonly command: CommandLine;
  /** Image reference of the container, as written. */
  readonly image: string | null;
  /** What PID 1 of the container's PID namespace does with orphans. */
  readonly pid1: Pid1;
  readonly settings: Required<RuleSettings>;
}

/** What a rule found in one probe. */
export interface Match {
  readonly severity: Severity;
  /** What is wrong, for people, in one clause without the container's name. */
  readonly message: string;
  /** What to write instead. */
  readonly fix: string;
}

/** A check of exec probes with a stable id; its page is docs/rules/<id>.md. */
export interface Rule {
  readonly id: string;
  /** What it looks for, in one line. */
  readonly title: string;
  /** Thresholds that the configuration may change; absent ones do not apply to the rule. */
  readonly defaults: RuleSettings;
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
