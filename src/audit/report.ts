import type { Severity } from '../config/config.ts';
import type { ProbeKind } from '../pod/pod.ts';
import type { Policy, Strategy } from '../policy/policy.ts';
import type { Reason } from '../reasons.ts';
import type { ContainerDecision, RemedyKind } from '../remedies/remedy.ts';

/** What one audit found; the JSON of `audit -o json`. Fields may be added, not renamed. */
export interface AuditReport {
  readonly schemaVersion: 1;
  readonly summary: AuditSummary;
  /** Pods and workloads, in the order of the input. */
  readonly objects: readonly AuditedObject[];
  /** What could not be read. */
  readonly problems: readonly AuditProblem[];
}

export interface AuditSummary {
  readonly objects: number;
  /** Findings that the baseline does not accept. */
  readonly findings: Readonly<Record<Severity, number>>;
  /** Findings that the baseline accepts. */
  readonly accepted: number;
  /** Objects by what is, or under dry run would be, done to their pods. */
  readonly remedies: Readonly<Record<RemedyKind | 'none', number>>;
  /** Zombies that the probes of one pod of each object leave behind in a day, where PID 1 does not reap. */
  readonly zombiesPerDay: number;
}

/** A pod, or a workload with the template of pods. */
export interface AuditedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  /** Its name; that of a generateName ends in `-`. */
  readonly name: string;
  /** As the user named it; absent for objects of a cluster. */
  readonly file?: string;
  /** The line that it begins on, counted from 1. */
  readonly line?: number;
  /** In a cluster: kind and name of a controller of another kind, of whose pods this is one. */
  readonly owner?: string;
  /** The apiVersion of that controller. */
  readonly ownerApiVersion?: string;
  /** In a cluster: how many objects of that controller, pods as a rule, are like this one. */
  readonly pods?: number;
  /** Whether its namespace is exempt: then nothing was looked at. */
  readonly exempt?: true;
  /** In a cluster: pods that run without what they should have got when they were created. */
  readonly notInjected?: NotInjected;
  readonly policy: {
    readonly strategy: Strategy | null;
    readonly probes: Policy['probes'];
    readonly dryRun: boolean;
  };
  readonly remedy: AuditedRemedy;
  readonly findings: readonly AuditedFinding[];
  /** Only where a format shows it: what the remedy changes, as a unified diff of the object's YAML. */
  readonly change?: string;
  /** Labels and annotations that could not be read, and what the remedy brings with it. */
  readonly notes: readonly AuditedNote[];
}

export interface NotInjected {
  readonly pods: number;
  readonly likelyCause: string;
}

export interface AuditedRemedy {
  readonly strategy: Strategy | null;
  readonly kind: RemedyKind | null;
  readonly reason: Reason;
  /** The reason's sentence. */
  readonly message: string;
  readonly containers: readonly ContainerDecision[];
}

export interface AuditedFinding {
  readonly rule: string;
  readonly severity: Severity;
  readonly container: string;
  readonly probe: ProbeKind;
  /** JSON Pointer of the probe's command, below the object. */
  readonly pointer: string;
  readonly message: string;
  /** What to write instead. */
  readonly fix: string;
  /** Zombies that the probe leaves behind in a day; null where that is not known, or PID 1 reaps. */
  readonly zombiesPerDay: number | null;
  /** Whether the baseline holds it already. */
  readonly accepted: boolean;
  /** Place of the command, counted from 1, in UTF-16 units; absent for objects of a cluster. */
  readonly line?: number;
  readonly column?: number;
  /** Only where a format shows it: the probe as it is, and as it could be, in YAML. */
  readonly before?: string;
  readonly after?: string;
}

export interface AuditedNote {
  readonly reason: Reason;
  readonly container: string | null;
  readonly message: string;
}

/** Something in the input that could not be read. */
export interface AuditProblem {
  /** The file as the user named it. */
  readonly file: string;
  /** Counted from 1; null where the file as a whole could not be read. */
  readonly line: number | null;
  readonly message: string;
}

/** Findings from which the exit code is 1. */
export type FailOn = 'error' | 'warning' | 'never';

/** Whether a finding counts against the object. */
export function fails({ severity, accepted }: AuditedFinding, failOn: FailOn): boolean {
  if (accepted || failOn === 'never') return false;
  return severity === 'error' || (severity === 'warning' && failOn === 'warning');
}

/** 0 where nothing counts, 1 where a finding does, 2 where something could not be read. */
export function exitCodeOf(report: AuditReport, failOn: FailOn): 0 | 1 | 2 {
  if (report.problems.length > 0) return 2;
  return report.objects.some(({ findings }) => findings.some((each) => fails(each, failOn))) ? 1 : 0;
}
