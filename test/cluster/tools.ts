import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { cache } from './place.ts';
import { run } from './run.ts';

const modules = join(import.meta.dirname, 'tools');
const kubernetes = versionOf('kubernetes', 'k8s.io/kubernetes');
const containerd = versionOf('containerd', 'github.com/containerd/containerd/v2');

/** Modules whose programs are needed, and what tells those programs their version. */
const builds = [
  {
    module: 'kubernetes',
    version: kubernetes,
    flags: ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((path) => [
      `-X ${path}.gitVersion=${kubernetes}`,
      `-X ${path}.gitMajor=${kubernetes.slice(1).split('.')[0]}`,
      `-X ${path}.gitMinor=${kubernetes.split('.')[1]}`,
      `-X ${path}.gitTreeState=clean`,
    ]),
  },
  {
    module: 'containerd',
    version: containerd,
    flags: [`-X github.com/containerd/containerd/v2/version.Version=${containerd}`],
  },
] as const;

/** What the cluster runs. */
export const versions = { kubernetes, containerd } as const;

/** Programs whose name is not the last part of their package's path. */
const renamed: Readonly<Record<string, string>> = { 'go.etcd.io/etcd/server/v3': 'etcd' };

type Build = (typeof builds)[number];

function versionOf(module: string, dependency: string): string {
  const version = new RegExp(`^\\s*${dependency} (v\\S+)`, 'm').exec(goMod(module))?.[1];
  if (version === undefined) throw new Error(`tools/${module}/go.mod does not require ${dependency}`);
  return version;
}

function goMod(module: string): string {
  return readFileSync(join(modules, module, 'go.mod'), 'utf8');
}

/** The folder of a module's programs: another one for other requirements or flags. */
function folderOf({ module, version, flags }: Build): string {
  const hash = createHash('sha256')
    .update(goMod(module))
    .update(JSON.stringify(flags))
    .update(process.arch)
    .digest('hex');
  return join(cache, `${module}-${version}-${hash.slice(0, 12)}`);
}

/** Whether nothing needs to be built. */
export function areToolsBuilt(): boolean {
  return builds.every((build) => existsSync(folderOf(build)));
}

/**
 * Builds the programs that are not there yet; that takes minutes the first time.
 *
 * @throws if a build fails.
 */
export function buildTools(say: (line: string) => void): void {
  for (const build of builds) {
    const folder = folderOf(build);
    if (existsSync(folder)) continue;
    say(`building ${build.module} ${build.version} from source, once`);
    // One that was killed may have left it.
    const unfinished = `${folder}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    buildInto(unfinished, build);
    renameSync(unfinished, folder);
  }
}

function buildInto(folder: string, { module, flags }: Build): void {
  const packages = toolsOf(module);
  run(
    [
      ...[
        'nice',
        '-n',
        '19',
        'go',
        'build',
        `-p=${availableParallelism()}`,
        '-mod=readonly',
        '-buildvcs=false',
      ],
      ...['-ldflags', `-s -w ${flags.join(' ')}`, '-o', `${folder}/`, ...packages],
    ],
    // Without C: what is built runs wherever its cache is taken.
    { cwd: join(modules, module), env: { CGO_ENABLED: '0', HOME: homedir() }, shown: true },
  );
  for (const path of packages) {
    const name = renamed[path];
    if (name !== undefined) renameSync(join(folder, builtName(path)), join(folder, name));
  }
}

/** The packages on the tool lines of a module. */
function toolsOf(module: string): string[] {
  const lines = /^tool \(\n(.*?)^\)/ms.exec(goMod(module))?.[1] ?? '';
  return lines
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}

/** What the go command calls the program of a package: a major version is no name. */
function builtName(path: string): string {
  const parts = path.split('/').filter((part) => !/^v\d+$/.test(part));
  return parts.at(-1) ?? path;
}

/** The path of a program. */
export function tool(name: string): string {
  const path = builds.map((build) => join(folderOf(build), name)).find((file) => existsSync(file));
  if (path === undefined) throw new Error(`${name} has not been built`);
  return path;
}

/** The folder in which containerd finds its shim. */
export const containerdFolder = folderOf(builds[1]);
