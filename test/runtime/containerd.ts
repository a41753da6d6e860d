import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Cri, connect } from './cri.ts';
import { type Pause, pauseImage, pauses } from './images.ts';
import { run } from './run.ts';
import { noteCgroup } from './sweep.ts';
import { mountCommands, needsStripping, type View, v2Mount } from './views.ts';

/** A containerd of our own, with the images in it. */
export interface Containerd extends Cri {
  readonly folder: string;
  readonly containerd: ChildProcess;
  /** From now on new pods begin with that pause. */
  choosePause(pause: Pause): Promise<void>;
  /** Makes the shim of a container stop for good when it is next asked to run something in there. */
  hangAtExec(containerId: string): void;
}

/** What every view shares. */
export interface Parts {
  /** The CRI client. */
  readonly client: string;
  /** All images in a tar. */
  readonly images: string;
}

/**
 * Starts containerd in a mount namespace of its own, so that nothing of it is left mounted when its last process ends.
 *
 * @param folder An empty folder for all that it writes.
 * @param parts What was built before.
 * @param view How cgroups are to look.
 */
export async function startContainerd(folder: string, parts: Parts, view: View): Promise<Containerd> {
  const socket = join(folder, 'containerd.sock');
  mkdirSync(join(folder, 'hung'));
  writeFileSync(join(folder, 'runc'), runcWrapper(folder, view));
  chmodSync(join(folder, 'runc'), 0o755);
  writeFileSync(join(folder, 'config.toml'), config(folder));
  const log = openSync(join(folder, 'containerd.log'), 'a');
  const service = `/system.slice/${basename(folder)}.service`;
  noteCgroup(folder, service);
  const command = ['sh', '-euc', startScript(view), 'sh', service, join(folder, 'config.toml')];
  const containerd = spawn('unshare', ['--mount', '--propagation', 'private', ...command], {
    stdio: ['ignore', log, log],
  });
  const ended = new Promise<never>((_, reject) => {
    containerd.once('exit', (code, signal) => {
      reject(
        new Error(`containerd has ended (${code ?? signal}):\n${lastLines(join(folder, 'containerd.log'))}`),
      );
    });
  });
  ended.catch(() => {});

  const cri = connect(parts.client, socket);
  const call: Cri['call'] = (...request) => Promise.race([cri.call(...request), ended]);
  await call('RuntimeService', 'Version', {});
  const ctr = (...args: readonly string[]) => run('ctr', ['-a', socket, '-n', 'k8s.io', 'images', ...args]);
  ctr('import', parts.images);
  const idOf = async (image: string): Promise<string | undefined> =>
    (await call('ImageService', 'ImageStatus', { image: { image } })).image?.id;
  return {
    folder,
    containerd,
    process: cri.process,
    call,
    async choosePause(pause) {
      const wanted = await eventually(() => idOf(pauses[pause]), `the image ${pauses[pause]}`);
      ctr('tag', '--force', pauses[pause], pauseImage);
      await eventually(
        async () => (await idOf(pauseImage)) === wanted,
        `${pauseImage} to be ${pauses[pause]}`,
      );
    },
    hangAtExec: (containerId) => writeFileSync(join(folder, 'hung', containerId), ''),
  };
}

function lastLines(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-3).join('\n') : '';
}

/**
 * Looks again and again until a look finds something.
 *
 * @throws after 20 seconds.
 */
export async function eventually<T>(
  look: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  what: string,
): Promise<T> {
  const end = performance.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited for ${what} in vain for 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * Turns into containerd, in a cgroup of its own as a service of systemd is: what v1 leaves of a dead container's cgroup
 * is that of its runtime. Words: the cgroup, the configuration. Shims keep their sockets, and runc its state, below
 * /run/containerd, whatever containerd is told.
 */
function startScript(view: View): string {
  return `
${v2Mount ? `mkdir -p ${v2Mount}"$1" && echo $$ >${v2Mount}"$1"/cgroup.procs` : ''}

mount -t tmpfs none /run
${mountCommands(view)}
exec containerd --config "$2"
`;
}

function config(folder: string): string {
  const at = (name: string): string => JSON.stringify(join(folder, name));
  const unused = ['aufs', 'btrfs', 'devmapper', 'zfs'].map((name) => `io.containerd.snapshotter.v1.${name}`);
  return `
version = 2
root = ${at('root')}
state = ${at('state')}
disabled_plugins = ${JSON.stringify([...unused, 'io.containerd.internal.v1.opt'])}
[grpc]
  address = ${at('containerd.sock')}
[ttrpc]
  address = ${at('containerd.sock.ttrpc')}
[plugins."io.containerd.grpc.v1.cri"]
  # Without CAP_SYS_RESOURCE no sandbox would start.
  restrict_oom_score_adj = true
  sandbox_image = "${pauseImage}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    conf_dir = ${at('cni')}
    bin_dir = ${at('cni')}
  [plugins."io.containerd.grpc.v1.cri".containerd]
    # Works on any file system, also on the overlay of a container.
    snapshotter = "native"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = ${at('runc')}
        SystemdCgroup = false
`;
}

/** What containerd takes for runc: it changes a container's specification before it is created, as the view needs. */
function runcWrapper(folder: string, view: View): string {
  const options = [
    ...(needsStripping(view) ? ['--strip'] : []),
    ...(view.driver === 'systemd' ? ['--slices'] : []),
  ];
  const rewrite = [process.execPath, join(import.meta.dirname, 'runc-spec.ts'), ...options, '--'];
  const quoted = rewrite.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  return `#!/bin/sh
set -e
for last; do :; done
case " $* " in
*' create '*) ${options.length > 0 ? `${quoted} "$@"` : ':'} ;;
*' exec '*) if [ -e '${folder}/hung/'"$last" ]; then kill -STOP "$PPID"; exit 1; fi ;;
esac
exec runc "$@"
`;
}
