import type { Setting } from '../manifest/edit.ts';
import { isJsonObject, type JsonObject } from '../pod/json.ts';
import { pointer, tokensOf } from '../pod/pointer.ts';
import { type Reason, reasons } from '../reasons.ts';
import type { Finding } from '../rules/rule.ts';
import { type AuditContext, type JudgedObject, judgeObject } from './judged.ts';

/** A change that can be written into a manifest without knowing more than the manifest says. */
export interface Fix {
  readonly setting: Setting;
  /** What it answers: the id of a rule, or the code of a reason. */
  readonly because: string;
  /** What is written, for people. */
  readonly text: string;
}

/** What has no safe automatic fix, and why. */
export interface Unfixed {
  /** The id of a rule, or the code of a reason. */
  readonly about: string;
  readonly container: string | null;
  readonly why: string;
  /** Whether the webhook does it, so that nothing is left to do by hand. */
  readonly isByWebhook?: true;
}

export interface Fixes {
  readonly fixes: readonly Fix[];
  readonly unfixed: readonly Unfixed[];
}

/**
 * Says what can be written into the manifest of an object:
 * - `shareProcessNamespace: true`, where that is the remedy. tini is not written: it comes with the pod's creation.
 * - a longer `timeoutSeconds`, where that alone ends a finding and starts no other, and it is not longer than the
 *   probe's period. A period is never changed, since that decides how soon a failure is noticed.
 *
 * @param judged The object.
 * @param context What it was judged by.
 */
export function fixesFor(judged: JudgedObject, context: AuditContext): Fixes {
  const fixes: Fix[] = [];
  const unfixed: Unfixed[] = [];
  const remedy = remedyFix(judged);
  if (remedy !== null && 'setting' in remedy) fixes.push(remedy);
  else if (remedy !== null) unfixed.push(remedy);
  let now = judged;
  const seen = new Set<string>();
  for (const finding of judged.verdict.findings) {
    if (finding.severity === 'info') continue;
    const still = now.verdict.findings.some((each) => isSame(each, finding));
    if (!still) continue;
    const fix = timeoutFix(now, finding, context);
    if (fix === null) {
      const key = JSON.stringify([finding.rule, finding.container, finding.fix]);
      if (!seen.has(key)) unfixed.push(byHand(finding));
      seen.add(key);
      continue;
    }
    fixes.push({ setting: fix.setting, because: finding.rule, text: fix.text });
    now = fix.after;
  }
  return { fixes, unfixed };
}

function remedyFix({ pod, policy, verdict: { remedy } }: JudgedObject): Fix | Unfixed | null {
  if (remedy.reason === 'sidecar-arrived') {
    return { about: remedy.reason, container: null, why: reasons[remedy.reason].sentence };
  }
  if (remedy.kind === 'share-pid') {
    const setting = {
      pointer: pointer(pod.base, 'spec'),
      key: 'shareProcessNamespace',
      value: true,
      before: 'containers',
    };
    return { setting, because: remedy.reason, text: 'shareProcessNamespace: true' };
  }
  if (remedy.kind === 'tini') {
    const wrapped = remedy.containers.filter(({ action }) => action === 'tini').map(({ name }) => name);
    const when = policy.dryRun ? 'would put' : 'puts';
    const who = wrapped.length > 0 ? wrapped.join(', ') : 'the pod';
    return {
      about: 'tini',
      container: null,
      why: `the webhook ${when} tini into ${who} when the pod is created`,
      isByWebhook: true,
    };
  }
  const loud = remedy.containers.find(({ reason }) => !reasons[reason].silent);
  const reason: Reason = loud?.reason ?? remedy.reason;
  if (policy.strategy === null || reasons[reason].silent) return null;
  return { about: reason, container: loud?.name ?? null, why: reasons[reason].sentence };
}

function timeoutFix(
  judged: JudgedObject,
  finding: Finding,
  context: AuditContext,
): { setting: Setting; text: string; after: JudgedObject } | null {
  // The rule says in words what to write; whether that is enough is judged, not believed.
  const seconds = Number(/(?<![\w-])timeoutSeconds: (\d+)(?![\d.])/.exec(finding.fix)?.[1]);
  const probe = judged.pod.containers
    .flatMap(({ probes }) => probes)
    .find((each) => each.pointer === finding.pointer);
  if (!probe || !(seconds > probe.timeoutSeconds) || seconds > probe.periodSeconds) return null;
  const at = finding.pointer.replace(/\/exec\/command$/, '');
  const value = withMember(judged.value, tokensOf(at), 'timeoutSeconds', seconds);
  const after = judgeObject(value, context, judged.answers);
  if (!after) return null;
  const wasThere = (each: Finding) => judged.verdict.findings.some((old) => isSame(old, each));
  const isGone = !after.verdict.findings.some((each) => isSame(each, finding));
  if (!isGone || !after.verdict.findings.every(wasThere)) return null;
  return {
    setting: { pointer: at, key: 'timeoutSeconds', value: seconds },
    text: `${probe.kind}Probe of ${finding.container}: timeoutSeconds: ${seconds}`,
    after,
  };
}

function byHand({ rule, container, fix }: Finding): Unfixed {
  return { about: rule, container, why: `yours to decide: ${fix}` };
}

function isSame(one: Finding, other: Finding): boolean {
  return one.rule === other.rule && one.pointer === other.pointer;
}

/** A copy of a value with one member set; what lies beside the way is shared, not copied. */
function withMember(value: JsonObject, way: readonly string[], key: string, to: number): JsonObject {
  const [next, ...rest] = way;
  if (next === undefined) return { ...value, [key]: to };
  return { ...value, [next]: below(value[next], rest, key, to) };
}

function below(value: unknown, way: readonly string[], key: string, to: number): unknown {
  if (Array.isArray(value)) {
    const [index = '', ...rest] = way;
    return value.map((item, at) => (String(at) === index ? below(item, rest, key, to) : item));
  }
  return isJsonObject(value) ? withMember(value, way, key, to) : value;
}
