import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import { serviceAccountFolder } from '../../src/kube/cluster-source.ts';
import { type PodsServer, pods, servePods } from './pods-server.ts';
import type { Population } from './population.ts';

/** How a container starts Node. */
export interface Launch {
  readonly flags: readonly string[];
  /** NODE_OPTIONS. */
  readonly options: string;
}

/** How the DaemonSet of the manifests starts Node. */
export function launchOfDaemonSet(): Launch {
  const path = join(import.meta.dirname, '../../manifests/base/scanner/daemon-set.yaml');
  const { command, env } = parse(readFileSync(path, 'utf8')).spec.template.spec.containers[0];
  const words: string[] = command;
  const options: { name: string; value?: string }[] = env;
  return {
    flags: words.filter((word) => word.startsWith('-')),
    options: options.find(({ name }) => name === 'NODE_OPTIONS')?.value ?? '',
  };
}

/** What is measured. */
export interface MemoryOptions {
  /** The bundle's. */
  readonly entry: string;
  readonly launch: Launch;
  /** For files of the measurement. */
  readonly folder: string;
  /** How many looks. */
  readonly passes: number;
  /** Makes the zombies. */
  readonly population: () => Promise<Population>;
}

/** Of a process, in MiB: all that is resident, what of it is its own, and what is mapped from files. */
interface Resident {
  readonly all: number;
  readonly own: number;
  readonly files: number;
}

/**
 * Measures the resident memory of the real command, started as the DaemonSet does, in a cluster: first with what runs
 * here anyway, then over very many looks at zombies.
 */
export async function measureMemory(options: MemoryOptions): Promise<Record<string, number>> {
  const { folder, passes, population } = options;
  const server = await servePods(folder);
  try {
    process.stdout.write(
      `\nresident memory of the DaemonSet's process in a cluster, with the names of ${pods} pods\n`,
    );
    const [quiet] = await residentAfter(options, server, [passes / 10]);
    const zombies = await population();
    const [early, late] = await residentAfter(options, server, [passes / 10, passes]).finally(zombies.end);
    for (const [when, resident] of [
      [`${passes / 10} looks, without the zombies`, quiet],
      [`${passes / 10} looks, with them`, early],
      [`${passes} looks`, late],
    ] as const)
      process.stdout.write(
        `${when}: ${resident?.all} MiB, ${resident?.own} its own, ${resident?.files} of files\n`,
      );
    const nothing = Number.NaN;
    return {
      passes,
      rssMiB: late?.all ?? nothing,
      rssAnonMiB: late?.own ?? nothing,
      rssFileMiB: late?.files ?? nothing,
      rssAfterTenthMiB: early?.all ?? nothing,
      rssWithoutZombiesMiB: quiet?.all ?? nothing,
    };
  } finally {
    server.close();
  }
}

/** Starts the command, and looks at its memory when it has made so many looks. */
async function residentAfter(
  { entry, launch }: MemoryOptions,
  server: PodsServer,
  looks: readonly number[],
): Promise<readonly Resident[]> {
  const port = 20_000 + (process.pid % 10_000);
  const child = start(entry, launch, server, port);
  try {
    const resident: Resident[] = [];
    for (const count of looks) {
      while ((await looksOf(port)) < count) {
        if (child.exitCode !== null) throw new Error(`${entry} ended with ${child.exitCode}`);
        await delay(500);
      }
      resident.push(residentMemory(child.pid ?? 0));
    }
    return resident;
  } finally {
    child.kill('SIGKILL');
  }
}

/** Puts a service account where a pod has it, for what is started there alone. */
const inPod = 'mount -t tmpfs none /var/run && mkdir -p "$2" && cp "$1"/* "$2" && shift 2 && exec "$@"';

function start(entry: string, { flags, options }: Launch, server: PodsServer, port: number): ChildProcess {
  const scan = [
    'scan',
    '--interval',
    '0.2',
    '--metrics-port',
    String(port),
    '--host',
    '127.0.0.1',
    '--events',
  ];
  // It waits for no pipe of ours, so the kernel is to end it if this process is killed.
  const program = ['setpriv', '--pdeathsig', 'KILL', process.execPath, ...flags, entry, ...scan];
  const pod = ['sh', '-c', inPod, 'sh', server.serviceAccount, serviceAccountFolder];
  const child = spawn('unshare', ['--user', '--map-root-user', '--mount', ...pod, ...program], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      NODE_OPTIONS: options,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(server.port),
    },
  });
  if (child.pid === undefined) throw new Error(`${entry} cannot be started`);
  // It takes minutes, and others may need the machine.
  setPriority(child.pid, constants.priority.PRIORITY_LOW);
  return child;
}

/** How many looks succeeded so far, by its metrics; 0 before it serves any. */
async function looksOf(port: number): Promise<number> {
  try {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return Number(/^gravekeeper_scans_total\{result="success"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function residentMemory(pid: number): Resident {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (field: string) => {
    const kibibytes = Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
    return Number((kibibytes / 1024).toFixed(1));
  };
  return { all: mebibytes('VmRSS'), own: mebibytes('RssAnon'), files: mebibytes('RssFile') };
}
