import { setTimeout as delay } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type KernelMemory, readKernelMemory } from '../emulate/kernel-memory.ts';
import { type PidLimit, readPidLimits, tightest } from '../emulate/limits.ts';
import { readProcess } from '../emulate/processes.ts';
import { findTini } from '../emulate/programs.ts';
import { needsProgram, type Unavailable } from '../emulate/unavailable.ts';
import { type Count, type Emulation, startZombies, type Zombie } from '../emulate/zombies.ts';
import { InputError } from '../input-error.ts';
import { escapeText, table, terminalOf } from '../terminal.ts';

const help = `
An orphan is a zombie that PID 1 adopted and never reaps; an init in its place would. An unreaped child has a
parent that lives and never waits, and no init helps. All live in a user and PID namespace of their own and end
with this command, also when it is killed. Nothing needs root. More in docs/emulate.md.

Examples:
  gravekeeper emulate --orphans 5 --unreaped 3 --seconds 60
  gravekeeper emulate --orphans 5 --unreaped 3 --init tini
  gravekeeper emulate --orphans 2000 --seconds 5 -o json`;

/** The command `emulate`. */
export function emulateCommand(): Command {
  return new Command('emulate')
    .description('Make real zombies on this machine, say where they are, and take them away again.')
    .option('--orphans <n>', 'zombies that an init would reap', wholeNumber, 5)
    .option('--unreaped <n>', 'zombies whose parent never waits for them', wholeNumber, 0)
    .option('--seconds <n>', 'how long they stay; Ctrl-C ends it sooner', secondsOf, 60)
    .addOption(new Option('--init <program>', 'an init to put in front').choices(['tini']))
    .addOption(
      new Option('-o, --output <format>', 'json: a line when they are there, another when they are gone')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addHelpText('after', help)
    .action(emulate);
}

interface Options {
  readonly orphans: number;
  readonly unreaped: number;
  readonly seconds: number;
  readonly init?: 'tini';
  readonly output: 'table' | 'json';
}

/** What there is to see once the zombies are there. */
interface Scene {
  readonly pid1: number;
  readonly init: string | null;
  readonly asked: Count;
  readonly there: Count;
  readonly zombies: readonly Zombie[];
  /** The limit on processes that is reached first. */
  readonly limit: PidLimit | null;
  /** What one zombie costs the kernel in bytes, where that can be told, and by whose account. */
  readonly memory: {
    readonly bytesPerZombie: number | null;
    readonly source: string | null;
    readonly of: KernelMemory['of'] | null;
  };
}

/** How the events of the command are told; each answers what to print. */
interface Report {
  started(scene: Scene, seconds: number): string;
  interrupted(): string;
  unavailable(obstacle: Unavailable): string;
  ended(left: number): string;
}

async function emulate(options: Options): Promise<void> {
  const limit = tightest(readPidLimits());
  refuseTooMany(options.orphans + options.unreaped, limit);
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const report = options.output === 'json' ? jsonReport : textReport;
    await stage(options, limit, report, controller.signal);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** @throws {InputError} for more than half of the processes that this machine allows. */
function refuseTooMany(asked: number, limit: PidLimit | null): void {
  if (limit === null || asked <= limit.limit / 2) return;
  throw new InputError(
    `${asked} zombies are more than half of the tightest limit on processes here, ` +
      `${limit.name} = ${limit.limit}: ask for ${Math.floor(limit.limit / 2)} at most`,
  );
}

/** Makes them, shows them, waits, and takes them away. */
async function stage(
  options: Options,
  limit: PidLimit | null,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { orphans, unreaped, seconds } = options;
  const asked = { orphans, unreaped };
  const init = options.init === 'tini' ? findTini() : null;
  const memoryBefore = readKernelMemory();
  const emulation =
    options.init === 'tini' && init === null
      ? needsProgram('tini', 'tini', againOf(options))
      : await startUnlessInterrupted(asked, init, signal, againOf(options));
  if (emulation === null) {
    process.stdout.write(report.interrupted());
    return;
  }
  if ('unavailable' in emulation) {
    process.stdout.write(report.unavailable(emulation));
    throw new InputError(
      `no real zombies can be made here: ${emulation.unavailable}\nTo try again: ${emulation.retry}`,
    );
  }
  const zombies = emulation.zombies();
  const memory = memoryPerZombie(zombies.length, memoryBefore, readKernelMemory());
  const scene = { pid1: emulation.pid1, init, asked, there: emulation.count(), zombies, limit, memory };
  process.stdout.write(report.started(scene, seconds));
  // Unreferenced, so that it holds nobody up when the namespace ends before its time.
  const time = delay(seconds * 1000, undefined, { ref: false, signal }).catch(() => {});
  await Promise.race([time, emulation.ended]);
  process.stdout.write(report.ended(await emulation.stop()));
}

/** Starts an emulation, or answers null where a signal came first. */
async function startUnlessInterrupted(
  asked: Count,
  init: string | null,
  signal: AbortSignal,
  again: string,
): Promise<Emulation | Unavailable | null> {
  try {
    return await startZombies({ ...asked, init: init === null ? null : [init, '-s', '--'], signal, again });
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

function againOf({ orphans, unreaped, seconds, init }: Options): string {
  const numbers = `--orphans ${orphans} --unreaped ${unreaped} --seconds ${seconds}`;
  return `npm run -s gravekeeper -- emulate ${numbers}${init ? ` --init ${init}` : ''}`;
}

/** Fewer drown in what else the kernel allocates at the same time. */
const MEASURABLE = 1_000;

function memoryPerZombie(
  zombies: number,
  before: KernelMemory | null,
  after: KernelMemory | null,
): Scene['memory'] {
  if (before === null || after === null || before.source !== after.source) {
    return { bytesPerZombie: null, source: null, of: null };
  }
  const growth = after.bytes - before.bytes;
  const isTelling = zombies >= MEASURABLE && growth > 0;
  return {
    bytesPerZombie: isTelling ? Math.round(growth / zombies) : null,
    source: after.source,
    of: after.of,
  };
}

const jsonReport: Report = {
  started: (scene) => jsonLine({ event: 'started', ...scene }),
  interrupted: () => jsonLine({ event: 'interrupted' }),
  unavailable: (obstacle) => jsonLine({ event: 'unavailable', ...obstacle }),
  ended: (left) => jsonLine({ event: 'ended', left }),
};

function jsonLine(value: object): string {
  return `${JSON.stringify({ schemaVersion: 1, ...value })}\n`;
}

const textReport: Report = {
  started: (scene, seconds) =>
    [
      `PID 1 of the new namespace is ${nameOf(scene.pid1)}.`,
      ...kindLines(scene),
      '',
      ...zombieTable(scene.zombies),
      ...(scene.zombies.length > 0 ? ['', `The same with ps: ${psCommand(scene.zombies)}`] : []),
      memoryLine(scene),
      `They stay for ${seconds} s; Ctrl-C ends it sooner.`,
      '',
    ].join('\n'),
  interrupted: () => 'Interrupted before all of them were made; the namespace has ended.\n',
  // What is said on stderr is enough for people.
  unavailable: () => '',
  ended: (left) => `The namespace has ended. Left of its processes in /proc: ${left}.\n`,
};

function kindLines({ asked, there, init }: Scene): string[] {
  const orphans =
    init === null
      ? 'PID 1 adopted them and never waits; an init in its place would reap them (--init tini).'
      : 'PID 1 is tini, which reaps what it adopts.';
  const unreaped = 'their parent lives and never waits, so no init can reap them.';
  return [
    ...(asked.orphans > 0 ? [`${there.orphans} of ${asked.orphans} orphans are there: ${orphans}`] : []),
    ...(asked.unreaped > 0
      ? [`${there.unreaped} of ${asked.unreaped} unreaped children are there: ${unreaped}`]
      : []),
  ];
}

const SHOWN = 20;

function zombieTable(zombies: readonly Zombie[]): string[] {
  if (zombies.length === 0) return ['No zombie is there.'];
  const parents = new Map(zombies.map(({ ppid }) => [ppid, nameOf(ppid)]));
  const rows = zombies
    .slice(0, SHOWN)
    .map(({ kind, pid, ppid, comm }) => [kind, String(pid), escapeText(comm), parents.get(ppid) ?? '']);
  const more = zombies.length - SHOWN;
  return [
    table([['KIND', 'PID', 'COMMAND', 'PARENT'], ...rows], terminalOf(process.stdout)).trimEnd(),
    ...(more > 0 ? [`… and ${more} more`] : []),
  ];
}

function nameOf(pid: number): string {
  const process = readProcess(pid);
  return process === null ? String(pid) : `${pid} (${escapeText(process.comm)})`;
}

function psCommand(zombies: readonly Zombie[]): string {
  const parents = new Set(zombies.map(({ ppid }) => ppid));
  return `ps -o pid,ppid,stat,comm --ppid ${[...parents].join(',')}`;
}

function memoryLine({ memory, zombies }: Scene): string {
  if (memory.source === null) return 'What they cost the kernel cannot be read here.';
  if (memory.bytesPerZombie === null) {
    return zombies.length < MEASURABLE
      ? `From ${MEASURABLE} zombies on, the memory that each one costs is shown too.`
      : `What they cost the kernel cannot be told: ${memory.source} did not grow.`;
  }
  const kibibytes = (memory.bytesPerZombie / 1024).toFixed(1);
  const others = memory.of === 'machine' ? ', with what others did on this machine at the same time' : '';
  return `One costs the kernel about ${kibibytes} KiB, by what ${memory.source} grew${others}.`;
}

function secondsOf(text: string): number {
  const seconds = wholeNumber(text);
  if (seconds > 86_400) throw new InvalidArgumentError('Expected at most 86400 seconds, a day.');
  return seconds;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError('Expected a whole number, 0 or more.');
  }
  return number;
}
