// npm run bench:scan — a scanner's pass over 10,000 and 30,000 processes, live and zombie, against ps and a loop in C.
// All take turns in one run; the last line is JSON with the ratios.
import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { openProcRoot } from '../../src/proc/root.ts';
import { ticksPerSecond } from '../../src/proc/stat.ts';
import { median } from './median.ts';
import { populate, roomFor } from './population.ts';
import { launchOfDaemonSet, measureMemory } from './scan-memory.ts';

const counts = (process.env.BENCH_PROCESSES ?? '10000,30000').split(',').map(Number);
const rounds = Number(process.env.BENCH_ROUNDS ?? 8);
const passes = Number(process.env.BENCH_PASSES ?? 1_000);
const entry = process.argv[2] ?? 'dist/main.js';
const psWords = ['-eo', 'pid,ppid,state,comm'];

/** Whoever answers a line of input with one pass. */
interface Looker {
  pass(kind?: string): Promise<{ ms: number; zombies: number }>;
  /** Milliseconds that its threads have spent on CPUs, to hundredths of a second. */
  cpuMs(): number;
  end(): void;
}

/**
 * Milliseconds of one pass, medians of the rounds; the medians of the rounds' own ratios; and the ratio of the sums of
 * what they spent on CPUs, which changes less with what else runs on the machine.
 */
interface Figures {
  readonly ms: Record<Contender, number>;
  readonly cpuTableToC: number;
  readonly ratios: Record<'tableToPs' | 'tableToC' | 'scanToPs' | 'scanToC', number>;
}

type Contender = 'table' | 'scan' | 'ps' | 'c';

/**
 * Each follows each other one as often as the rest, since it finds in the caches what that one left there: a balanced
 * Latin square (Williams, 1949).
 */
const orders: readonly (readonly Contender[])[] = [
  ['ps', 'table', 'scan', 'c'],
  ['table', 'c', 'ps', 'scan'],
  ['c', 'scan', 'table', 'ps'],
  ['scan', 'ps', 'c', 'table'],
];

const proc = openProcRoot('/proc');
const launch = launchOfDaemonSet();
const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-bench-'));
const children: ChildProcess[] = [];
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await bench();

async function bench(): Promise<void> {
  if (!existsSync(entry)) throw new Error(`${entry} is missing: npm run build`);
  const program = compile();
  const results: Record<string, Figures['ratios']> = {};
  const cpuTableToC: number[] = [];
  for (const asked of counts) {
    for (const kind of ['zombie', 'live'] as const) {
      const { count, bound } = roomFor(asked, kind);
      process.stdout.write(`\n${count} ${kind} processes (${bound}), ${rounds} rounds\n`);
      const figures = await measure(program, count, kind);
      show(figures);
      results[`${asked} ${kind}`] = figures.ratios;
      cpuTableToC.push(figures.cpuTableToC);
    }
  }
  const { count } = roomFor(counts[0] ?? 10_000, 'zombie');
  const memory = await measureMemory({
    entry,
    launch,
    folder,
    passes,
    population: () => populate(program, count, 'zombie'),
  });
  process.stdout.write(
    `${JSON.stringify({ bench: 'scan', ...worst(results), cpuTableToC: Math.max(...cpuTableToC), ratios: results, ...memory })}\n`,
  );
}

function compile(): string {
  const program = join(folder, 'scan');
  const source = join(import.meta.dirname, 'scan.c');
  const { status, error } = spawnSync('cc', ['-O2', '-Wall', '-Werror', '-o', program, source], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`a C compiler is needed as "cc" (${error?.message ?? 'it failed'})`);
  return program;
}

async function measure(program: string, count: number, kind: 'live' | 'zombie'): Promise<Figures> {
  const population = await populate(program, count, kind);
  const node = startNode();
  const c = start(program, ['loop', '/proc']);
  try {
    const pass: Record<Contender, () => Promise<number>> = {
      table: async () => (await node.pass('table')).ms,
      scan: async () => (await node.pass('scan')).ms,
      ps: async () => ps(),
      c: async () => (await c.pass('')).ms,
    };
    // A DaemonSet runs for weeks.
    for (let warmUp = 0; warmUp < 5; warmUp += 1) await pass.table().then(pass.scan);
    const { zombies } = await node.pass('table');
    if (kind === 'zombie' && zombies < count)
      throw new Error(`only ${zombies} of ${count} zombies were seen`);
    const samples: Record<Contender, number>[] = [];
    const cpu = { table: 0, c: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const sample: Record<Contender, number> = { table: 0, scan: 0, ps: 0, c: 0 };
      for (const contender of orders[round % orders.length] ?? []) {
        const before = { table: node.cpuMs(), c: c.cpuMs() };
        sample[contender] = await pass[contender]();
        if (contender === 'table') cpu.table += node.cpuMs() - before.table;
        if (contender === 'c') cpu.c += c.cpuMs() - before.c;
      }
      samples.push(sample);
    }
    return figuresOf(samples, cpu.table / cpu.c);
  } finally {
    node.end();
    c.end();
    await population.end();
  }
}

function figuresOf(samples: readonly Record<Contender, number>[], cpuTableToC: number): Figures {
  const of = (figure: (sample: Record<Contender, number>) => number) => round(median(samples.map(figure)));
  return {
    cpuTableToC: round(cpuTableToC),
    ms: {
      table: of(({ table }) => table),
      scan: of(({ scan }) => scan),
      ps: of(({ ps }) => ps),
      c: of(({ c }) => c),
    },
    ratios: {
      tableToPs: of(({ table, ps }) => table / ps),
      tableToC: of(({ table, c }) => table / c),
      scanToPs: of(({ scan, ps }) => scan / ps),
      scanToC: of(({ scan, c }) => scan / c),
    },
  };
}

function show({ ms, ratios, cpuTableToC }: Figures): void {
  process.stdout.write(
    `one pass in ms: table ${ms.table}, whole scan ${ms.scan}, ps ${ms.ps}, C loop ${ms.c}\n` +
      `to ps: table ${ratios.tableToPs}, whole scan ${ratios.scanToPs}; ` +
      `to the C loop: table ${ratios.tableToC} (${cpuTableToC} in CPU time), whole scan ${ratios.scanToC}\n`,
  );
}

function worst(results: Record<string, Figures['ratios']>): Figures['ratios'] {
  const most = (figure: (ratios: Figures['ratios']) => number) =>
    Math.max(...Object.values(results).map(figure));
  return {
    tableToPs: most(({ tableToPs }) => tableToPs),
    tableToC: most(({ tableToC }) => tableToC),
    scanToPs: most(({ scanToPs }) => scanToPs),
    scanToC: most(({ scanToC }) => scanToC),
  };
}

function ps(): number {
  const begin = performance.now();
  const { status, error } = spawnSync('ps', psWords, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0)
    throw new Error(`ps of procps is needed (${error?.message ?? `it ended with ${status}`})`);
  return performance.now() - begin;
}

function startNode(): Looker {
  return start(process.execPath, [...launch.flags, join(import.meta.dirname, 'scan-loop.ts')]);
}

function start(file: string, words: readonly string[]): Looker {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(file, words, {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  children.push(child);
  return {
    pass: async (kind = '') => {
      child.stdin.write(`${kind}\n`);
      const { value } = await lines.next();
      if (value === undefined) throw new Error(`${file} ended before it answered`);
      const [ms = Number.NaN, , zombies = 0] = value.split(' ').map(Number);
      return { ms, zombies };
    },
    cpuMs: () => {
      // Fields 14 and 15 of proc_pid_stat(5), in ticks.
      const fields = proc.text(`${child.pid}/stat`)?.split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) * (1000 / ticksPerSecond);
    },
    end: () => void child.kill('SIGKILL'),
  };
}

function round(value: number): number {
  return Number(value.toFixed(value < 10 ? 3 : 1));
}
