import { isExempt } from '../config/config.ts';
import { type Answers, judge, questions, type Verdict } from '../judge.ts';
import { type JsonObject, objectAt } from '../pod/json.ts';
import { ownerOf } from '../pod/owner.ts';
import { type Pod, readPod } from '../pod/pod.ts';
import { labelKeys } from '../policy/keys.ts';
import type { Policy } from '../policy/policy.ts';
import { type Reason, reasons } from '../reasons.ts';
import { bearsRemedy } from '../remedies/pod-reason.ts';
import type { Remedy, RemedyKind } from '../remedies/remedy.ts';
import { answersFor, type JudgingTools, type ListPods } from './judging.ts';
import type { Labels } from './namespace-labels.ts';
import type { Warning } from './warnings.ts';
import { startWorkTime, type WorkTime } from './work-time.ts';

/** As many as Pod Security Admission looks at, and for as long; the API server gives up after 3 s. */
const mostPods = 3000;
const longestMs = 1000;
/** Owners whose images are looked up; a preview is no reason to ask registries for more. */
const mostLookups = 50;

/** What a change of labels means for pods; those that have it in common are told of together. */
interface Effect {
  /** The worst first. */
  readonly rank: number;
  /** A reason code or the id of a rule. */
  readonly code: string;
  /** What is said of one pod, and of several. */
  readonly one: string;
  readonly many: string;
}

/** Which parts of the policy the change is about. */
interface Changes {
  readonly remedies: boolean;
  readonly refusals: boolean;
}

/**
 * Says what new labels mean for the pods of a namespace: what they lack and new ones get, what gets nothing although it
 * is asked for, and what `deny` refuses. Pods are judged as if they were created anew; those that were injected count as
 * having what they need. It never rejects and takes a second at most and what the last pod takes, and leaves the thread
 * to others meanwhile: where pods cannot be listed there is no preview, and the log says why.
 *
 * @param namespace Its name.
 * @param labels As they will be.
 * @param before As they were.
 * @param tools What judging takes; without `previewPods` there is no preview.
 * @param now Milliseconds since any fixed moment.
 * @returns The worst first, each about some pods; the last says who may learn which. None holds a name of a pod or an
 *   owner, since nobody has proved that whoever asks may list pods.
 */
export async function relabelPreview(
  namespace: string,
  labels: Labels,
  before: Labels,
  tools: JudgingTools,
  now?: () => number,
): Promise<readonly Warning[]> {
  const { previewPods, log } = tools;
  const policyFor = (pod: Pod) => tools.policyOf(pod, { namespace, namespaceLabels: labels });
  const { probes, config } = policyFor(readPod({}));
  const changes: Changes = {
    remedies: [labelKeys.inject, labelKeys.dryRun].some((key) => labels.get(key) !== before.get(key)),
    refusals: probes === 'deny',
  };
  if (!previewPods || isExempt(namespace, config) || !(changes.remedies || changes.refusals)) return [];
  try {
    return await previewPods((listPods) => {
      const time = startWorkTime(longestMs, now);
      return preview({ namespace, policyFor, changes, time, tools }, listPods);
    });
  } catch (error) {
    log.warn({ namespace, err: error }, 'there is no preview of what new labels mean');
    return [];
  }
}

/** One preview. */
interface Preview {
  readonly namespace: string;
  readonly policyFor: (pod: Pod) => Policy;
  readonly changes: Changes;
  readonly time: WorkTime;
  readonly tools: JudgingTools;
}

/** Pods of an owner that are alike, and cannot be judged without their images. */
interface Unknown {
  /** One of them; null beyond those whose images are looked up. */
  readonly pod: Pod | null;
  readonly owner: string;
  count: number;
}

async function preview(about: Preview, listPods: ListPods): Promise<readonly Warning[]> {
  const { namespace, policyFor, changes, time, tools } = about;
  const tally = createTally();
  const unknown = new Map<string, Unknown>();
  let seen = 0;
  const look = async (raw: JsonObject) => {
    await time.breathe();
    if (time.isUp()) throw new Error(`no more pods are judged after ${longestMs} ms`);
    seen += 1;
    if (objectAt(raw, 'metadata').deletionTimestamp) return;
    const pod = readPod(raw, { trustMirrorAnnotation: true });
    const policy = policyFor(pod);
    const owner = ownerOf(pod, nameOf(raw));
    const effects = effectsOn(pod, policy, new Map(), changes);
    const asked = questions(pod, policy);
    if (asked.length === 0) return tally.add(effects, owner, 1);
    const key = JSON.stringify([owner, asked, effects]);
    const alike = unknown.get(key);
    if (alike) alike.count += 1;
    else unknown.set(key, { pod: unknown.size < mostLookups ? pod : null, owner, count: 1 });
  };
  let isCut = false;
  try {
    isCut = (await listPods(namespace, look, { most: mostPods, signal: time.signal })).more;
  } catch (error) {
    isCut = true;
    tools.log.warn(
      { namespace, seen, err: error },
      'not all pods could be listed to preview what new labels mean',
    );
  }
  if (seen === 0) return [];

  await lookUp(about, [...unknown.values()], tally);
  const told = tally.warnings(isCut ? seen : null);
  return told.length > 0 ? [...told, whichOnes(namespace)] : [];
}

/** Looks images up, all at once, and adds up what that says of their pods, one answer after the other. */
async function lookUp(
  { namespace, policyFor, changes, time, tools }: Preview,
  unknown: readonly Unknown[],
  tally: Tally,
): Promise<void> {
  const timeIsUp = aborted(time.signal);
  let turn = Promise.resolve();
  const judged: Promise<void>[] = [];
  for (const { pod, owner, count } of unknown) {
    if (pod) await time.breathe();
    if (!pod || time.isUp()) {
      tally.add([notLookedUp], owner, count);
      continue;
    }
    const looked = Promise.race([answersFor(pod, policyFor(pod), namespace, tools), timeIsUp]);
    const add = async (answers: Answers | null) => {
      await time.breathe();
      const isKnown = answers !== null && !time.isUp();
      tally.add(isKnown ? effectsOn(pod, policyFor(pod), answers, changes) : [notLookedUp], owner, count);
    };
    judged.push(
      looked.then((answers) => {
        turn = turn.then(() => add(answers));
        return turn;
      }),
    );
  }
  await Promise.all(judged);
}

/** Names are for those whom the API server lets list pods: the command asks it as whoever runs it. */
function whichOnes(namespace: string): Warning {
  return { code: null, container: null, texts: [`which ones: gravekeeper audit --cluster -n ${namespace}`] };
}

function effectsOn(pod: Pod, policy: Policy, answers: Answers, changes: Changes): readonly Effect[] {
  const showsFindings = changes.refusals && policy.probes === 'deny';
  const findingsOn = !showsFindings ? 'nothing' : policy.dryRun ? 'pod-as-it-is' : 'pod-as-remedied';
  const verdict = judge(pod, policy, answers, findingsOn);
  const remedial = changes.remedies ? remedyEffect(pod, policy, verdict.remedy) : null;
  const effects = [...refusals(verdict, policy), ...(remedial ? [remedial] : [])];
  return effects.length > 0 ? effects : [fine(verdict.remedy.reason)];
}

function refusals({ findings }: Verdict, { dryRun }: Policy): readonly Effect[] {
  const rules = new Set(findings.filter(({ severity }) => severity === 'error').map(({ rule }) => rule));
  return [...rules].map((rule) =>
    dryRun
      ? {
          rank: 0,
          code: 'dry-run' satisfies Reason,
          one: `has a probe that deny would refuse (${rule})`,
          many: `have probes that deny would refuse (${rule})`,
        }
      : { rank: 0, code: rule, one: 'has a probe that deny refuses', many: 'have probes that deny refuses' },
  );
}

/** What new pods get and this one lacks, or do not get; null where nothing needs to be said. */
function remedyEffect(pod: Pod, { strategy, dryRun }: Policy, remedy: Remedy): Effect | null {
  if (strategy === null && bearsRemedy(pod)) {
    const rest = 'what was injected until replaced; new ones get nothing';
    return { rank: 3, code: remedy.reason, one: `keeps ${rest}`, many: `keep ${rest}` };
  }
  const kind = remedy.containers.map(({ action }) => action).find((action) => action !== 'none');
  if (kind) return dryRun ? wouldGet(kind, remedy.reason) : lacks(kind, remedy.reason);
  const aloud = [remedy.reason, ...remedy.containers.map(({ reason }) => reason)].find(
    (reason) => !reasons[reason].silent,
  );
  const nothing = 'would get nothing';
  return aloud === undefined ? null : { rank: 1, code: aloud, one: nothing, many: nothing };
}

const names: Readonly<Record<RemedyKind, string>> = { tini: 'tini', 'share-pid': 'a shared PID namespace' };

function lacks(kind: RemedyKind, code: Reason): Effect {
  const what = `${names[kind]}, which new ones get`;
  return { rank: 2, code, one: `lacks ${what}`, many: `lack ${what}` };
}

function wouldGet(kind: RemedyKind, reason: Reason): Effect {
  const what = `would get ${names[kind]} (${reason})`;
  return { rank: 2, code: 'dry-run' satisfies Reason, one: what, many: what };
}

const notLookedUp: Effect = {
  rank: 1,
  code: 'argv-unknown' satisfies Reason,
  one: 'starts an image that was not looked up in time',
  many: 'start images that were not looked up in time',
};

const fineRank = 4;

function fine(code: Reason): Effect {
  return { rank: fineRank, code, one: 'is fine as it is', many: 'are fine as they are' };
}

type Tally = ReturnType<typeof createTally>;

/** Adds pods up by what the labels mean for them. */
function createTally() {
  const groups = new Map<string, { readonly effect: Effect; count: number; readonly owners: Set<string> }>();
  return {
    add(effects: readonly Effect[], owner: string, count: number): void {
      for (const effect of effects) {
        const key = JSON.stringify(effect);
        const group = groups.get(key) ?? { effect, count: 0, owners: new Set<string>() };
        group.count += count;
        group.owners.add(owner);
        groups.set(key, group);
      }
    },
    /** @param ofFirst How many pods were seen, where those are not all: each number says so, and there always is one. */
    warnings(ofFirst: number | null): readonly Warning[] {
      const sorted = [...groups.values()].sort(
        (one, other) => one.effect.rank - other.effect.rank || other.count - one.count,
      );
      const told = sorted.filter(({ effect }) => effect.rank < fineRank);
      return (told.length > 0 || ofFirst === null ? told : sorted.slice(0, 1)).map(
        ({ effect, count, owners }) => {
          const who = ofFirst === null ? podsOf(count, owners.size) : `${count} of the first ${ofFirst} pods`;
          const text = `${who} ${count === 1 ? effect.one : effect.many}`;
          return { code: effect.code, container: null, texts: [text] };
        },
      );
    },
  };
}

function podsOf(count: number, owners: number): string {
  if (count === 1) return '1 pod';
  return `${count} pods of ${owners} ${owners === 1 ? 'owner' : 'owners'}`;
}

function nameOf(raw: JsonObject): string {
  const { name } = objectAt(raw, 'metadata');
  return typeof name === 'string' ? name : '';
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}
