import { problemText } from '../../../manifest/source.ts';
import { rules } from '../../../rules/index.ts';
import { escapeText } from '../../../terminal.ts';
import { version } from '../../../version.ts';
import type { AuditedFinding, AuditedObject, AuditReport } from '../../report.ts';
import { zombiesOf } from '../../run.ts';
import { counted, missingText, objectName, remedyText, summaryLine } from '../wording.ts';
import { markup } from '../xml.ts';
import { style } from './style.ts';

/** More of one rule, or more objects, nobody reads on a page; the JSON has them all. */
const mostFindings = 300;
const mostObjects = 2000;
const mostBars = 12;

/**
 * The report as one page for people: nothing is loaded from elsewhere, and no script runs.
 *
 * @param report The report, with excerpts.
 * @param now Milliseconds since 1970.
 */
export function auditHtml(report: AuditReport, now: number): string {
  const sections = [
    header(report, now),
    tiles(report),
    problems(report),
    leaks(report),
    changes(report),
    diffs(report),
    ...findings(report),
    objects(report),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Gravekeeper audit</title>
<style>${style}</style>
</head>
<body>
<main>
${sections.filter((section) => section !== '').join('\n')}
</main>
</body>
</html>
`;
}

function header(report: AuditReport, now: number): string {
  const time = `${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `<h1>Zombie audit</h1>
<p>${text(summaryLine(report))}</p>
<p class="faint">${time} · gravekeeper ${version}</p>`;
}

function tiles({ summary }: AuditReport): string {
  const { error, warning, info } = summary.findings;
  const changed = summary.remedies.tini + summary.remedies['share-pid'];
  const tile = (value: number, label: string, tone: string) =>
    `<div class="tile"><b class="${value > 0 ? tone : ''}">${number(value)}</b>${label}</div>`;
  return `<div class="tiles">
${[
  tile(summary.objects, summary.objects === 1 ? 'object' : 'objects', ''),
  tile(error, error === 1 ? 'error' : 'errors', 'error'),
  tile(warning, warning === 1 ? 'warning' : 'warnings', 'warning'),
  tile(info, info === 1 ? 'note' : 'notes', 'info'),
  tile(summary.zombiesPerDay, 'zombies a day, at most', 'error'),
  tile(changed, 'would be changed', 'good'),
].join('\n')}
</div>`;
}

function problems({ problems: all }: AuditReport): string {
  if (all.length === 0) return '';
  const items = all.map((problem) => `<li><code>${text(problemText(problem))}</code></li>`);
  return `<h2 class="error">What could not be read</h2>\n<ul>\n${items.join('\n')}\n</ul>`;
}

function leaks({ objects: all }: AuditReport): string {
  const leaking = all
    .map((object) => ({ object, perDay: zombiesOf(object) }))
    .filter(({ perDay }) => perDay > 0)
    .sort((one, other) => other.perDay - one.perDay);
  const most = leaking[0]?.perDay ?? 0;
  if (most === 0) return '';
  const bars = leaking
    .slice(0, mostBars)
    .map(
      ({ object, perDay }) =>
        `<div class="bar"><span>${text(objectName(object))}</span>` +
        `<i style="width: ${((100 * perDay) / most).toFixed(1)}%"></i><span class="number">${number(perDay)}</span></div>`,
    );
  const more = leaking.length > mostBars ? `<p class="faint">and ${leaking.length - mostBars} more</p>` : '';
  return `<h2>Zombies that probes leave behind in a day</h2>
<p class="faint">For one pod of each, where PID 1 does not reap, or is not known to. A node has 32,768 PIDs or more;
OpenShift allows a pod 4,096.</p>
<div class="card">
${bars.join('\n')}
${more}</div>`;
}

function changes({ objects: all }: AuditReport): string {
  if (all.length === 0) return '';
  const rows = [...Map.groupBy(all, ({ namespace }) => namespace)]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([namespace, its]) => {
      const count = (kind: string | null) => its.filter(({ remedy }) => remedy.kind === kind).length;
      const reasons = [...Map.groupBy(its, ({ remedy }) => remedy.reason)]
        .sort((one, other) => other[1].length - one[1].length)
        .map(([reason, those]) => `${reason}${those.length > 1 ? ` (${those.length})` : ''}`);
      const counts = (
        [
          ['tini', 'tini'],
          ['share-pid', 'share-pid'],
          ['nothing', null],
        ] as const
      ).map(([label, kind]) => `<td class="number" data-label="${label}">${number(count(kind))}</td>`);
      const why = reasons.map((reason) => `<span class="whole">${text(reason)}</span>`).join(', ');
      return `<tr><th>${path(namespace)}</th>${counts.join('')}<td data-label="why">${why}</td></tr>`;
    });
  return `<h2>What would change</h2>
<div class="scroll"><table>
<thead><tr><th>namespace</th><th class="number">tini</th><th class="number">share-pid</th><th class="number">nothing</th><th>why</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>`;
}

function diffs({ objects: all }: AuditReport): string {
  const changed = all.filter(({ change }) => change !== undefined);
  if (changed.length === 0) return '';
  const items = changed
    .slice(0, mostFindings)
    .map(
      (object) =>
        `<details class="finding"><summary>${text(objectName(object))} · ${text(remedyText(object))}</summary>` +
        `<pre>${diffLines(object.change ?? '')}</pre></details>`,
    );
  const more = changed.length - items.length;
  return `<div class="card changes">
${items.join('\n')}
${more > 0 ? `<p class="faint">and ${counted(more, 'object')} more</p>` : ''}</div>`;
}

function diffLines(diff: string): string {
  return diff
    .trimEnd()
    .split('\n')
    .map((line) => {
      const tone = line.startsWith('+')
        ? 'good'
        : line.startsWith('-')
          ? 'error'
          : line.startsWith('@@')
            ? 'faint'
            : null;
      return tone === null ? text(line) : `<span class="${tone}">${text(line)}</span>`;
    })
    .join('\n');
}

interface Placed {
  readonly object: AuditedObject;
  readonly finding: AuditedFinding;
}

function findings({ objects: all }: AuditReport): readonly string[] {
  const placed = all.flatMap((object) =>
    object.findings.filter(({ accepted }) => !accepted).map((finding): Placed => ({ object, finding })),
  );
  if (placed.length === 0) return ['<h2>Findings</h2>\n<p class="good">None.</p>'];
  const byRule = Map.groupBy(placed, ({ finding }) => finding.rule);
  const sections = rules.flatMap((rule) => {
    const own = byRule.get(rule.id);
    if (!own) return [];
    const more = own.length - mostFindings;
    return [
      `<section class="card">
<h3>${rule.id} <span class="faint">${number(own.length)}</span></h3>
<p>${text(rule.title)}</p>
<p class="faint">${text(rule.why)}</p>
${own.slice(0, mostFindings).map(findingText).join('\n')}
${more > 0 ? `<p class="faint">and ${number(more)} more: -o json has them all</p>` : ''}</section>`,
    ];
  });
  return ['<h2>Findings</h2>', ...sections];
}

function findingText({ object, finding }: Placed): string {
  const { severity, container, probe, message, fix, line, before, after } = finding;
  const place = object.file === undefined ? '' : ` · <code>${text(`${object.file}:${line ?? 1}`)}</code>`;
  const pair =
    before === undefined || after === undefined
      ? ''
      : `<details><summary>before and after</summary><div class="pair">
<div>before<pre>${lines(before)}</pre></div>
<div>after<pre>${lines(after)}</pre></div>
</div></details>`;
  return `<div class="finding">
<p><b class="${severity}">${severity === 'info' ? 'note' : severity}</b> ${text(objectName(object))} · ${text(`${probe} of ${container}`)}${place}</p>
<p>${text(message)}</p>
<p class="faint">Instead: ${text(fix)}</p>
${pair}</div>`;
}

function objects({ objects: all }: AuditReport): string {
  if (all.length === 0) return '';
  const rows = all.slice(0, mostObjects).map((object) => {
    const place =
      object.file === undefined ? '' : `<code>${path(`${object.file}:${object.line ?? 1}`)}</code>`;
    return `<tr><td>${path(objectName(object))}</td><td>${remedyMarkup(object)}</td><td>${text(object.remedy.message)}${object.notInjected ? ` <b class="warning">${text(missingText(object.notInjected))}</b>` : ''}</td><td>${place}</td></tr>`;
  });
  const more = all.length - rows.length;
  return `<h2>Every object</h2>
<div class="scroll"><table>
<thead><tr><th>object</th><th>remedy</th><th>why</th><th>place</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>
${more > 0 ? `<p class="faint">and ${counted(more, 'object')} more</p>` : ''}`;
}

/** The remedy, whose reason is not broken at its hyphens. */
function remedyMarkup(object: AuditedObject): string {
  return text(remedyText(object)).replace(/\([a-z0-9-]+\)$/, '<span class="whole">$&</span>');
}

/** A name or path that a line may be broken behind each slash of. */
function path(value: string): string {
  return text(value).replaceAll('/', '/<wbr>');
}

function number(value: number): string {
  return new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 }).format(value);
}

function text(value: string): string {
  return markup(escapeText(value));
}

function lines(value: string): string {
  return value.trimEnd().split('\n').map(text).join('\n');
}
