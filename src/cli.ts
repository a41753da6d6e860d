import { Command, CommanderError } from 'commander';
import { InputError } from './input-error.ts';
import { version } from './version.ts';

/**
 * The front door. A command is one line in `commands` below and one file under commands/, which exports a function
 * `xCommand(): Command`. That function names options, arguments, examples (`.addHelpText('after', …)`) and an
 * action, and the action does the wiring.
 *
 * Only the file of the command that was called is loaded, so it may import what it needs at its top. What it needs
 * in one mode only, such as the API client, it imports in its action.
 *
 * Exit codes: an action that returns ends with 0, or with what it set `process.exitCode` to (1: findings). Bad
 * usage and a thrown InputError end with 2; so does any other error, with its stack.
 */
interface CommandLine {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command, in the order of the help. */
export const commands: readonly CommandLine[] = [
  {
    name: 'webhook',
    summary: 'serve admission over HTTPS',
    load: async () => (await import('./commands/webhook.ts')).webhookCommand(),
  },
  {
    name: 'scan',
    summary: 'find the zombies of a node, or with --cluster of all, their owners and who can fix them',
    load: async () => (await import('./commands/scan.ts')).scanCommand(),
  },
  {
    name: 'audit',
    summary: 'say of manifests or a cluster which pods may collect zombies, and what would be done',
    load: async () => (await import('./commands/audit.ts')).auditCommand(),
  },
  {
    name: 'fix',
    summary: 'write into manifests what is safe to write',
    load: async () => (await import('./commands/fix.ts')).fixCommand(),
  },
  {
    name: 'demo',
    summary: 'tell the whole story on one machine, without a cluster',
    load: async () => (await import('./commands/demo.ts')).demoCommand(),
  },
  {
    name: 'explain',
    summary: 'explain a rule or a reason, with an example',
    load: async () => (await import('./commands/explain.ts')).explainCommand(),
  },
  {
    name: 'image',
    summary: 'say what an image starts, and what auto would do with it',
    load: async () => (await import('./commands/image.ts')).imageCommand(),
  },
  {
    name: 'emulate',
    summary: 'make real zombies, to look at',
    load: async () => (await import('./commands/emulate.ts')).emulateCommand(),
  },
  {
    name: 'certs',
    summary: 'make a development CA and a server certificate',
    load: async () => (await import('./commands/certs.ts')).certsCommand(),
  },
];

/** How the program ends. `scan` ends with 0 whatever it finds, and with `-o npd` as node-problem-detector asks. */
export const exitCodes = { 0: 'clean', 1: 'findings', 2: 'bad usage or input' } as const;

const examples = `
Examples:
  gravekeeper demo
  gravekeeper scan --once
  gravekeeper audit -f manifests/
  gravekeeper fix -f manifests/ --diff
  gravekeeper explain shell-not-exec
  gravekeeper certs --out certs
  gravekeeper webhook --cert certs/tls.crt --key certs/tls.key --namespaces namespaces.yaml

Exit codes: ${Object.entries(exitCodes)
  .map(([code, meaning]) => `${code} ${meaning}`)
  .join(', ')}.
In a checkout: npm run -s gravekeeper -- COMMAND`;

/**
 * Runs the command that the arguments name.
 *
 * @param argv As `process.argv`: the first two entries are not looked at.
 * @returns When the command is done; `process.exitCode` is then set. It never rejects.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const args = argv.slice(2);
  try {
    const program = await programFor(args);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** The program, with the commands that the arguments mention loaded and all others as names for the help. */
async function programFor(args: readonly string[]): Promise<Command> {
  const program = new Command('gravekeeper')
    .description('Keeps zombie processes out of Kubernetes pods.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', examples)
    .exitOverride()
    .configureHelp({ sortOptions: true });
  for (const { name, summary, load } of commands) {
    const command = args.includes(name) ? await load() : new Command(name);
    program.addCommand(command.summary(summary).copyInheritedSettings(program));
  }
  return program;
}

function report(error: unknown): number {
  // Commander has already printed what it has to say; help and version end with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const text =
    error instanceof InputError
      ? error.message
      : `this should not happen: ${error instanceof Error ? error.stack : String(error)}`;
  process.stderr.write(`gravekeeper: ${text}\n`);
  return 2;
}
