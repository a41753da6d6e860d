import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type PidLimit, readPidLimits, tightest } from '../emulate/limits.ts';
import { findTini } from '../emulate/programs.ts';
import { needsProgram, type Unavailable } from '../emulate/unavailable.ts';
import { type Count, type Emulation, startZombies } from '../emulate/zombies.ts';
import { InputError } from '../input-error.ts';
import { readText } from '../proc/read-text.ts';
import { openProcRoot, type ProcRoot } from '../proc/root.ts';
import { escapeText } from '../terminal.ts';
import { memoryOf } from './emulate/memory.ts';
import { jsonReport, type OwnCgroup, type Report, type Scene, textReport } from './emulate/report.ts';
import { wholeNumber } from './option-values.ts';

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
  const proc = openProcRoot('/proc');
  const scene = sceneOf(emulation, { init, asked, limit });
  process.stdout.write(report.started(scene, seconds, (pid) => nameOf(pid, proc)));
  // Unreferenced, so that it holds nobody up when the namespace ends before its time.
  const time = delay(seconds * 1000, undefined, { ref: false, signal }).catch(() => {});
  await Promise.race([time, emulation.ended]);
  const left = await emulation.stop();
  const isCgroupLeft = emulation.cgroup !== null && existsSync(emulation.cgroup);
  process.stdout.write(report.ended({ left, cgroupLeft: isCgroupLeft ? emulation.cgroup : null }));
}

function sceneOf(emulation: Emulation, given: Pick<Scene, 'init' | 'asked' | 'limit'>): Scene {
  const zombies = emulation.zombies();
  return {
    pid1: emulation.pid1,
    ...given,
    there: emulation.count(),
    zombies,
    cgroup: emulation.cgroup === null ? null : cgroupAt(emulation.cgroup),
    memory: memoryOf(emulation.measured),
  };
}

function cgroupAt(path: string): OwnCgroup {
  const [processes = null, limit = null] = ['pids.current', 'pids.max'].map((file) => {
    const text = readText(`${path}/${file}`)?.trim() ?? '';
    return /^\d+$/.test(text) ? Number(text) : null;
  });
  return { path, processes, limit };
}

function nameOf(pid: number, proc: ProcRoot): string {
  const process = proc.stat(pid);
  return process === null ? String(pid) : `${pid} (${escapeText(process.comm)})`;
}

/** Starts an emulation, or answers null where a signal came first. */
async function startUnlessInterrupted(
  asked: Count,
  init: string | null,
  signal: AbortSignal,
  again: string,
): Promise<Emulation | Unavailable | null> {
  try {
    return await startZombies({
      ...asked,
      init: init === null ? null : [init, '-s', '--'],
      measure: true,
      signal,
      again,
    });
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

function againOf({ orphans, unreaped, seconds, init }: Options): string {
  const numbers = `--orphans ${orphans} --unreaped ${unreaped} --seconds ${seconds}`;
  return `npm run -s gravekeeper -- emulate ${numbers}${init ? ` --init ${init}` : ''}`;
}

function secondsOf(text: string): number {
  const seconds = wholeNumber(text);
  if (seconds > 86_400) throw new InvalidArgumentError('Expected at most 86400 seconds, a day.');
  return seconds;
}
