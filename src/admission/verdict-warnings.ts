import type { ProbeKind } from '../pod/pod.ts';
import type { Note } from '../policy/note.ts';
import { type Reason, reasons } from '../reasons.ts';
import type { ContainerDecision, Remedy, RemedyKind } from '../remedies/remedy.ts';
import type { Finding } from '../rules/rule.ts';
import type { Warning } from './warnings.ts';

/**
 * What the author should hear of a remedy: that it was only a dry run, and what was skipped although it was asked
 * for. What asks nothing of the author is not said.
 *
 * @param remedy What was decided for the pod.
 * @param dryRun Whether the policy lets nothing be changed.
 */
export function remedyWarnings(remedy: Remedy, dryRun: boolean): readonly Warning[] {
  return [...(dryRun ? wouldChange(remedy) : []), ...skipped(remedy)];
}

/** The warnings for notes on labels, annotations and side effects. */
export function noteWarnings(notes: readonly Note[]): readonly Warning[] {
  return notes.map(({ reason, container, detail }) => {
    return {
      code: reason,
      container,
      texts: detail === null ? textsOf(reason) : [`${detail}. ${reasons[reason].sentence}`, detail],
    };
  });
}

/**
 * The warnings for findings of severity warning and error; the same finding on several probes of a container is one.
 *
 * @param findings What the rules found, in the order of the pod.
 */
export function findingWarnings(findings: readonly Finding[]): readonly Warning[] {
  const probes = new Map<string, { finding: Finding; kinds: ProbeKind[] }>();
  for (const finding of findings) {
    if (finding.severity === 'info') continue;
    const key = JSON.stringify([finding.rule, finding.container, finding.message, finding.fix]);
    const known = probes.get(key);
    if (known) known.kinds.push(finding.probe);
    else probes.set(key, { finding, kinds: [finding.probe] });
  }
  return [...probes.values()].map(({ finding: { rule, container, message, fix }, kinds }) => {
    const probe = [...new Set(kinds)].join(', ');
    return {
      code: rule,
      container,
      texts: [`${probe}: ${message}; ${fix}`, `${message}; ${fix}`, `${probe}: ${message}`, message],
    };
  });
}

/**
 * The warnings that say which findings would have been refused but for the dry run.
 *
 * @param findings The findings that `deny` would have refused.
 */
export function wouldRefuse(findings: readonly Finding[]): readonly Warning[] {
  return findings.map(({ rule, container }) => ({
    code: 'dry-run' satisfies Reason,
    container,
    texts: [`would be refused for ${rule}`],
  }));
}

const whatWouldBeDone: Readonly<Record<RemedyKind, string>> = {
  tini: 'would put tini in front of the command',
  'share-pid': 'would set shareProcessNamespace: true',
};

function wouldChange({ kind, reason, containers }: Remedy): readonly Warning[] {
  const say = (container: string | null, text: string): Warning => ({
    code: 'dry-run',
    container,
    texts: [text],
  });
  const unshared = reason === 'sidecar-arrived' ? [say(null, 'would take shareProcessNamespace back')] : [];
  const wrapped = containers.filter(({ action }) => action === 'tini');
  const done =
    kind === 'tini'
      ? wrapped.length > 0
        ? wrapped.map(({ name }) => say(name, whatWouldBeDone.tini))
        : [say(null, 'would put the injected tini in order again')]
      : kind === 'share-pid'
        ? [say(null, whatWouldBeDone['share-pid'])]
        : [];
  return [...unshared, ...done];
}

function skipped({ kind, reason, containers, notes }: Remedy): readonly Warning[] {
  const inNotes = new Set(notes.map((note) => subject(note.reason, note.container)));
  const ofContainers = containers
    .filter(isSkippedAloud)
    .filter(
      (each) => !inNotes.has(subject(each.reason, each.name)) && !inNotes.has(subject(each.reason, null)),
    );
  const lines: Warning[] = ofContainers.map((each) => ({
    code: each.reason,
    container: each.name,
    texts: textsOf(each.reason),
  }));
  const ofPod =
    !reasons[reason].silent &&
    (kind === null || reason === 'sidecar-arrived') &&
    !inNotes.has(subject(reason, null)) &&
    !containers.some((each) => each.reason === reason);
  if (ofPod) lines.unshift({ code: reason, container: null, texts: textsOf(reason) });
  return lines;
}

/** What a reason says, as a sentence and, where it has one, in short. */
function textsOf(reason: Reason): Warning['texts'] {
  const { sentence, short } = reasons[reason];
  return short === undefined ? [sentence] : [sentence, short];
}

function isSkippedAloud({ action, reason }: ContainerDecision): boolean {
  return action === 'none' && !reasons[reason].silent;
}

function subject(reason: Reason, container: string | null): string {
  return JSON.stringify([reason, container]);
}
