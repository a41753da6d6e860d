import { type Reason, reasonCodes, reasons } from '../../src/reasons.ts';
import type { Case, ExpectedVerdict } from './fixtures.ts';
import { block, markdownTable } from './markdown.ts';

const beginning = `# Reasons

Every decision of Gravekeeper carries a reason: in warnings (\`gravekeeper <code>: …\`), in audit annotations, in
the log, in the metric \`gravekeeper_remedies_total\`, and in the annotation \`gravekeeper.dev/status\` of an injected
pod. The codes are an API: they are never renamed. \`gravekeeper explain <code>\` prints an entry of this page.

The cases are manifests of the tests, with what must come of them.
`;

/**
 * The page of all reasons.
 *
 * @param casesOf The manifests of the tests that show a reason.
 */
export function reasonsPage(casesOf: (reason: Reason) => readonly Case<ExpectedVerdict>[]): string {
  return [beginning, ...reasonCodes.map((code) => section(code, casesOf(code)))].join('\n');
}

function section(code: Reason, cases: readonly Case<ExpectedVerdict>[]): string {
  const { sentence, advice, example } = reasons[code];
  return [
    `## ${code}\n`,
    `${sentence}\n`,
    `**What to do:** ${advice}\n`,
    block('yaml', example),
    markdownTable(
      ['case', 'what it shows', 'what comes of it'],
      cases.map(({ name, path, about, expected }) => [`[${name}](../${path})`, about, outcome(expected)]),
    ),
  ].join('\n');
}

/** The verdict in words: what is done to the pod, then to each container where that says more, then what is told. */
function outcome({ policy, remedy }: ExpectedVerdict): string {
  const { kind, reason, containers, notes } = remedy;
  const same = containers.every((one) => one.reason === reason && one.action === containers[0]?.action);
  const told = [...new Set([...notes.map((note) => note.reason), ...(policy.dryRun ? ['dry-run'] : [])])];
  return [
    `${done(kind)}: ${shown(reason)}`,
    ...(same ? [] : containers.map((one) => `\`${one.name}\` ${done(one.action)}: ${shown(one.reason)}`)),
    ...(told.length > 0 ? [`told: ${told.map(shown).join(', ')}`] : []),
  ].join('; ');
}

function done(kind: string | null): string {
  return kind === null || kind === 'none' ? 'left alone' : kind;
}

function shown(reason: string): string {
  return `\`${reason}\``;
}
