import type { Unavailable } from '../../emulate/unavailable.ts';
import { type Cell, escapeText, type Style, type Terminal, table, wrap } from '../../terminal.ts';
import type { Measured } from './experiment.ts';
import type { Story } from './story.ts';

/** Writes the story for people: a screen or two, with or without colour. */
export function renderStory(story: Story, terminal: Terminal): string {
  const parts = [
    part('1. What the webhook decides', decisions(story, terminal), terminal),
    part(
      `2. One change: ${story.change.workload} under ${story.change.inject}`,
      change(story, terminal),
      terminal,
    ),
    part('3. What kubectl shows the author', warnings(story, terminal), terminal),
    part('4. Real zombies on this machine', experiment(story.experiment, terminal), terminal),
    part('What Gravekeeper never does', bullets(never, terminal), terminal),
    part('What this demo did not show', bullets(notShown, terminal), terminal),
    part('Next', next.map((line) => `  ${line}\n`).join(''), terminal),
  ];
  return parts.join('\n');
}

const never = [
  'change, refuse or kill anything that runs: it acts when a pod is created, and only where a label asks',
  'block a pod when it is down, slow or unsure: it then does nothing and says why',
  'send SIGKILL, or reap what only the parent process can wait for',
];

const notShown = [
  'a cluster: the reviews came from this program, not from an API server',
  'images whose entrypoint nobody wrote down; without a command they are left alone (argv-unknown)',
];

const next = [
  'npm run -s gravekeeper -- explain shell-not-exec',
  'npm run -s gravekeeper -- emulate --orphans 10 --unreaped 10 --seconds 60',
  'npm run -s gravekeeper -- scan --once   # beside it, in another terminal',
  'docs/installation.md   # build the images, choose a certificate, kubectl apply -k',
  'kubectl label namespace NAME gravekeeper.dev/inject=auto gravekeeper.dev/dry-run=true',
];

function part(title: string, body: string, { paint }: Terminal): string {
  return `${paint('bold', title)}\n${body}`;
}

const decisionStyles: Readonly<Record<string, Style>> = {
  tini: 'green',
  'share-pid': 'green',
  none: 'yellow',
};

function decisions({ decisions: all, webhook }: Story, terminal: Terminal): string {
  const intro = `A real webhook at ${webhook.url} answered ${webhook.reviews} AdmissionReviews over TLS.\n`;
  const header: Cell[] = ['WORKLOAD', 'LABEL', 'DECISION', 'REASON', 'WHY'].map((text) => ({
    text,
    style: 'dim',
  }));
  const rows = all.map(({ workload, inject, decision, reason, why }): Cell[] => [
    escapeText(workload),
    inject,
    { text: decision, style: decisionStyles[decision] ?? 'bold' },
    reason,
    why,
  ]);
  return intro + table([header, ...rows], terminal);
}

function change({ change: { diff } }: Story, { paint }: Terminal): string {
  const styles: Readonly<Record<string, Style>> = { '+': 'green', '-': 'red', '@': 'cyan' };
  return diff
    .split('\n')
    .filter((line) => line !== '' && !/^(=+|---|\+\+\+)/.test(line))
    .map((line) => {
      const style = styles[line[0] ?? ''];
      return `  ${style ? paint(style, escapeText(line)) : escapeText(line)}\n`;
    })
    .join('');
}

function warnings({ decisions: all, leak }: Story, terminal: Terminal): string {
  const said = new Set<string>();
  const shown = all
    .map(({ workload, inject, warnings: lines }) => {
      const fresh = lines.filter((line) => !said.has(line));
      for (const line of fresh) said.add(line);
      if (fresh.length === 0) return '';
      const command = `  $ kubectl apply -f manifests/demo/${workload}.yaml   # inject: ${inject}\n`;
      const warning = terminal.paint('yellow', 'Warning:');
      return (
        terminal.paint('dim', command) + fresh.map((line) => `  ${warning} ${escapeText(line)}\n`).join('')
      );
    })
    .join('');
  const [perHour, perDay] = [leak.perHour, leak.perDay].map(count);
  const until = leak.exhaustion
    .map(({ limit, of, seconds }) => `${count(limit)} PIDs (${of}) are gone in ${duration(seconds)}`)
    .join(', ');
  const arithmetic =
    `The arithmetic, where PID 1 does not reap: 3,600 s / ${leak.periodSeconds} s × ${leak.zombiesPerRun} zombie ` +
    `a run = ${perHour} an hour, ${perDay} a day; ${until}.`;
  return shown + paragraph(arithmetic, terminal);
}

function experiment(outcome: Story['experiment'], terminal: Terminal): string {
  if ('unavailable' in outcome) return unavailable(outcome, terminal);
  const { made } = outcome;
  const intro = `${made.orphans} orphans and ${made.unreaped} children that their living parent never waits for, in a PID namespace of their own; counted in /proc.`;
  const row = (label: string, measured: Measured | Unavailable): Cell[] =>
    'unavailable' in measured
      ? [label, '', '?', '?']
      : [label, measured.pid1, amount(measured.left.orphans), amount(measured.left.unreaped)];
  const rows: Cell[][] = [
    ['', 'PID 1', 'ORPHANS LEFT', 'UNREAPED LEFT'].map((text) => ({ text, style: 'dim' })),
    row('without', outcome.without),
    row('with tini', outcome.with),
  ];
  const failed = 'unavailable' in outcome.with ? unavailable(outcome.with, terminal) : '';
  const moral =
    'An init reaps orphans. An unreaped child waits for its own parent: that program has to be mended, and no init can help.';
  return paragraph(intro, terminal) + table(rows, terminal) + failed + paragraph(moral, terminal);
}

function amount(zombies: number): Cell {
  return { text: String(zombies), style: zombies === 0 ? 'green' : 'red' };
}

function unavailable({ unavailable: why, retry }: Unavailable, terminal: Terminal): string {
  return `${paragraph(`Not measured: ${why}. To try again:`, terminal)}  ${terminal.paint('bold', retry)}\n`;
}

function paragraph(text: string, { width }: Terminal): string {
  return wrap(text, width)
    .map((line) => `${line}\n`)
    .join('');
}

function bullets(items: readonly string[], { width }: Terminal): string {
  return items
    .map((item) =>
      wrap(item, width - 4)
        .map((line, number) => `${number === 0 ? '  - ' : '    '}${line}\n`)
        .join(''),
    )
    .join('');
}

function count(number: number): string {
  return number.toLocaleString('en-GB');
}

/** A duration in the unit that people would use. */
function duration(seconds: number): string {
  const days = seconds / 86_400;
  return days >= 1 ? `${days.toFixed(1)} days` : `${(seconds / 3_600).toFixed(1)} hours`;
}
