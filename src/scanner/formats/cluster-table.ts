import { type Cell, escapeText, type Terminal, table } from '../../terminal.ts';
import type { ClusterReport, NodeSummary, WorkloadZombies } from '../cluster.ts';
import { counted, duration, rate, share } from './wording.ts';

const none = '-';
const mostNames = 3;

/** What the scanners of all nodes found, for people: whose the zombies are, the worst first, and how the nodes are. */
export function clusterTable(report: ClusterReport, terminal: Terminal): string {
  const { nodes, unanswered } = report;
  const answered = nodes.length - unanswered.length;
  const heading = `${counted(report.zombies, 'zombie')} on ${answered} of ${counted(nodes.length, 'node')}`;
  return [
    `${terminal.paint('bold', heading)}\n`,
    workloadSection(report.workloads, terminal),
    nodeSection(nodes, terminal),
  ].join('\n');
}

function workloadSection(workloads: readonly WorkloadZombies[], terminal: Terminal): string {
  if (workloads.length === 0) return 'No zombies.\n';
  const header = ['COUNT', 'KINDS', 'NEW/H', 'NAMESPACE', 'OWNER', 'PODS', 'FIX'];
  return table([titles(header), ...workloads.map(workloadRow)], terminal);
}

function workloadRow(workload: WorkloadZombies): Cell[] {
  const { count, kinds, newPerHour, namespace, owner, pods, nodes, advice } = workload;
  const kindNames = Object.entries(kinds).flatMap(([kind, number]) =>
    number > 0 ? [`${number} ${kind}`] : [],
  );
  return [
    { text: String(count), style: ['bold', 'red'] },
    kindNames.join(', '),
    newPerHour === null ? none : rate(newPerHour),
    namespace === null ? none : escapeText(namespace),
    owner === null ? some(pods.length === 0 ? nodes : pods) : escapeText(owner),
    String(pods.length),
    escapeText(advice),
  ];
}

function nodeSection(nodes: readonly NodeSummary[], terminal: Terminal): string {
  const header = ['NODE', 'ZOMBIES', 'PIDS', 'EXHAUSTED', 'NOTE'];
  return table([titles(header), ...nodes.map(nodeRow)], terminal);
}

function nodeRow({ node, zombies, pids, problem }: NodeSummary): Cell[] {
  const { used, limit, limitedBy, secondsToExhaustion, unreadable } = pids ?? noPids;
  const use =
    used === null ? none : limit === null ? String(used) : `${used} of ${limit} (${share(used, limit)})`;
  const note =
    problem ?? (unreadable > 0 ? `${unreadable} processes and threads could not be looked at` : '');
  return [
    escapeText(node),
    zombies === null ? none : String(zombies),
    use,
    secondsToExhaustion === null ? none : `in ${duration(secondsToExhaustion)} (${limitedBy ?? 'unknown'})`,
    problem === null ? escapeText(note) : { text: escapeText(note), style: 'yellow' },
  ];
}

const noPids = { used: null, limit: null, limitedBy: null, secondsToExhaustion: null, unreadable: 0 };

function titles(names: readonly string[]): Cell[] {
  return names.map((text) => ({ text, style: 'dim' }));
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, mostNames).map(escapeText).join(', ');
  return names.length > mostNames ? `${shown}, …` : shown;
}
