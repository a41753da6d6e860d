import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const list = 'src/rules/index.ts';

/**
 * Writes the files of a new rule.
 *
 * @param root The repository's root.
 * @param id The rule's id, in kebab-case.
 * @returns The paths that were written or changed, below the root.
 * @throws if the id is none, or a rule of that id is there.
 */
export function layOutRule(root: string, id: string): readonly string[] {
  if (!/^[a-z]+(-[a-z]+)*$/.test(id)) {
    throw new Error(`expected an id such as erlang-cli, found ${JSON.stringify(id)}: npm run new:rule -- ID`);
  }
  const file = `src/rules/${id}.ts`;
  if (existsSync(join(root, file))) throw new Error(`${file} is there already`);
  const name = `${id.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())}Rule`;
  const files: Readonly<Record<string, string>> = {
    [file]: ruleFile(id, name),
    [list]: withRule(readFileSync(join(root, list), 'utf8'), id, name),
    [`test/rules/${id}/fail/severities.yaml`]: severities,
    [`test/rules/${id}/pass/other.yaml`]: other,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return Object.keys(files);
}

/** The list with one rule more, its import where biome wants it: in the order of the paths. */
function withRule(index: string, id: string, name: string): string {
  const imports = index.split('\n').filter((line) => /^import .* from '\.\/[a-z-]+\.ts';$/.test(line));
  const own = `import { ${name} } from './${id}.ts';`;
  const pathOf = (line: string) => line.slice(line.indexOf(" from '"));
  const next = imports.find((line) => pathOf(line) > pathOf(own));
  const last = imports.at(-1) ?? '';
  const imported = next ? index.replace(next, `${own}\n${next}`) : index.replace(last, `${last}\n${own}`);
  return imported.replace(/(export const rules: readonly Rule\[\] = \[\n(?: {2}\w+,\n)*)/, `$1  ${name},\n`);
}

function ruleFile(id: string, name: string): string {
  return `import type { Rule } from './rule.ts';
import { severityOf } from './severity.ts';

/** What it finds. */
export const ${name}: Rule = {
  id: '${id}',
  title: '',
  why: '',
  notes: [],
  fires: [''],
  instead: '',
  example: {
    before: \`livenessProbe:
  exec:
    command: []
\`,
    after: \`livenessProbe:
  exec:
    command: []
\`,
  },
  severityClass: 'orphan-maker',
  defaults: {},
  sources: [],
  check(context) {
    if (context.command.program?.[0] !== '${id}') return null;
    return {
      severity: severityOf('orphan-maker', context),
      message: '',
      fix: '',
      zombiesPerRun: null,
    };
  },
};
`;
}

const containers = {
  leaks: '[python3, app.py]',
  unknown: null,
  'must-be-pid-1': '[/init]',
  reaps: '[tini, --, server]',
};

const severities = `# Every severity of the rule: what PID 1 does, by liveness and startup probe.
apiVersion: v1
kind: Pod
metadata:
  name: severities
spec:
  containers:
${Object.entries(containers)
  .map(
    ([name, command]) => `    - name: ${name}
      image: debian:12
${command === null ? '' : `      command: ${command}\n`}      livenessProbe:
        exec:
          command: []
      startupProbe:
        exec:
          command: []
`,
  )
  .join('')}`;

const other = `# What looks alike and is something else.
apiVersion: v1
kind: Pod
metadata:
  name: app
spec:
  containers:
    - name: app
      image: debian:12
      livenessProbe:
        exec:
          command: []
`;
