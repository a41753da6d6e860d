import { ruleIds } from '../../src/rules/index.ts';
import type { Measurement, Rule } from '../../src/rules/rule.ts';
import { lowered, type SeverityClass, severityClasses } from '../../src/rules/severity.ts';
import type { Case, ExpectedFindings, RuleCases } from './fixtures.ts';
import { block, markdownTable } from './markdown.ts';

/** The page of a rule: what stands in its file, and its fixtures. */
export function pageOfRule(rule: Rule, { found, passed }: RuleCases): string {
  const { id, title, why, measured, notes, fires, neighbours, instead, example, defaults, sources } = rule;
  const thresholds = Object.entries(defaults);
  const [whereFirst = '', ...whereElse] = fires;
  return [
    `# ${id}\n`,
    paragraph(title, id),
    '## Why it matters\n',
    paragraph(why, id),
    ...(measured ? measurement(measured) : []),
    ...notes.map((note) => paragraph(note, id)),
    '## When it fires\n',
    paragraph(whereFirst, id),
    ...(thresholds.length > 0
      ? [
          markdownTable(
            ['setting', 'default'],
            thresholds.map(([name, value]) => [`\`${name}\``, String(value)]),
          ),
        ]
      : []),
    ...whereElse.map((each) => paragraph(each, id)),
    'Liveness, readiness and startup probes of containers and of native sidecars are checked.\n',
    severityTable(rule.severityClass),
    'PID 1 is the one that the pod will have, after any remedy. In a pod with `hostPID` or a shared PID namespace it ' +
      'reaps.\n',
    ...(neighbours ? [paragraph(neighbours, id)] : []),
    '## What to write instead\n',
    paragraph(instead, id),
    'Before:\n',
    block('yaml', example.before),
    'After:\n',
    block('yaml', example.after),
    '## How to silence it\n',
    'For one workload, an annotation on the pod (in a workload: on the pod template), with your grounds:\n',
    block('yaml', `metadata:\n  annotations:\n    gravekeeper.dev/ignore: ${id}=we have looked at it\n`),
    'For the whole cluster, in the configuration file:\n',
    block('yaml', `rules:\n  ${id}:\n    severity: off\n`),
    `\`severity: info\` or \`severity: warning\` instead of \`off\` is the most that the rule then reports.${
      thresholds.length > 0 ? ' The thresholds can be set there too:' : ''
    }\n`,
    ...(thresholds.length > 0
      ? [
          block(
            'yaml',
            `rules:\n  ${id}:\n${thresholds.map(([name, value]) => `    ${name}: ${value}\n`).join('')}`,
          ),
        ]
      : []),
    '## Cases\n',
    'Manifests of the tests, with what must be found in them.\n',
    ...found.flatMap((each) => [
      heading(each),
      block('yaml', excerptOf(each.manifest)),
      findingsBlock(each, id),
    ]),
    'Nothing is found in these:\n',
    ...passed.flatMap((each) => [
      heading(each),
      block('yaml', excerptOf(each.manifest)),
      ...otherRules(each),
    ]),
    '## Sources\n',
    `${sources.map((source) => `- <${source}>\n`).join('')}`,
  ].join('\n');
}

/** A paragraph in which the ids of other rules are links to their pages. */
function paragraph(text: string, own: string): string {
  const linked = text.replace(/`([a-z-]+)`/g, (code, word: string) =>
    word !== own && ruleIds.includes(word) ? `[${word}](${word}.md)` : code,
  );
  return `${linked}\n`;
}

function measurement({ per, rows }: Measurement): readonly string[] {
  return [
    'Measured with a PID 1 that never waits, the command entering its namespaces as an exec probe does (Debian 12):\n',
    markdownTable(
      ['command', `zombies per ${per}`],
      rows.map(({ command, zombies }) => [command, zombies]),
    ),
  ];
}

function severityTable(severityClass: SeverityClass): string {
  const { leaks, reaps } = severityClasses[severityClass];
  return markdownTable(
    ['PID 1', 'liveness, readiness', 'startup'],
    [
      ['leaks, or is unknown, or must stay PID 1', leaks, lowered(leaks)],
      ['reaps', reaps, lowered(reaps)],
    ],
  );
}

function heading({ name, path, about }: Case<ExpectedFindings>): string {
  return `[${name}](../../${path}): ${about}\n`;
}

/** The manifest without what each of them has: of a Pod that has nothing but a name and a spec, the spec. */
function excerptOf(manifest: string): string {
  const [, spec] =
    /^apiVersion: v1\nkind: Pod\nmetadata:\n {2}name: \S+\nspec:\n([\s\S]*)$/.exec(manifest) ?? [];
  return spec?.replace(/^ {2}/gm, '') ?? manifest;
}

function findingsBlock({ expected }: Case<ExpectedFindings>, id: string): string {
  const lines = expected.map(({ rule, severity, container, probe, message, fix }) => {
    const by = rule === id ? '' : `${rule}: `;
    return `${severity.padEnd(7)}  ${probe} of ${container}: ${by}${message}\n         → ${fix}\n`;
  });
  return block('text', lines.join(''));
}

function otherRules(each: Case<ExpectedFindings>): readonly string[] {
  const others = [...new Set(each.expected.map(({ rule }) => `[${rule}](${rule}.md)`))];
  return others.length > 0
    ? [`Here ${others.join(' and ')} ${others.length > 1 ? 'speak' : 'speaks'}.\n`]
    : [];
}
