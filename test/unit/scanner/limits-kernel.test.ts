import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, expect, it } from 'vitest';
import { openProcRoot } from '../../../src/proc/root.ts';
import { ProcessTable } from '../../../src/proc/table.ts';
import { hierarchyOf } from '../../../src/scanner/limit-folders.ts';
import { openLimits } from '../../../src/scanner/limits.ts';
import { describeWith, eventually, type Need, root } from '../../support/process.ts';

const mounted = '/sys/fs/cgroup';
const mine = `gk-test-${process.pid}`;
const made: string[] = [];
const started: ChildProcess[] = [];

afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  for (const folder of made.splice(0).reverse()) await eventually(() => isRemoved(folder), `rmdir ${folder}`);
});

/** A cgroup can be removed once the kernel is done with its processes, a moment after they have ended. */
function isRemoved(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

/** Makes a cgroup with a controller, below a folder of the tests’ own; answers its folder. */
function makeCgroup(controller: string, path: string): string {
  let folder = hierarchyOf(mounted, controller);
  if (folder === null) throw new Error(`no ${controller} controller is mounted below ${mounted}`);
  for (const name of [mine, ...path.split('/')]) {
    const control = `${folder}/cgroup.subtree_control`;
    if (existsSync(control)) writeFileSync(control, `+${controller}`);
    folder = `${folder}/${name}`;
    if (existsSync(folder)) continue;
    mkdirSync(folder);
    made.push(folder);
  }
  return folder;
}

/** The right to make cgroups with limits of their own. */
const cgroups: Need = () => {
  try {
    for (const controller of ['pids', 'memory']) makeCgroup(controller, 'probe');
    return null;
  } catch (error) {
    return `cgroups cannot be made here: ${error instanceof Error ? error.message : error}`;
  } finally {
    for (const folder of made.splice(0).reverse()) rmdirSync(folder);
  }
};

// Others may run the same tests on the same machine.
const uid = randomUUID();
const id = randomBytes(32).toString('hex');
const slice = `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice`;

/** Starts a `cat` in a cgroup, with a child that has died and that it does not wait for. */
async function startWithZombie(cgroup: string): Promise<void> {
  const child = spawn('sh', ['-c', 'echo $$ > "$0/cgroup.procs" && { cat <&3 & exec cat <&4; }', cgroup], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'],
  });
  started.push(child);
  await eventually(() => openProcRoot('/proc').stat(child.pid ?? 0)?.comm === 'cat', 'exec of cat');
  const childs = child.stdio[3];
  if (childs instanceof Writable) childs.end();
  await eventually(() => hasZombie(child.pid ?? 0), 'a zombie');
}

function hasZombie(parent: number): boolean {
  const table = new ProcessTable();
  openProcRoot('/proc').readTable(table);
  return Array.from({ length: table.size }, (_, index) => index).some(
    (index) => table.ppidAt(index) === parent && table.isZombieAt(index),
  );
}

describeWith([root, cgroups], 'limits of real cgroups', () => {
  it.each([
    { driver: 'cgroupfs', pod: `kubepods/burstable/pod${uid}`, container: id },
    { driver: 'systemd', pod: slice, container: `cri-containerd-${id}.scope` },
  ])('counts processes and zombies against pids.max, $driver', async ({ pod, container }) => {
    const leaf = makeCgroup('pids', `${pod}/${container}`);
    const folder = makeCgroup('pids', pod);
    const limits = openLimits(openProcRoot('/proc'), mounted);
    expect(limits.pod(uid)).toEqual({ used: 0, limit: null });
    writeFileSync(`${folder}/pids.max`, '7');
    await startWithZombie(leaf);
    expect(limits.pod(uid)).toEqual({ used: 2, limit: 7 });
  });

  it('counts all pods of the node', async () => {
    // A root of its own, since this machine may be a node: its folder `pids` is that of the controller under v1.
    const leaf = makeCgroup('pids', `pids/kubepods/burstable/pod${uid}`);
    writeFileSync(`${makeCgroup('pids', 'pids/kubepods')}/pids.max`, '9');
    await startWithZombie(leaf);
    const limits = openLimits(openProcRoot('/proc'), `${hierarchyOf(mounted, 'pids')}/${mine}`);
    expect(limits.kubepods()).toEqual({ used: 2, limit: 9 });
    expect(limits.pod(uid)).toEqual({ used: 2, limit: null });
  });

  it('reads the memory of a container', () => {
    const leaf = makeCgroup('memory', `${slice}/crio-${id}.scope`);
    const limits = openLimits(openProcRoot('/proc'), mounted);
    expect(limits.containerMemory(uid, id)).toEqual({ usedBytes: expect.any(Number), limitBytes: null });
    const file = ['memory.max', 'memory.limit_in_bytes'].find((name) => existsSync(`${leaf}/${name}`)) ?? '';
    writeFileSync(`${leaf}/${file}`, String(64 << 20));
    expect(limits.containerMemory(uid, id)).toEqual({
      usedBytes: expect.any(Number),
      limitBytes: 64 << 20,
    });
  });
});

/** The first PID namespace, which a test in a container is not in. */
const initialNamespace: Need = () =>
  readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]'
    ? null
    : 'the first PID namespace is needed, and this is a container: run the tests outside';

/** The right to mount in namespaces of one's own. */
const mounts: Need = () =>
  spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']).status === 0
    ? null
    : 'namespaces are forbidden here: run the tests as root';

describeWith([root, initialNamespace, mounts], 'pid_max through another mount of /proc', () => {
  const program = `
    import { openLimits } from ${JSON.stringify(new URL('../../../src/scanner/limits.ts', import.meta.url).href)};
    import { openProcRoot } from ${JSON.stringify(new URL('../../../src/proc/root.ts', import.meta.url).href)};
    const read = (path) => {
      const limits = openLimits(openProcRoot(path), null);
      return { pidMax: limits.pidMax(), threadsMax: limits.threadsMax() };
    };
    const [, mounted, copied] = process.argv;
    console.log(JSON.stringify({ mounted: read(mounted), own: read('/proc'), copied: read(copied) }));
  `;

  const ofCopy = { pidMax: 1234, threadsMax: 5678 };

  /** What a reader in other namespaces finds in this machine’s /proc, mounted elsewhere, in its own, and in a copy. */
  function readThrough(flags: readonly string[], mountOwn: string): unknown {
    const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-proc-'));
    try {
      const [mounted, copied] = [join(folder, 'mounted'), join(folder, 'copied')];
      mkdirSync(mounted);
      mkdirSync(join(copied, 'sys/kernel'), { recursive: true });
      writeFileSync(join(copied, 'stat'), 'btime 1700000000\n');
      writeFileSync(join(copied, 'sys/kernel/pid_max'), `${ofCopy.pidMax}\n`);
      writeFileSync(join(copied, 'sys/kernel/threads-max'), `${ofCopy.threadsMax}\n`);
      const script = `mount --bind /proc "$0" && ${mountOwn} && exec "$1" --input-type=module -e "$2" "$0" "$3"`;
      const args = ['--mount', ...flags, 'sh', '-c', script, mounted, process.execPath, program, copied];
      const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
      expect(stderr).toBe('');
      return JSON.parse(stdout);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  function ofMachine() {
    const limits = openLimits(openProcRoot('/proc'), null);
    return { pidMax: limits.pidMax(), threadsMax: limits.threadsMax() };
  }

  it('is known to a reader in the first PID namespace', () => {
    expect(readThrough([], 'true')).toEqual({ mounted: ofMachine(), own: ofMachine(), copied: ofCopy });
  });

  it('is unknown to a reader in another one, who would see his own', () => {
    expect(readThrough(['--pid', '--fork'], 'mount -t proc proc /proc')).toEqual({
      mounted: { ...ofMachine(), pidMax: null },
      own: { ...ofMachine(), pidMax: null },
      copied: ofCopy,
    });
  });
});
