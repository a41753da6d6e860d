import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const module = 'k8s.io/node-problem-detector';
const version = 'v1.34.0';
/** Of the module's zip, as `go.sum` has it; those of its dependencies stand in the module's own go.sum. */
const checksum = 'h1:6MM3PVn6NhuUeSQRoheWpGqdZU2QVZfhcX9nc7dcimU=';
/** What needs systemd's headers, or the cloud: nothing of it is for plugins. */
const leftOut = 'disable_system_log_monitor disable_system_stats_monitor disable_stackdriver_exporter';

/** Why node-problem-detector cannot be built here, and what to do; null where it can, or is there already. */
export function obstacle(): string | null {
  if (process.platform !== 'linux') return `Linux is needed, this is ${process.platform}`;
  if (existsSync(binary())) return null;
  const go = spawnSync('go', ['version'], { encoding: 'utf8' });
  return go.status === 0 ? null : 'Go is missing: https://go.dev/doc/install, 1.24.7 or newer';
}

/**
 * Builds node-problem-detector, once, into the user's cache: some minutes.
 *
 * @returns The path of the program.
 * @throws if the module cannot be fetched, is not the one that is known, or does not compile.
 */
export function buildNpd(): string {
  const path = binary();
  if (existsSync(path)) return path;
  process.stderr.write(`building ${module} ${version} with Go, once; this takes some minutes\n`);
  const {
    Dir: source,
    Sum: sum,
    Error: error,
  } = JSON.parse(go(['mod', 'download', '-json', `${module}@${version}`], tmpdir()));
  if (error !== undefined) throw new Error(`${module} cannot be fetched: ${error}`);
  if (sum !== checksum) throw new Error(`${module} ${version} has the checksum ${sum}, not ${checksum}`);
  mkdirSync(cache(), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  go(['build', '-mod=readonly', '-tags', leftOut, '-o', unfinished, './cmd/nodeproblemdetector'], source);
  renameSync(unfinished, path);
  return path;
}

function cache(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gravekeeper');
}

function binary(): string {
  return join(cache(), `node-problem-detector-${version}`);
}

function go(args: readonly string[], cwd: string): string {
  // The checksum above takes the place of the checksum database.
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GONOSUMDB: module };
  const { status, stdout, stderr } = spawnSync('go', args, {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  // `go mod download -json` says in its JSON what failed.
  if (status !== 0 && stdout === '') throw new Error(`go ${args.join(' ')}: ${stderr}`);
  return stdout;
}
