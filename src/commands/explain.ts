import { Command, Option } from 'commander';
import { InputError } from '../input-error.ts';
import { pageOf, type Reason, reasonCodes, reasons } from '../reasons.ts';
import { rulePage, rules } from '../rules/index.ts';
import type { Measurement, Rule } from '../rules/rule.ts';
import { severityClasses } from '../rules/severity.ts';
import { escapeText, type Terminal, table, terminalOf, wrap } from '../terminal.ts';
import { nearest } from './nearest.ts';

const help = `
Without a topic: every rule and every reason, one line each.

Examples:
  gravekeeper explain
  gravekeeper explain erlang-cli
  gravekeeper explain shell-not-exec
  gravekeeper explain -o json erlang-cli`;

/** The command `explain`. */
export function explainCommand(): Command {
  return new Command('explain')
    .description('Explain a rule or a reason, with an example.')
    .argument('[topic]', 'the id of a rule or the code of a reason, as warnings and reports show it')
    .addOption(
      new Option('-o, --output <format>', 'how to print it').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', help)
    .action((topic: string | undefined, options: { readonly output: 'text' | 'json' }) => {
      const explanation = explain(topic);
      const text =
        options.output === 'json'
          ? `${JSON.stringify({ schemaVersion: 1, ...jsonOf(explanation) }, null, 2)}\n`
          : textOf(explanation, terminalOf(process.stdout));
      process.stdout.write(text);
    });
}

/** What there is to say on a topic. */
type Explanation =
  | { readonly kind: 'list' }
  | { readonly kind: 'rule'; readonly rule: Rule }
  | { readonly kind: 'reason'; readonly code: Reason };

/**
 * Looks a topic up.
 *
 * @param topic The id of a rule or the code of a reason; left out, everything.
 * @throws {InputError} for any other topic; its message names the nearest ones.
 */
export function explain(topic: string | undefined): Explanation {
  if (topic === undefined) return { kind: 'list' };
  const rule = rules.find(({ id }) => id === topic);
  if (rule) return { kind: 'rule', rule };
  const code = reasonCodes.find((reason) => reason === topic);
  if (code) return { kind: 'reason', code };
  const near = nearest(topic, [...rules.map(({ id }) => id), ...reasonCodes]);
  const shown = escapeText(topic.length > 60 ? `${topic.slice(0, 60)}…` : topic);
  const advice =
    near.length > 0
      ? `Did you mean ${near.join(', ')}?`
      : 'Run gravekeeper explain without a topic to see all of them.';
  throw new InputError(`there is no rule or reason "${shown}". ${advice}`);
}

/** The explanation for people, ended by a newline. */
export function textOf(explanation: Explanation, terminal: Terminal): string {
  switch (explanation.kind) {
    case 'list':
      return listText(terminal);
    case 'rule':
      return ruleText(explanation.rule, terminal);
    case 'reason':
      return reasonText(explanation.code, terminal);
  }
}

function listText(terminal: Terminal): string {
  const bold = (text: string) => ({ text, style: 'bold' }) as const;
  return [
    `${terminal.paint('bold', 'Rules')}: what an exec probe should not do\n`,
    table(
      rules.map(({ id, title }) => [bold(id), title]),
      terminal,
    ),
    `\n${terminal.paint('bold', 'Reasons')}: why a pod or a container was changed or left alone\n`,
    table(
      reasonCodes.map((code) => [bold(code), reasons[code].sentence]),
      terminal,
    ),
    '\ngravekeeper explain TOPIC says more about each of them.\n',
  ].join('');
}

function ruleText(rule: Rule, terminal: Terminal): string {
  const { leaks, reaps } = severityClasses[rule.severityClass];
  const thresholds = Object.entries(rule.defaults).map(([name, value]) => `${name} ${value}`);
  return [
    heading(`rule ${rule.id}`, rule.title, terminal),
    section('Why', [rule.why, ...rule.notes], terminal),
    ...(rule.measured ? [measurement(rule.measured, terminal)] : []),
    section('When it fires', [...rule.fires, ...(rule.neighbours ? [rule.neighbours] : [])], terminal),
    section('What to write instead', [rule.instead], terminal),
    example('Before', rule.example.before, terminal),
    example('After', rule.example.after, terminal),
    section(
      'Severity',
      [
        `${leaks} where PID 1 leaks or is unknown, ${reaps} where it reaps. One level lower in a startupProbe.`,
      ],
      terminal,
    ),
    ...(thresholds.length > 0
      ? [section('Thresholds', [`Fires below ${thresholds.join(' or ')}.`], terminal)]
      : []),
    `More: ${rulePage(rule.id)}\n`,
  ].join('\n');
}

function reasonText(code: Reason, terminal: Terminal): string {
  const { sentence, advice, example: yaml } = reasons[code];
  return [
    heading(`reason ${code}`, sentence, terminal),
    section('What to do', [advice], terminal),
    example('Example', yaml, terminal),
    `More: ${pageOf(code)}\n`,
  ].join('\n');
}

function heading(name: string, sentence: string, terminal: Terminal): string {
  return `${terminal.paint('bold', name)}\n${wrap(sentence, terminal.width).join('\n')}\n`;
}

const indent = '  ';

function section(title: string, paragraphs: readonly string[], terminal: Terminal): string {
  const texts = paragraphs.map((text) =>
    wrap(text, terminal.width - indent.length)
      .map((line) => `${indent}${line}\n`)
      .join(''),
  );
  return `${terminal.paint('bold', title)}\n${texts.join('\n')}`;
}

function measurement({ per, rows }: Measurement, terminal: Terminal): string {
  const lines = table(
    rows.map(({ command, zombies }) => [zombies, command]),
    { ...terminal, width: terminal.width - indent.length },
  );
  const title = `Measured: zombies of a ${per}, with a PID 1 that never waits`;
  return `${terminal.paint('bold', title)}\n${lines.replace(/^/gm, indent).trimEnd()}\n`;
}

function example(title: string, yaml: string, terminal: Terminal): string {
  const lines = yaml.trimEnd().split('\n');
  return `${terminal.paint('bold', title)}\n${lines.map((line) => `${indent}${line}\n`).join('')}`;
}

/** The explanation for programs. */
export function jsonOf(explanation: Explanation): object {
  switch (explanation.kind) {
    case 'list':
      return {
        rules: rules.map(({ id, title }) => ({ id, title, page: rulePage(id) })),
        reasons: reasonCodes.map((code) => ({ code, sentence: reasons[code].sentence, page: pageOf(code) })),
      };
    case 'rule': {
      const { severityClass, defaults, check: _, ...told } = explanation.rule;
      const severity = severityClasses[severityClass];
      return { rule: { ...told, severity, thresholds: defaults, page: rulePage(told.id) } };
    }
    case 'reason': {
      const { code } = explanation;
      const { sentence, advice, example: yaml } = reasons[code];
      return { reason: { code, sentence, advice, example: yaml, page: pageOf(code) } };
    }
  }
}
