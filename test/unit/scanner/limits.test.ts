import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openProcRoot } from '../../../src/proc/root.ts';
import { PodFolderIndex } from '../../../src/scanner/limit-folders.ts';
import { openLimits } from '../../../src/scanner/limits.ts';

const all = mkdtempSync(join(tmpdir(), 'gravekeeper-limits-'));
afterAll(() => rmSync(all, { recursive: true }));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(all, 'case-'));
});

/** Writes files into the folder of this case. */
function tree(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** Prefixes the paths of files with a folder. */
function below(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
}

function pidsFiles(used: number, limit: string): Record<string, string> {
  return { 'pids.current': `${used}\n`, 'pids.max': `${limit}\n` };
}

function memoryFilesV2(
  used: number,
  inactive: number,
  active: number,
  limit: string,
): Record<string, string> {
  return {
    'memory.current': `${used}\n`,
    'memory.max': `${limit}\n`,
    'memory.stat': `anon 1\nfile 2\ninactive_file ${inactive}\nactive_file ${active}\n`,
  };
}

function memoryFilesV1(
  used: number,
  inactive: number,
  active: number,
  limit: string,
): Record<string, string> {
  return {
    'memory.usage_in_bytes': `${used}\n`,
    'memory.limit_in_bytes': `${limit}\n`,
    'memory.stat': `cache 2\ninactive_file 1\nactive_file 1\ntotal_inactive_file ${inactive}\ntotal_active_file ${active}\n`,
  };
}

const noProc = { path: '/nowhere', text: () => null };
const isV2 = { 'cgroup.controllers': 'cpuset cpu io memory pids\n' };
const uid = '4a163a05-439d-484b-8e53-2968bc15824f';
const systemdUid = uid.replaceAll('-', '_');
const staticUid = 'e039200acb850c82bb901653cc38ff6e';
const id = 'cde6dfaf5007ed65aad2d6aed72af91b0f3d95813492f773286e29ae145d20f4';
const otherId = id.replace('cde6', '0000');

/** The folders of one pod and its container, as the drivers and the runtimes of Kubernetes name them. */
const shapes = [
  {
    shape: 'cgroupfs',
    kubepods: 'kubepods',
    pod: `kubepods/burstable/pod${uid}`,
    container: id,
    podUid: uid,
  },
  {
    shape: 'cgroupfs, guaranteed, static pod',
    kubepods: 'kubepods',
    pod: `kubepods/pod${staticUid}`,
    container: id,
    podUid: staticUid,
  },
  {
    shape: 'cgroupfs with CRI-O',
    kubepods: 'kubepods',
    pod: `kubepods/besteffort/pod${uid}`,
    container: `crio-${id}`,
    podUid: uid,
  },
  {
    shape: 'systemd',
    kubepods: 'kubepods.slice',
    pod: `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${systemdUid}.slice`,
    container: `cri-containerd-${id}.scope`,
    podUid: uid,
  },
  {
    shape: 'systemd with CRI-O, guaranteed',
    kubepods: 'kubepods.slice',
    pod: `kubepods.slice/kubepods-pod${systemdUid}.slice`,
    container: `crio-${id}.scope`,
    podUid: uid,
  },
  {
    shape: 'kind, from inside the node',
    kubepods: 'kubelet.slice/kubelet-kubepods.slice',
    pod: `kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod${systemdUid}.slice`,
    container: `cri-containerd-${id}.scope`,
    podUid: uid,
  },
  {
    shape: 'kind, from the machine around it',
    kubepods: `system.slice/docker-${otherId}.scope/kubelet.slice/kubelet-kubepods.slice`,
    pod: `system.slice/docker-${otherId}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod${systemdUid}.slice`,
    container: `cri-containerd-${id}.scope`,
    podUid: uid,
  },
];

/** Where a controller's cgroups stand, and what is there beside them. */
const versions = [
  { version: 'v2', pids: '.', memory: '.', memoryFiles: memoryFilesV2, beside: isV2 },
  { version: 'v1', pids: 'pids', memory: 'memory', memoryFiles: memoryFilesV1, beside: { 'cpu/tasks': '' } },
  {
    version: 'hybrid',
    pids: 'pids',
    memory: 'memory',
    memoryFiles: memoryFilesV1,
    beside: { 'unified/cgroup.controllers': '\n', 'unified/kubepods/cgroup.procs': '' },
  },
  {
    version: 'hybrid with memory in v2',
    pids: 'pids',
    memory: 'unified',
    memoryFiles: memoryFilesV2,
    beside: { 'unified/cgroup.controllers': 'memory\n' },
  },
];

describe.each(versions)('limits of cgroups, $version', ({ pids, memory, memoryFiles, beside }) => {
  it.each(shapes)('are found: $shape', ({ kubepods, pod, container, podUid }) => {
    tree({
      ...beside,
      ...below(`${pids}/system.slice/ssh.service`, pidsFiles(1, 'max')),
      ...below(`${pids}/${kubepods}`, pidsFiles(50, '4096')),
      ...below(`${pids}/${pod}`, pidsFiles(40, '1024')),
      ...below(`${memory}/${pod}/${container}`, memoryFiles(9000, 1500, 500, '20000')),
      ...below(`${memory}/${pod}/${container.replace(id, otherId)}`, memoryFiles(1, 0, 0, '2')),
      ...below(`${memory}/${pod}/${`crio-conmon-${id}.scope`}`, memoryFiles(3, 0, 0, '4')),
    });
    const limits = openLimits(noProc, root);
    expect(limits.kubepods()).toEqual({ used: 50, limit: 4096 });
    expect(limits.pod(podUid)).toEqual({ used: 40, limit: 1024 });
    expect(limits.containerMemory(podUid, id)).toEqual({ usedBytes: 7000, limitBytes: 20_000 });
    expect(limits.pod('ffffffff-439d-484b-8e53-2968bc15824f')).toBeNull();
    expect(limits.containerMemory(podUid, 'f'.repeat(64))).toBeNull();
  });

  it('are null where none is set', () => {
    tree({
      ...beside,
      ...below(`${pids}/kubepods`, pidsFiles(50, 'max')),
      ...below(
        `${memory}/kubepods/pod${uid}/${id}`,
        memoryFiles(9, 0, 0, memoryFiles === memoryFilesV2 ? 'max' : '9223372036854771712'),
      ),
    });
    const limits = openLimits(noProc, root);
    expect(limits.kubepods()).toEqual({ used: 50, limit: null });
    expect(limits.containerMemory(uid, id)).toEqual({ usedBytes: 9, limitBytes: null });
  });
});

describe('openLimits', () => {
  const pod = `kubepods/pod${uid}`;

  it('knows nothing without a cgroup root, and with one that is none', () => {
    tree({ 'a file': '' });
    for (const folder of [null, root, join(root, 'missing'), join(root, 'a file')]) {
      const limits = openLimits(noProc, folder);
      expect(limits.kubepods()).toBeNull();
      expect(limits.pod(uid)).toBeNull();
      expect(limits.containerMemory(uid, id)).toBeNull();
      expect(limits.pidMax()).toBeNull();
      expect(limits.threadsMax()).toBeNull();
    }
  });

  it.each([
    { fault: 'no number', current: 'x', max: '5' },
    { fault: 'a negative number', current: '-1', max: '5' },
    { fault: 'nothing', current: '', max: '5' },
    { fault: 'a limit that is no number', current: '1', max: 'much' },
    { fault: 'a limit of two numbers', current: '1', max: '5 6' },
  ])('takes $fault for unreadable', ({ current, max }) => {
    tree({ ...isV2, [`${pod}/pids.current`]: current, [`${pod}/pids.max`]: max });
    expect(openLimits(noProc, root).pod(uid)).toBeNull();
  });

  it('takes memory without a limit or without statistics for unreadable', () => {
    tree({ ...isV2, ...below(`${pod}/${id}`, memoryFilesV2(5, 0, 0, '10')) });
    rmSync(join(root, pod, id, 'memory.max'));
    expect(openLimits(noProc, root).containerMemory(uid, id)).toBeNull();
    for (const statistics of ['anon 5\n', 'inactive_file 5\n', 'active_file 5\n']) {
      tree({ [`${pod}/${id}/memory.max`]: '10\n', [`${pod}/${id}/memory.stat`]: statistics });
      expect(openLimits(noProc, root).containerMemory(uid, id)).toBeNull();
    }
  });

  it('counts no memory below 0 where the files are newer than the sum', () => {
    tree({ ...isV2, ...below(`${pod}/${id}`, memoryFilesV2(5, 4, 5, '10')) });
    expect(openLimits(noProc, root).containerMemory(uid, id)).toEqual({ usedBytes: 0, limitBytes: 10 });
  });

  it('reads anew each time, and finds a pod that has moved', () => {
    let now = 0;
    tree({ ...isV2, ...below(pod, pidsFiles(1, '5')) });
    const limits = openLimits(noProc, root, () => now);
    expect(limits.pod(uid)?.used).toBe(1);
    tree(below(pod, pidsFiles(2, '5')));
    expect(limits.pod(uid)?.used).toBe(2);
    rmSync(join(root, pod), { recursive: true });
    expect(limits.pod(uid)).toBeNull();
    tree(below(`kubepods/burstable/pod${uid}`, pidsFiles(3, '5')));
    now += 30_000;
    expect(limits.pod(uid)?.used).toBe(3);
  });

  it('looks for what is missing every half a minute, not each time', () => {
    let now = 0;
    tree({ ...isV2, ...below('kubepods', pidsFiles(1, 'max')) });
    const limits = openLimits(noProc, root, () => now);
    expect(limits.pod(uid)).toBeNull();
    tree(below(pod, pidsFiles(1, '5')));
    now += 29_999;
    expect(limits.pod(uid)).toBeNull();
    now += 1;
    expect(limits.pod(uid)).toEqual({ used: 1, limit: 5 });
  });

  it('follows no symbolic link and looks into no pod', () => {
    tree({
      ...isV2,
      ...below(`elsewhere/deep/deeper/deepest/more/most/kubepods/pod${uid}`, pidsFiles(1, '5')),
      ...below(`kubepods/pod${staticUid}/${id}/kubepods/pod${uid}`, pidsFiles(2, '6')),
    });
    symlinkSync(join(root, 'elsewhere/deep/deeper/deepest/more/most/kubepods'), join(root, 'kubepods.slice'));
    symlinkSync(root, join(root, 'loop'));
    const limits = openLimits(noProc, root);
    expect(limits.pod(uid)).toBeNull();
    expect(limits.kubepods()).toBeNull();
  });

  it('prefers the cgroup of pods that is nearest to the root', () => {
    tree({
      ...isV2,
      ...below(`docker/${id}/kubelet/kubepods`, pidsFiles(9, '90')),
      ...below('kubepods.slice', pidsFiles(5, '50')),
      ...below('kubepods', pidsFiles(0, 'max')),
      ...below('kubepods-backup', pidsFiles(7, '70')),
    });
    // The empty one is what a kubelet left behind whose cgroup driver was changed.
    expect(openLimits(noProc, root).kubepods()).toEqual({ used: 5, limit: 50 });
  });

  it('reads the cgroup of pods before there is one', () => {
    tree({ ...isV2, ...below('kubepods', pidsFiles(0, '50')) });
    expect(openLimits(noProc, root).kubepods()).toEqual({ used: 0, limit: 50 });
  });

  it('does not choose between nodes side by side', () => {
    tree({
      ...isV2,
      ...below(`docker/${id}/kubepods`, pidsFiles(9, '90')),
      ...below(`docker/${otherId}/kubepods`, pidsFiles(5, '50')),
    });
    expect(openLimits(noProc, root).kubepods()).toBeNull();
  });

  it('walks six folders deep, as deep as the pods of a node in a container are', () => {
    tree({
      ...isV2,
      ...below(`a/b/c/d/e/pod${uid}`, pidsFiles(1, '5')),
      ...below(`a/b/c/d/e/f/pod${staticUid}`, pidsFiles(1, '5')),
    });
    const limits = openLimits(noProc, root);
    expect(limits.pod(uid)).toEqual({ used: 1, limit: 5 });
    expect(limits.pod(staticUid)).toBeNull();
  });

  it('gives up on a tree without end, when it has found what is near', () => {
    for (let index = 0; index < 10; index += 1) mkdirSync(join(root, `a/${index}/b`), { recursive: true });
    tree({
      ...below(`a/pod${uid}`, pidsFiles(1, '5')),
      ...below(`a/0/b/pod${staticUid}`, pidsFiles(1, '5')),
    });
    const found = (mostFolders: number) => {
      const index = new PodFolderIndex(root, () => 0, mostFolders);
      return [uid, staticUid].map((pod) => index.take(({ pods }) => pods.get(pod) ?? null) !== null);
    };
    expect(found(12)).toEqual([true, false]);
    expect(found(22)).toEqual([true, true]);
  });
});

describe('the limits in /proc', () => {
  it.skipIf(process.platform !== 'linux')('are read from this machine’s', () => {
    const limits = openLimits(openProcRoot('/proc'), null);
    expect(limits.pidMax()).toBeGreaterThan(300);
    expect(limits.threadsMax()).toBeGreaterThan(20);
  });

  it('are read from a copied tree', () => {
    tree({
      stat: 'cpu 0\nbtime 1700000000\n',
      'sys/kernel/pid_max': '32768\n',
      'sys/kernel/threads-max': '61432\n',
    });
    const limits = openLimits(openProcRoot(root), null);
    expect(limits.pidMax()).toBe(32_768);
    expect(limits.threadsMax()).toBe(61_432);
  });

  it('are unknown where the files are missing or hold something else', () => {
    tree({ stat: 'btime 1700000000\n', 'sys/kernel/pid_max': 'many\n' });
    const limits = openLimits(openProcRoot(root), null);
    expect(limits.pidMax()).toBeNull();
    expect(limits.threadsMax()).toBeNull();
  });
});
