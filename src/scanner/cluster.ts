import * as z from 'zod';
import { type FixableBy, limitScopes, type ZombieKind, zombieKinds } from './report.ts';

/** What came back for one node. */
export interface NodeAnswer {
  readonly node: string;
  /** What its scanner sent, unchecked; null where it sent nothing. */
  readonly report: unknown;
  /** Why there is no report, null where there is one. */
  readonly problem: string | null;
}

/** Zombies of one workload, or, without a namespace, of one node outside of pods. */
export interface WorkloadZombies {
  readonly namespace: string | null;
  /** `Deployment/shop`; null where the names of pods are not known. */
  readonly owner: string | null;
  readonly count: number;
  readonly kinds: Readonly<Record<ZombieKind, number>>;
  /** Of all its groups whose growth is known; null where none is. */
  readonly newPerHour: number | null;
  readonly oldestSeconds: number | null;
  readonly pods: readonly string[];
  readonly nodes: readonly string[];
  /** Of its largest group. */
  readonly fixableBy: FixableBy;
  readonly advice: string;
}

/** One node of a cluster. */
export interface NodeSummary {
  readonly node: string;
  /** Null where it did not answer. */
  readonly zombies: number | null;
  readonly pids: z.infer<typeof pidsSchema> | null;
  /** Seconds since its scanner looked. */
  readonly ageSeconds: number | null;
  /** Why its answer is missing or not to be relied on. */
  readonly problem: string | null;
}

/** The JSON of `scan --cluster -o json`. */
export interface ClusterReport {
  readonly schemaVersion: 1;
  readonly time: string;
  readonly zombies: number;
  /** The most zombies first. */
  readonly workloads: readonly WorkloadZombies[];
  /** The one whose PIDs are exhausted first at the top, then by zombies. */
  readonly nodes: readonly NodeSummary[];
  /** Nodes without an answer that can be used. */
  readonly unanswered: readonly { readonly node: string; readonly problem: string }[];
}

const pidsSchema = z.object({
  used: z.number().nullable(),
  limit: z.number().nullable(),
  limitedBy: z.enum(limitScopes).nullable(),
  secondsToExhaustion: z.number().nullable(),
  unreadable: z.number(),
});

const groupSchema = z.object({
  count: z.number().nonnegative(),
  kind: z.enum(zombieKinds),
  oldestSeconds: z.number().nullable(),
  newPerHour: z.number().nullable(),
  pod: z.string().nullable(),
  podUid: z.string().nullable(),
  namespace: z.string().nullable(),
  owner: z.string().nullable(),
  fixableBy: z.enum(['init', 'app', 'runtime']),
  advice: z.string(),
});

/** Of the report of a node what is merged; a scanner of a later version may send more. */
const reportSchema = z.object({
  schemaVersion: z.literal(1),
  time: z.iso.datetime(),
  pids: pidsSchema,
  zombies: z.number().nonnegative(),
  groups: z.array(groupSchema),
});

type NodeReport = z.infer<typeof reportSchema>;
type NodeGroup = z.infer<typeof groupSchema> & { readonly node: string };

/** A scanner looks every few seconds; what is older than this is from one that got stuck. */
const staleSeconds = 300;

/**
 * Puts the reports of all nodes together: by namespace and owner, worst first.
 *
 * @param answers What came back for each node.
 * @param now Milliseconds since 1970.
 */
export function mergeNodes(answers: readonly NodeAnswer[], now: number): ClusterReport {
  const read = answers.map((answer) => ({ ...answer, ...readAnswer(answer) }));
  const nodes = read.map(({ node, report, problem }) => summaryOf(node, report, problem, now));
  const groups = read.flatMap(({ node, report }) =>
    (report?.groups ?? []).map((group) => ({ ...group, node })),
  );
  return {
    schemaVersion: 1,
    time: new Date(now).toISOString(),
    zombies: nodes.reduce((sum, { zombies }) => sum + (zombies ?? 0), 0),
    workloads: [...Map.groupBy(groups, workloadKey).values()]
      .map(workloadOf)
      .sort((a, b) => b.count - a.count || (b.newPerHour ?? 0) - (a.newPerHour ?? 0)),
    nodes: nodes.sort((a, b) => soonest(a) - soonest(b) || (b.zombies ?? 0) - (a.zombies ?? 0)),
    unanswered: read.flatMap(({ node, report, problem }) =>
      report === null ? [{ node, problem: problem ?? 'it sent no report' }] : [],
    ),
  };
}

function readAnswer({ report, problem }: NodeAnswer): { report: NodeReport | null; problem: string | null } {
  if (problem !== null) return { report: null, problem };
  const read = reportSchema.safeParse(report);
  if (read.success) return { report: read.data, problem: null };
  const [issue] = read.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  return { report: null, problem: `what it sent is no report of a scanner${where}: ${issue?.message ?? ''}` };
}

function summaryOf(
  node: string,
  report: NodeReport | null,
  problem: string | null,
  now: number,
): NodeSummary {
  if (report === null) return { node, zombies: null, pids: null, ageSeconds: null, problem };
  const ageSeconds = Math.max(0, Math.round((now - Date.parse(report.time)) / 1000));
  const stale = ageSeconds > staleSeconds ? `its scanner last looked ${ageSeconds} s ago` : null;
  return { node, zombies: report.zombies, pids: report.pids, ageSeconds, problem: stale };
}

function soonest({ pids }: NodeSummary): number {
  return pids?.secondsToExhaustion ?? Number.MAX_VALUE;
}

/** Zombies whose pod has no name stay apart by pod, and those of no pod by node. */
function workloadKey({ namespace, owner, podUid, node }: NodeGroup): string {
  if (namespace !== null && owner !== null) return `workload ${namespace} ${owner}`;
  return podUid === null ? `node ${node}` : `pod ${podUid}`;
}

function workloadOf(groups: readonly NodeGroup[]): WorkloadZombies {
  const largest = groups.reduce((most, group) => (group.count > most.count ? group : most));
  const kinds = Object.fromEntries(
    zombieKinds.map((kind) => [
      kind,
      total(groups.filter((group) => group.kind === kind).map(({ count }) => count)),
    ]),
  ) as Record<ZombieKind, number>;
  return {
    namespace: largest.namespace,
    owner: largest.owner,
    count: total(groups.map(({ count }) => count)),
    kinds,
    newPerHour: knownTotal(groups.map(({ newPerHour }) => newPerHour)),
    oldestSeconds: groups.reduce<number | null>(
      (oldest, { oldestSeconds }) => (oldestSeconds === null ? oldest : Math.max(oldest ?? 0, oldestSeconds)),
      null,
    ),
    pods: unique(groups.map(({ pod, podUid }) => pod ?? podUid)),
    nodes: unique(groups.map(({ node }) => node)),
    fixableBy: largest.fixableBy,
    advice: largest.advice,
  };
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function knownTotal(numbers: readonly (number | null)[]): number | null {
  const known = numbers.filter((number) => number !== null);
  return known.length === 0 ? null : total(known);
}

function unique(names: readonly (string | null)[]): string[] {
  return [...new Set(names.filter((name) => name !== null))].sort();
}
