import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { directoryOf } from '../../../src/scanner/pod-facts.ts';
import type { FakeProcess } from '../../support/proc-tree.ts';
import { ProcTree } from '../../support/proc-tree.ts';
import {
  containerId,
  onlyGroup,
  otherPodUid,
  pod,
  podUid,
  runtimeService,
  sandboxId,
  scan,
  scannerOf,
  shim,
  sidecarId,
  v1,
  v1Dead,
  v2,
} from './machine.ts';

let tree: ProcTree;
beforeEach(() => {
  tree = new ProcTree([shim]);
});
afterEach(() => tree.dispose());

const app: FakeProcess = {
  pid: 200,
  ppid: 100,
  comm: 'sleep',
  nspid: [200, 1],
  cgroup: v2(podUid, containerId),
};

/** Zombies of a container, children of PID 1 of it unless told otherwise. */
function dead(pid: number, more: Partial<FakeProcess> = {}): FakeProcess {
  const inside = pid - 199;
  return {
    pid,
    ppid: 200,
    comm: 'sh',
    state: 'Z',
    nspid: [pid, inside],
    cgroup: v2(podUid, containerId),
    ...more,
  };
}

describe('what counts as a zombie', () => {
  it('is one that was there at the look before', () => {
    tree.add(app, dead(201));
    const scanner = scannerOf(tree);
    expect(scanner.look(directoryOf([])).zombies).toBe(0);
    tree.add(dead(202));
    expect(scanner.look(directoryOf([])).zombies).toBe(1);
    expect(scanner.look(directoryOf([])).zombies).toBe(2);
    tree.remove(201);
    expect(scanner.look(directoryOf([])).zombies).toBe(1);
  });

  it('is none whose number another process has by now', () => {
    tree.add(app, dead(201));
    const scanner = scannerOf(tree);
    scanner.look(directoryOf([]));
    tree.add(dead(201, { startTime: 900 }));
    expect(scanner.look(directoryOf([])).zombies).toBe(0);
    expect(scanner.look(directoryOf([])).zombies).toBe(1);
  });

  it('is none whose other threads run on', () => {
    tree.add(app, dead(201, { threads: 3 }));
    expect(scan(tree).zombies).toBe(0);
  });

  it('is one of any name', () => {
    tree.add(app, dead(201, { comm: 'a) Z 1\n(b' }), dead(202, { comm: ') S 1 1 1 1' }));
    expect(onlyGroup(tree)).toMatchObject({ count: 2, comms: ['a) Z 1\n(b', ') S 1 1 1 1'] });
  });
});

describe('kinds', () => {
  it('takes a child of PID 1 for an orphan, likely', () => {
    tree.add(app, dead(201), dead(202));
    expect(onlyGroup(tree)).toMatchObject({
      count: 2,
      kind: 'orphan',
      certain: false,
      fixableBy: 'init',
      parent: { pid: 200, comm: 'sleep', cmdline: 'sleep', isPid1: true },
    });
  });

  it('is certain of an orphan that it saw under another parent', () => {
    tree.add(app, { ...app, pid: 210, ppid: 200, comm: 'sh', nspid: [210, 11] });
    tree.add(dead(211, { ppid: 210, state: 'S' }));
    const scanner = scannerOf(tree);
    scanner.look(directoryOf([]));
    tree.remove(210);
    tree.add(dead(211));
    scanner.look(directoryOf([]));
    const { groups } = scanner.look(directoryOf([]));
    expect(groups).toMatchObject([{ count: 1, kind: 'orphan', certain: true }]);
  });

  it('still knows when such an orphan dies many looks after it was adopted', () => {
    tree.add(app, { ...app, pid: 210, ppid: 200, comm: 'sh', nspid: [210, 11] });
    tree.add(dead(211, { ppid: 210, state: 'S' }));
    const scanner = scannerOf(tree);
    scanner.look(directoryOf([]));
    tree.remove(210);
    tree.add(dead(211, { state: 'S' }));
    for (let look = 0; look < 20; look += 1) scanner.look(directoryOf([]));
    tree.add(dead(211), dead(212));
    scanner.look(directoryOf([]));
    expect(scanner.look(directoryOf([])).groups).toMatchObject([
      { count: 2, kind: 'orphan', certain: false },
    ]);
    tree.remove(212);
    expect(scanner.look(directoryOf([])).groups).toMatchObject([{ count: 1, kind: 'orphan', certain: true }]);
  });

  it('takes what it knew of a process for nothing that another one with its number is', () => {
    tree.add(app, { ...app, pid: 210, ppid: 200, comm: 'sh', nspid: [210, 11] });
    tree.add(dead(211, { ppid: 210, state: 'S' }));
    const scanner = scannerOf(tree);
    scanner.look(directoryOf([]));
    tree.add(dead(211, { startTime: 900 }));
    scanner.look(directoryOf([]));
    expect(scanner.look(directoryOf([])).groups).toMatchObject([
      { count: 1, kind: 'orphan', certain: false },
    ]);
  });

  it('turns the children of a parent that dies into orphans, for certain', () => {
    tree.add(
      app,
      { ...app, pid: 210, ppid: 200, comm: 'python3', nspid: [210, 11] },
      dead(211, { ppid: 210 }),
    );
    const scanner = scannerOf(tree);
    scanner.look(directoryOf([]));
    expect(scanner.look(directoryOf([])).groups).toMatchObject([
      { kind: 'unreaped-child', fixableBy: 'app' },
    ]);
    tree.remove(210);
    tree.add(dead(211));
    expect(scanner.look(directoryOf([])).groups).toMatchObject([{ kind: 'orphan', certain: true }]);
  });

  it('knows an unreaped child by its living parent', () => {
    const python = ['python3', '/srv/work.py'];
    tree.add(app, { ...app, pid: 210, ppid: 200, comm: 'python3', nspid: [210, 11], argv: python });
    tree.add(dead(211, { ppid: 210 }));
    const group = onlyGroup(tree);
    expect(group).toMatchObject({
      kind: 'unreaped-child',
      certain: true,
      fixableBy: 'app',
      parent: { pid: 210, isPid1: false, cmdline: 'python3 /srv/work.py' },
    });
    expect(group.parent?.ancestors.map(({ comm }) => comm)).toEqual(['systemd', 'containerd-shim', 'sleep']);
    expect(group.advice).toContain('python3 work.py (PID 210) lives and never waits');
  });

  it('blames a runtime for what it started itself', () => {
    tree.add(app, dead(201, { ppid: 100 }));
    expect(onlyGroup(tree, [pod])).toMatchObject({
      kind: 'runtime',
      certain: true,
      fixableBy: 'runtime',
      pod: pod.name,
      container: 'app',
    });
  });

  it('knows the monitor of CRI-O also in the cgroup of the pod', () => {
    const cgroup = `0::/kubepods.slice/kubepods-pod${podUid.replaceAll('-', '_')}.slice/crio-conmon-${containerId}.scope\n`;
    tree.add({ pid: 150, ppid: 1, comm: 'conmon', cgroup }, { ...app, ppid: 150 }, dead(201, { ppid: 150 }));
    expect(onlyGroup(tree, [pod])).toMatchObject({ kind: 'runtime', fixableBy: 'runtime', container: 'app' });
    tree.add({ ...app, pid: 210, ppid: 200, comm: 'conmon', nspid: [210, 11] }, dead(201, { ppid: 210 }));
    expect(onlyGroup(tree, [pod])).toMatchObject({ kind: 'unreaped-child', fixableBy: 'app' });
  });

  it('blames no process in a pod that bears the name of a runtime', () => {
    tree.add(app, { ...app, pid: 210, ppid: 200, comm: 'containerd-shim', nspid: [210, 11] });
    tree.add(dead(211, { ppid: 210 }));
    expect(onlyGroup(tree)).toMatchObject({ kind: 'unreaped-child', fixableBy: 'app', podUid });
  });

  it('blames no process of a hostPID pod that bears the name of a runtime', () => {
    tree.add({ pid: 210, ppid: 100, comm: 'containerd-shim', cgroup: v1(podUid, containerId) });
    tree.add({ pid: 211, ppid: 210, comm: 'sh', state: 'Z', cgroup: v1Dead });
    expect(onlyGroup(tree)).toMatchObject({ kind: 'unreaped-child', fixableBy: 'app', podUid, containerId });
  });

  it('takes what a shim adopted from a hostPID pod for its orphans, which no init can help', () => {
    const host = { pid: 211, ppid: 100, comm: 'sh', state: 'Z', cgroup: v2(podUid, containerId) };
    tree.add(host);
    expect(onlyGroup(tree)).toMatchObject({ kind: 'orphan', certain: false, fixableBy: 'runtime', podUid });
  });

  it('is certain of what a shim started itself only where the dead would tell their pod', () => {
    const runc = { pid: 211, ppid: 100, comm: 'runc', state: 'Z', cgroup: runtimeService };
    tree.add(runc, app);
    expect(onlyGroup(tree)).toMatchObject({ kind: 'runtime', certain: true });
    tree.add({ ...app, cgroup: `12:pids:/kubepods/pod${podUid}/${containerId}\n${runtimeService}` });
    expect(onlyGroup(tree)).toMatchObject({ kind: 'runtime', certain: false });
    tree.remove(200);
    expect(onlyGroup(tree)).toMatchObject({ kind: 'runtime', certain: false });
    tree.add({ pid: 90, ppid: 1, comm: 'kubelet', cgroup: runtimeService }, { ...runc, ppid: 90 });
    expect(onlyGroup(tree)).toMatchObject({ kind: 'runtime', certain: true });
  });

  it('knows a runtime by name in the view of the machine only', () => {
    tree.remove(2);
    tree.add({ pid: 1, ppid: 0, comm: 'sh', cgroup: v1(podUid, containerId) });
    tree.add({ pid: 100, ppid: 1, comm: 'containerd-shim', cgroup: '0::/\n' });
    tree.add({ pid: 211, ppid: 100, comm: 'sh', state: 'Z', cgroup: '0::/\n' });
    expect(onlyGroup(tree)).toMatchObject({ kind: 'unreaped-child', fixableBy: 'app' });
  });

  it('says that it cannot see a parent outside of its namespace', () => {
    tree.add({ pid: 211, ppid: 0, comm: 'sh', state: 'Z', cgroup: '0::/\n' });
    expect(onlyGroup(tree)).toMatchObject({ kind: 'runtime', certain: false, parent: null });
  });
});

describe('places', () => {
  it('takes the word of the zombie’s own cgroup first', () => {
    tree.add({ ...app, cgroup: v2(otherPodUid, sidecarId) }, dead(201));
    expect(onlyGroup(tree, [pod])).toMatchObject({
      evidence: 'own-cgroup',
      podUid,
      containerId,
      pod: 'web-7d4b9c-x2x4z',
      namespace: 'shop',
      owner: 'Deployment/web',
      labels: { app: 'web' },
      container: 'app',
    });
  });

  it('believes it also after the cgroup was removed', () => {
    tree.add(app, dead(201, { cgroup: `0::/kubepods/burstable/pod${podUid}/${containerId} (deleted)\n` }));
    expect(onlyGroup(tree)).toMatchObject({ evidence: 'own-cgroup', podUid, containerId });
  });

  it('takes the parent’s under cgroup v1, where a dead process has none', () => {
    tree.add({ ...app, cgroup: v1(podUid, containerId) }, dead(201, { cgroup: v1Dead }));
    expect(onlyGroup(tree)).toMatchObject({ evidence: 'parent-cgroup', podUid, containerId });
  });

  it('takes that of the nearest ancestor in the same namespace, and of none outside', () => {
    const hidden = 'garbage\n';
    tree.add({ ...app, cgroup: v1(podUid, containerId) });
    tree.add({ ...app, pid: 210, ppid: 200, comm: 'sh', nspid: [210, 11], cgroup: hidden });
    tree.add(dead(211, { ppid: 210, cgroup: v1Dead }));
    expect(onlyGroup(tree)).toMatchObject({ evidence: 'ancestor-cgroup', podUid, containerId });
    tree.add({ ...app, cgroup: hidden }, { ...shim, cgroup: v2(otherPodUid, sidecarId) });
    expect(onlyGroup(tree)).toMatchObject({ evidence: null, podUid: null });
  });

  it('never takes that of a service, as a live container may show it in a hybrid set-up', () => {
    tree.add({ ...app, cgroup: runtimeService }, dead(201, { cgroup: runtimeService }));
    expect(onlyGroup(tree)).toMatchObject({ evidence: null, podUid: null, containerId: null, pod: null });
  });

  it('tells the pod only where a shared pause adopted them under cgroup v1', () => {
    tree.add({ ...app, comm: 'pause', cgroup: v1(podUid, sandboxId) }, dead(201, { cgroup: v1Dead }));
    const group = onlyGroup(tree, [{ ...pod, shareProcessNamespace: true }]);
    expect(group).toMatchObject({ evidence: 'parent-cgroup', podUid, containerId: null, container: null });
    expect(group).toMatchObject({
      pod: pod.name,
      kind: 'orphan',
      fixableBy: 'init',
      parent: { comm: 'pause' },
    });
    expect(group.advice).toMatch(/pause of the node \(PID 200\), which does not reap.*pause 3\.1/);
  });

  it('tells the container too under cgroup v2', () => {
    tree.add(
      { ...app, comm: 'pause', cgroup: v2(podUid, sandboxId) },
      dead(201, { cgroup: v2(podUid, sidecarId) }),
    );
    expect(onlyGroup(tree, [pod])).toMatchObject({ containerId: sidecarId, container: 'sidecar' });
  });

  it('names a pod whose UID its own cgroup hides, by the container', () => {
    tree.add({ ...app, cgroup: `0::/../${containerId}\n` }, dead(201, { cgroup: `0::/../${containerId}\n` }));
    expect(onlyGroup(tree, [pod])).toMatchObject({ podUid, pod: pod.name, container: 'app' });
  });

  it('keeps groups of different containers, parents and kinds apart', () => {
    tree.add(app, { ...app, pid: 210, ppid: 200, comm: 'python3', nspid: [210, 11] });
    tree.add(dead(201), dead(202), dead(203, { cgroup: v2(podUid, sidecarId) }), dead(211, { ppid: 210 }));
    expect(scan(tree).groups.map(({ count, kind, containerId: id }) => [count, kind, id])).toEqual([
      [2, 'orphan', containerId],
      [1, 'orphan', sidecarId],
      [1, 'unreaped-child', containerId],
    ]);
  });
});

describe('very many groups', () => {
  it('are put together beyond the largest, with exact counts', () => {
    tree.add(app);
    for (let index = 0; index < 520; index += 1) {
      const parent = 1000 + index;
      tree.add(
        { ...app, pid: parent, ppid: 200, nspid: [parent, parent] },
        dead(3000 + index, { ppid: parent }),
      );
    }
    const { groups, zombies } = scan(tree, [pod]);
    expect(zombies).toBe(520);
    expect(groups).toHaveLength(501);
    expect(groups[0]).toMatchObject({ count: 20, kind: 'unreaped-child', parent: null, container: 'app' });
    expect(groups[0]?.advice).toContain('They have 20 parents');
    expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(520);
  });
});

describe('time', () => {
  it('counts the age from the start of the oldest, by the machine’s uptime', () => {
    tree.setUptime(50);
    tree.add(app, dead(201, { startTime: 2000 }), dead(202, { startTime: 1000 }));
    expect(onlyGroup(tree)).toMatchObject({ oldestSeconds: 40, pids: [202, 201] });
  });

  it('gives growth after six samples, and the pace of a probe that it keeps step with', () => {
    const command = ['rabbitmqctl', 'node_health_check'];
    const probe = { kind: 'liveness' as const, command, periodSeconds: 10, timeoutSeconds: 1, pointer: '' };
    const probed = { ...pod, containers: [{ name: 'app', id: containerId, probes: [probe] }] };
    const clock = { ms: 0, seconds: 0 };
    const scanner = scannerOf(tree, clock);
    tree.add(app);
    let report = scanner.look(directoryOf([probed]));
    for (let step = 1; step <= 12; step += 1) {
      clock.seconds = step * 10;
      tree.add(dead(200 + step));
      report = scanner.look(directoryOf([probed]));
    }
    expect(report.groups).toMatchObject([
      { count: 11, newPerHour: 360, probe: { kind: 'liveness', zombiesPerRun: 1 } },
    ]);
    expect(report.groups[0]?.advice).toContain('runs every 10 s and leaves 1 each time');
    expect(report.pids).toMatchObject({ limitedBy: 'pid_max', limit: 32_768 });
    expect(report.pids.secondsToExhaustion).toBeGreaterThan(300_000);
  });

  it('takes zombies that were there before, or came at once, for no growth', () => {
    const clock = { ms: 0, seconds: 0 };
    const scanner = scannerOf(tree, clock);
    tree.setUptime(10);
    tree.add(app, dead(201, { startTime: 900 }), dead(202, { startTime: 900 }));
    let report = scanner.look(directoryOf([]));
    for (let step = 1; step <= 20; step += 1) {
      clock.seconds = step * 10;
      tree.setUptime(10 + clock.seconds);
      if (step === 3) tree.add({ ...app, pid: 300, nspid: [300, 1], cgroup: v2(otherPodUid, sidecarId) });
      if (step === 3) tree.add(dead(301, { ppid: 300, startTime: 3900, cgroup: v2(otherPodUid, sidecarId) }));
      report = scanner.look(directoryOf([]));
    }
    expect(report.groups.map(({ count, newPerHour }) => [count, newPerHour])).toEqual([
      [2, 0],
      [1, 0],
    ]);
    expect(report.pids.secondsToExhaustion).toBeNull();
  });
});

describe('injected pods', () => {
  const injected = { ...pod, injected: { remedy: 'tini' as const, containers: ['app'] } };

  it('work where tini is PID 1 and leaves none', () => {
    tree.add({ ...app, comm: 'tini', argv: ['/gravekeeper/tini', '--', 'sleep', '60'] });
    expect(scan(tree, [injected]).remedies).toMatchObject([{ works: true, remedy: 'tini', pod: pod.name }]);
  });

  it('do not where another program is PID 1', () => {
    tree.add(app);
    expect(scan(tree, [injected]).remedies).toMatchObject([
      { works: false, message: 'PID 1 of container app is sleep (PID 200), not tini.' },
    ]);
  });

  it('do not where tini leaves orphans; unreaped children are another matter', () => {
    const tini = { ...app, comm: 'tini' };
    tree.add(
      tini,
      { ...app, pid: 210, ppid: 200, comm: 'python3', nspid: [210, 11] },
      dead(211, { ppid: 210 }),
    );
    expect(scan(tree, [injected]).remedies).toMatchObject([{ works: true }]);
    tree.add(dead(212));
    expect(scan(tree, [injected]).remedies).toMatchObject([{ works: false }]);
  });

  it('do not where the shared pause does not reap', () => {
    const shared = { ...pod, injected: { remedy: 'share-pid' as const, containers: [] } };
    tree.add({ ...app, comm: 'pause', cgroup: v2(podUid, sandboxId) });
    expect(scan(tree, [shared]).remedies).toMatchObject([{ works: true }]);
    tree.add(dead(201));
    expect(scan(tree, [shared]).remedies).toMatchObject([{ works: false }]);
  });

  it('work although a program inside made a PID namespace of its own', () => {
    const tini = { ...app, comm: 'tini' };
    tree.add(tini, { ...app, pid: 210, ppid: 200, comm: 'chrome', nspid: [210, 11, 1] });
    tree.add(dead(211, { ppid: 210, nspid: [211, 12, 2] }));
    const { remedies, groups } = scan(tree, [injected]);
    expect(remedies).toMatchObject([{ works: true }]);
    expect(groups[0]?.advice).toContain('no label reaches');
  });

  it('do not where a container poses as the pause', () => {
    const shared = { ...pod, injected: { remedy: 'share-pid' as const, containers: [] } };
    tree.add({ ...app, comm: 'pause' }, dead(201));
    const { remedies, groups } = scan(tree, [shared]);
    expect(remedies).toMatchObject([{ works: false, message: expect.stringContaining('it is not shared') }]);
    expect(groups[0]?.advice).not.toContain('pause of the node');
  });

  it('are unknown where none of their processes is seen', () => {
    expect(scan(tree, [injected]).remedies).toMatchObject([{ works: null }]);
  });
});

describe('what cannot be seen', () => {
  it('counts entries that make no sense, and threads that are hidden, and says so', () => {
    tree.add(app, dead(201));
    tree.write('300/stat', 'no such line');
    tree.write('loadavg', '0.00 0.00 0.00 1/45 999\n');
    const { pids, zombies, notes } = scan(tree);
    expect(zombies).toBe(1);
    expect(pids).toMatchObject({ used: 45, unreadable: 1 + (45 - 5) });
    expect(notes).toEqual([expect.stringContaining('could not be looked at')]);
  });

  it('names pods that run in a sandbox of their own', () => {
    expect(scan(tree, [{ ...pod, runtimeClassName: 'gvisor' }]).notes).toEqual([
      expect.stringMatching(/not observable from the node: 1 \(runtime class gvisor\)/),
    ]);
  });
});
