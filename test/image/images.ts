import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const baseImage = 'docker.io/library/node:24-bookworm-slim';

/** A store of its own: a base made here must not pass for the real one in other builds of this machine. */
const store = process.env.IMAGE_TEST_STORE ?? '/var/tmp/gravekeeper-image-test';

/** What the configuration of an image says. */
export interface ImageConfig {
  readonly User?: string;
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[] | null;
  readonly Env?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>>;
}

/** An image that was built, with its files mounted. */
export interface Image {
  readonly config: ImageConfig;
  /** The folder that holds its files; not to be written to. */
  readonly rootfs: string;
}

/** Why images cannot be built here and what to do about it, or null. */
export function obstacle(): string | null {
  if (process.platform !== 'linux') return `Linux is needed, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'root is needed: run it with sudo';
  const missing = ['buildah', 'runc', 'mmdebstrap'].filter(
    (program) => spawnSync('which', [program]).status !== 0,
  );
  return missing.length === 0 ? null : `${missing.join(', ')} missing: apt-get install ${missing.join(' ')}`;
}

/** Runs a program to its end, its output shown as it comes; throws if it fails. */
function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with exit code ${status}`);
}

/** Runs a program to its end and returns what it says; throws if it fails. */
function output(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim()}`);
  return stdout.trim();
}

const storeFlags = ['--root', `${store}/root`, '--runroot', `${store}/run`];

/**
 * Builds both images of the Dockerfile. The base comes from its registry if IMAGE_TEST_BASE=registry, and is else made
 * from Debian's packages and the Node that runs this.
 *
 * @param folder For files that the build needs on the way.
 */
export function buildImages(folder: string): { readonly tini: Image; readonly gravekeeper: Image } {
  ensureBase();
  return {
    tini: mounted(buildTarget('tini', folder)),
    gravekeeper: mounted(buildTarget('gravekeeper', folder)),
  };
}

/**
 * Builds an image of the Dockerfile and writes it into a file, as `docker load` and `ctr images import` take it.
 *
 * @param target The stage of the Dockerfile.
 * @param name What the image is called in the file, with its tag.
 * @param folder Where to write the file, and what the build needs.
 * @returns The path of the file.
 */
export function saveImage(target: 'tini' | 'gravekeeper', name: string, folder: string): string {
  ensureBase();
  const file = join(folder, `${target}.tar`);
  rmSync(file, { force: true });
  run('buildah', [
    ...storeFlags,
    'push',
    '--quiet',
    buildTarget(target, folder),
    `docker-archive:${file}:${name}`,
  ]);
  return file;
}

/** Unmounts and forgets the containers that the images are looked at through. */
export function removeContainers(): void {
  spawnSync('buildah', [...storeFlags, 'rm', '--all'], { stdio: 'ignore' });
}

function hasImage(name: string): boolean {
  return spawnSync('buildah', [...storeFlags, 'inspect', '--type', 'image', name]).status === 0;
}

/** Makes the base image, unless it is there or the registry is to be asked for it. */
function ensureBase(): void {
  if (process.env.IMAGE_TEST_BASE !== 'registry' && !hasImage(baseImage)) makeBase();
}

/** Answers the tag of what it built. */
function buildTarget(target: string, folder: string): string {
  const tag = `localhost/gravekeeper-test/${target}`;
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  run('buildah', [
    ...[...storeFlags, 'build', '--runtime', 'runc', '--network', 'host', '--layers'],
    ...['--target', target, '--tag', tag, '--build-arg', `VERSION=${version}`],
    ...npmVolumes(folder),
    root,
  ]);
  return tag;
}

function mounted(tag: string): Image {
  const container = output('buildah', [...storeFlags, 'from', tag]);
  const rootfs = output('buildah', [...storeFlags, 'mount', container]);
  const inspected = JSON.parse(output('buildah', [...storeFlags, 'inspect', '--type', 'image', tag]));
  return { config: inspected.OCIv1.config, rootfs };
}

/** Mounts that let `npm ci` of the build reach the registry that this machine is configured with. */
function npmVolumes(folder: string): readonly string[] {
  const setting = (name: string) => {
    const value = output('npm', ['config', 'get', name]);
    return value === 'null' || value === 'undefined' ? null : value;
  };
  const cafile = setting('cafile') ?? process.env.NODE_EXTRA_CA_CERTS ?? null;
  const npmrc = join(folder, 'npmrc');
  const lines = [`registry=${setting('registry')}`, ...(cafile ? ['cafile=/run/npm-ca.crt'] : [])];
  writeFileSync(npmrc, `${lines.join('\n')}\n`);
  return [
    ...['--volume', `${npmrc}:/root/.npmrc:ro`],
    ...(cafile ? ['--volume', `${cafile}:/run/npm-ca.crt:ro`] : []),
  ];
}

/** Makes the base image: Debian's minimal system, this Node and this npm, where Node's image has them. */
function makeBase(): void {
  const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-base-'));
  try {
    const tar = join(folder, 'base.tar');
    const options = join(folder, 'apt.conf');
    writeFileSync(options, aptOptions());
    run('mmdebstrap', [`--aptopt=${options}`, '--variant=minbase', 'bookworm', tar, ...aptSources()]);
    const container = output('buildah', [...storeFlags, 'from', 'scratch']);
    run('buildah', [...storeFlags, 'add', container, tar, '/']);
    const local = join(output('buildah', [...storeFlags, 'mount', container]), 'usr/local');
    cpSync(process.execPath, join(local, 'bin/node'), { dereference: true });
    cpSync(npmFolder(), join(local, 'lib/node_modules/npm'), { recursive: true, dereference: true });
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'));
    run('buildah', [...storeFlags, 'config', '--entrypoint', '["docker-entrypoint.sh"]', container]);
    run('buildah', [...storeFlags, 'config', '--cmd', 'node', container]);
    run('buildah', [...storeFlags, 'commit', '--rm', container, baseImage]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The npm that belongs to the npm command of this machine. */
function npmFolder(): string {
  return dirname(dirname(output('realpath', [output('which', ['npm'])])));
}

/** Where this machine's apt gets Debian bookworm from; nothing where it is another system. */
function aptSources(): readonly string[] {
  return ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'].filter(
    (path) => existsSync(path) && /^(Suites:|deb ).*\bbookworm\b/m.test(readFileSync(path, 'utf8')),
  );
}

/** How this machine's apt reaches it: proxies, certificates, retries and clocks. */
function aptOptions(): string {
  const wanted = /^Acquire::(http|https|ftp|Retries|ForceIPv|Check-)/;
  return output('apt-config', ['dump', 'Acquire'])
    .split('\n')
    .filter((line) => wanted.test(line))
    .join('\n')
    .concat('\n');
}
