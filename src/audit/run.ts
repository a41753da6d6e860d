import { isExempt } from '../config/config.ts';
import type { Answers } from '../judge.ts';
import type { SourceDocument } from '../manifest/source.ts';
import { reasons } from '../reasons.ts';
import { leakForecast } from '../rules/leak-forecast.ts';
import type { Finding } from '../rules/rule.ts';
import { changeOf, excerptsOf } from './excerpts.ts';
import { findingIdentity } from './identity.ts';
import { type AuditContext, type JudgedObject, judgeObject } from './judged.ts';
import { type AuditedWithOwners, ownersOf, withoutOwned } from './owners.ts';
import type {
  AuditedFinding,
  AuditedNote,
  AuditedObject,
  AuditProblem,
  AuditReport,
  AuditSummary,
} from './report.ts';

/** How an audit is done. */
export interface AuditOptions {
  readonly context: AuditContext;
  /** Identities of findings that are known already. */
  readonly baseline?: ReadonlySet<string>;
  /** Whether findings carry the probe before and after, in YAML. */
  readonly excerpts?: boolean;
}

/** An object with where it was found: in a file, as the user named it, or in a cluster. */
export type Found = Pick<SourceDocument, 'value'> &
  Partial<Pick<SourceDocument, 'start' | 'positionOf'>> & { readonly file?: string };

/** Takes objects one at a time and keeps of each no more than the report says. */
export class Audit {
  readonly #options: AuditOptions;
  readonly #objects: AuditedWithOwners[] = [];
  readonly #problems: AuditProblem[] = [];

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  /**
   * Takes what was read.
   *
   * @param read An object, or why one could not be read. Objects that hold no pods are left out.
   * @param answers What was found out of its images; left out, nothing.
   */
  add(read: Found | AuditProblem, answers?: Answers): void {
    if ('message' in read) {
      this.#problems.push({ file: read.file, line: read.line, message: read.message });
      return;
    }
    const judged = judgeObject(read.value, this.#options.context, answers);
    if (!judged) return;
    const notInjected = whyNotInjected(judged, this.#options.context);
    const object = auditedObject(judged, read, this.#options);
    this.#objects.push(detached({ object, owners: ownersOf(read.value), notInjected }));
  }

  /**
   * What was found; pods and workloads whose owner is in the input too are left out, since it speaks for them, and of
   * the pods of another owner that are alike there is one.
   */
  report(): AuditReport {
    const objects = withoutOwned(this.#objects);
    return { schemaVersion: 1, summary: summaryOf(objects), objects, problems: this.#problems };
  }
}

/** A copy that holds on to nothing: names are slices of the file's text, and would keep all of it in memory. */
function detached(object: AuditedWithOwners): AuditedWithOwners {
  return JSON.parse(JSON.stringify(object));
}

/** Why a running pod lacks what it should have got; null where it lacks nothing. */
function whyNotInjected(judged: JudgedObject, { podsRun, whyNotInjected: why }: AuditContext): string | null {
  const isPod = judged.pod.base === '';
  if (!podsRun || !isPod || judged.policy.dryRun || judged.verdict.patch.length === 0) return null;
  return why?.(judged) ?? null;
}

function auditedObject(judged: JudgedObject, found: Found, options: AuditOptions): AuditedObject {
  const { value, namespace, name, policy, verdict } = judged;
  const { strategy, kind, reason, containers } = verdict.remedy;
  const identity = { apiVersion: String(value.apiVersion), kind: String(value.kind), namespace, name };
  return {
    ...identity,
    ...(found.file === undefined ? {} : { file: found.file }),
    ...(found.start === undefined ? {} : { line: found.start.line }),
    ...(isExempt(namespace, options.context.config) ? { exempt: true } : {}),
    policy: { strategy: policy.strategy, probes: policy.probes, dryRun: policy.dryRun },
    remedy: { strategy, kind, reason, message: reasons[reason].sentence, containers },
    findings: verdict.findings.map((finding) => ({
      ...auditedFinding(finding, judged, found),
      accepted: options.baseline?.has(findingIdentity(identity, finding)) ?? false,
      ...(options.excerpts ? excerptsOf(finding, judged, options.context) : {}),
    })),
    ...(options.excerpts ? changeOf(judged) : {}),
    notes: [...policy.notes, ...verdict.remedy.notes].map(
      ({ reason, container, detail }): AuditedNote => ({
        reason,
        container,
        message: detail === null ? reasons[reason].sentence : `${detail}. ${reasons[reason].sentence}`,
      }),
    ),
  };
}

function auditedFinding(
  finding: Finding,
  judged: JudgedObject,
  { positionOf }: Found,
): Omit<AuditedFinding, 'accepted'> {
  const { rule, severity, container, probe, pointer, message, fix } = finding;
  const place = positionOf?.(pointer);
  return {
    rule,
    severity,
    container,
    probe,
    pointer,
    message,
    fix,
    zombiesPerDay: zombiesPerDay(finding, judged),
    ...(place ? { line: place.line, column: place.column } : {}),
  };
}

function zombiesPerDay(
  { zombiesPerRun, pointer, container, probe }: Finding,
  judged: JudgedObject,
): number | null {
  const pid1 = judged.verdict.pid1.find((each) => each.container === container)?.pid1;
  // A startup probe ends with its first success.
  if (zombiesPerRun === null || pid1 === 'reaps' || probe === 'startup') return null;
  const its = judged.pod.containers.flatMap(({ probes }) => probes).find((each) => each.pointer === pointer);
  return its ? leakForecast({ periodSeconds: its.periodSeconds, zombiesPerRun }).perDay : null;
}

function summaryOf(objects: readonly AuditedObject[]): AuditSummary {
  const findings = { error: 0, warning: 0, info: 0 };
  const remedies = { tini: 0, 'share-pid': 0, none: 0 };
  let accepted = 0;
  let perDay = 0;
  for (const object of objects) {
    remedies[object.remedy.kind ?? 'none'] += 1;
    for (const finding of object.findings) {
      if (finding.accepted) accepted += 1;
      else findings[finding.severity] += 1;
    }
    perDay += zombiesOf(object);
  }
  return { objects: objects.length, findings, accepted, remedies, zombiesPerDay: Math.round(perDay) };
}

/** Two rules may speak of the same zombies of one probe: the larger number counts. */
export function zombiesOf({ findings }: AuditedObject): number {
  const byProbe = new Map<string, number>();
  for (const { pointer, zombiesPerDay: perDay } of findings) {
    byProbe.set(pointer, Math.max(byProbe.get(pointer) ?? 0, perDay ?? 0));
  }
  return [...byProbe.values()].reduce((sum, perDay) => sum + perDay, 0);
}
